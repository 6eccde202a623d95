"""The disk is full, or the store's file is gone: 503 and nothing leaves; when it is well again it goes on.

A full disk needs a small file system of its own (tmpfs, root); says so and
passes over it where that cannot be mounted.
"""
import json
import os
import subprocess
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main


def a_full_disk_is_503_and_nothing_leaves_and_room_heals():
    gateway = Gateway()
    disk = gateway.at("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], stderr=subprocess.DEVNULL).returncode:
        print("      no tmpfs can be mounted here: skipped")
        gateway.close()
        return
    try:
        text = open(gateway.config).read().replace('path = "sluice.db"', f'path = "{disk}/sluice.db"')
        open(gateway.config, "w").write(text)
        gateway.start()
        check(gateway.push(bundle(patient("p0"), observation("o0", "p0")))[0] == 200, "first push")
        check(gateway.hie.wait(1), "first delivery")
        filler = os.path.join(disk, "filler")
        fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, b"x" * 4096)
        except OSError:
            os.close(fd)
        statuses, n = [], 0
        while 503 not in statuses and n < 400:
            n += 1
            statuses.append(gateway.push(bundle(patient(f"p{n}"), observation(f"o{n}", f"p{n}")))[0])
        check(statuses[-1] == 503, statuses)
        accepted = 1 + statuses.count(200)
        answer = gateway.push(bundle(patient("full")))
        check(answer[0] == 503 and "Retry-After" in answer[1], answer[:2])
        check(gateway.get_admin("/readyz")[0] == 503, "readyz")
        check(gateway.get_admin("/livez")[0] == 200, "livez")
        time.sleep(1)
        check(all(b'"full"' not in body for body in gateway.hie.bodies()), "a refused Bundle left")
        os.unlink(filler)
        healed = [gateway.push(bundle(patient("healed")))[0] for _ in range(3)]
        check(200 in healed, healed)
        check(gateway.get_admin("/readyz")[0] == 200, "readyz after")
        check(gateway.hie.wait(accepted + 1, 70), f"{len(gateway.hie.received)} of {accepted + 1} came")
        check(gateway.stop() == 0, "stop")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
    finally:
        if gateway.process is not None:
            gateway.kill()
        subprocess.run(["umount", disk])
        gateway.close()


def first_try_is_written(gateway):
    """Else its lease, a minute, is what the delivery waits for when the store is back."""
    until = time.time() + 20
    while time.time() < until:
        rows = json.loads(gateway.cli("queue", "ls", "-c", gateway.config, "--json").stdout)["deliveries"]
        if any(row["recipient"] == "county-hie" and row["attempts"] > 0 for row in rows):
            return True
        time.sleep(0.1)
    return False


def a_store_that_was_taken_away_is_503_and_nothing_leaves_and_its_return_heals():
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient("p0"), observation("o0", "p0")))[0] == 200, "first push")
        check(gateway.hie.wait(1), "first delivery")
        gateway.hie.answer = 503
        check(gateway.push(bundle(patient("waits"), observation("o1", "waits")))[0] == 200, "one that waits")
        check(gateway.hie.wait(2) and first_try_is_written(gateway), "its first try")
        os.rename(gateway.at("sluice.db"), gateway.at("away.db"))
        answer = gateway.push(bundle(patient("lost")))
        check(answer[0] == 503 and "Retry-After" in answer[1], answer[:2])
        check(gateway.get_admin("/readyz")[0] == 503, "readyz")
        check(gateway.get_admin("/livez")[0] == 200, "livez")
        gateway.hie.answer, seen = 200, len(gateway.hie.received)
        open(gateway.at("sluice.db"), "w").close()   # another file in its place
        check(gateway.push(bundle(patient("lost")))[0] == 503, "another file is not the store")
        time.sleep(4)
        check(len(gateway.hie.received) == seen, "a delivery left without a store")
        os.rename(gateway.at("away.db"), gateway.at("sluice.db"))
        time.sleep(2.5)
        check(gateway.get_admin("/readyz")[0] == 200, "readyz after")
        check(gateway.push(bundle(patient("healed")))[0] == 200, "push after")
        check(gateway.hie.wait(seen + 2, 40), "what waited, and the new one")
        check(all(b'"lost"' not in body for body in gateway.hie.bodies()), "a refused Bundle left")
        check(gateway.stop() == 0, "stop")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([a_store_that_was_taken_away_is_503_and_nothing_leaves_and_its_return_heals, a_full_disk_is_503_and_nothing_leaves_and_room_heals])

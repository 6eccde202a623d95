"""kill -9 at random under load: nothing acknowledged is lost, nothing left unrecorded.

    crash.py [rounds]            default 5; 50 with SLUICE_LONG=1 (scripts/test --long)
"""
import hashlib
import json
import os
import random
import sys
import threading
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 50 if os.environ.get("SLUICE_LONG") else 5
SEED = random.randrange(1 << 30)


def pusher(gateway, name, acknowledged, stop):
    n = 0
    connection = None
    while not stop.is_set():
        n += 1
        who = f"{name}-{n}"
        try:
            connection = connection or gateway.connect()
            status, _, _ = gateway.push(bundle(patient(who), observation(who, who)), connection=connection)
            if status == 200:
                acknowledged.append(who)
        except OSError:
            connection = None
            time.sleep(0.02)
        except Exception:
            connection = None


def nothing_acknowledged_is_lost_and_no_byte_is_unrecorded():
    rng = random.Random(SEED)
    print(f"      seed {SEED}, {ROUNDS} rounds", flush=True)
    gateway = Gateway().start()
    acknowledged = []
    try:
        for round_number in range(ROUNDS):
            stop = threading.Event()
            threads = [threading.Thread(target=pusher, args=(gateway, f"r{round_number}t{t}", acknowledged, stop))
                       for t in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(rng.uniform(0.05, 0.8))
            gateway.kill()
            stop.set()
            for thread in threads:
                thread.join()
            gateway.start()
        wanted = set(acknowledged)
        check(len(wanted) > 0, "nothing was acknowledged: the test shows nothing")
        until = time.time() + 60
        got = set()
        while time.time() < until and not wanted <= got:
            time.sleep(0.3)
            got = {json.loads(body)["entry"][0]["resource"]["id"] for body in gateway.hie.bodies()}
        check(wanted <= got, f"{len(wanted - got)} of {len(wanted)} acknowledged Bundles were lost")
        check(gateway.stop() == 0, "stop")
        disclosures, _ = gateway.export()
        recorded = {(r["idempotencyKey"], r["payloadSha256"]) for r in disclosures if r["kind"] == "disclosure"}
        for sink in (gateway.hie, gateway.clinic):
            for head, body, _ in sink.received:
                check((head["Idempotency-Key"], hashlib.sha256(body).hexdigest()) in recorded,
                      "a byte left without its record")
        done = gateway.cli("log", "verify", "-c", gateway.config)
        check(done.returncode == 0, done.stderr)
        print(f"      {len(wanted)} acknowledged, {len(gateway.hie.received)} deliveries seen,"
              f" {len(disclosures)} records", flush=True)
    finally:
        gateway.close()


if __name__ == "__main__":
    main([nothing_acknowledged_is_lost_and_no_byte_is_unrecorded])

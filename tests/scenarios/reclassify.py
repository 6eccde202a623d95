"""What is stored is what it is under the registry of now; and what had left is told."""
import json
import re
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main
from operate import rewrite, status

ELM = 'program "elm" { reference = { "Organization/elm" } from = "2020-01-01" until = "2026-01-01" }\n'


def of_elm(id, made="2024-05-01"):
    """A reading of Elm's, which nobody has registered yet."""
    one = observation(id)
    one["effectiveDateTime"] = made + "T08:00:00Z"
    one["performer"] = [{"reference": "Organization/elm"}]
    return one


def asked(gateway, *options):
    done = gateway.cli("reclassify", "-c", gateway.config, "--json", *options)
    check(done.returncode in (0, 1) and done.stdout, done)
    return json.loads(done.stdout)


def complete(gateway, seconds=60):
    until = time.time() + seconds
    while True:
        said = status(gateway)["classes"]
        if said["complete"]:
            return said
        check(time.time() < until, said)
        time.sleep(0.05)


def reload(gateway):
    done = gateway.cli("reload", "-c", gateway.config)
    check(done.returncode == 0, done.stderr)


def what_is_stored_follows_the_registry_and_what_had_left_is_listed():
    gateway = Gateway().start()
    try:
        for n in range(30):
            check(gateway.push(bundle(patient(), of_elm(f"then{n}"), of_elm(f"after{n}", "2026-03-01")))[0] == 200, "push")
        check(gateway.hie.wait(30) and gateway.clinic.wait(30), "deliveries")
        gateway.settled()
        before = complete(gateway)
        check(before["pushes"] == 0 and before["confirmed"] == 0, before)
        check(asked(gateway, "--left") == {"copies": []}, "nothing changed yet")

        rewrite(gateway, lambda text: text + ELM)
        would = asked(gateway, "--dry-run")
        check(would == {"pushes": 30, "resources": 90, "changed": 30, "confirmed": 30}, would)
        check(status(gateway)["classes"] == before, "a dry run wrote something")

        reload(gateway)
        after = complete(gateway)
        check(after["version"] != before["version"] and after["registry"] != before["registry"], after)
        check((after["pushes"], after["resources"], after["changed"], after["confirmed"]) == (30, 90, 30, 30), after)
        check("ended" in after, after)
        copies = asked(gateway, "--left")["copies"]
        check(len(copies) == 60, len(copies))
        check({c["resource"] for c in copies} == {f"Observation/then{n}" for n in range(30)}, copies[0])
        check({c["recipient"] for c in copies} == {"county-hie", "lakeside-clinic"}, copies[0])
        check(all(c["was"] == "not" and c["patient"] == "Patient/p1" for c in copies), copies[0])
        disclosed = {r["eventId"]: r["recipient"]["name"] for r in gateway.export()[0] if r["kind"] == "disclosure"}
        check(all(disclosed[c["eventId"]] == c["recipient"] for c in copies), "another event")

        # What comes from now on is classified when it comes, and nothing of Elm's leaves.
        check(gateway.push(bundle(patient(), of_elm("late"), observation("own")))[0] == 200, "push")
        check(gateway.hie.wait(31), "delivery")
        gateway.settled()
        check(b"own" in gateway.hie.bodies()[-1] and b"late" not in gateway.hie.bodies()[-1], "it left")
        time.sleep(1.5)
        check(complete(gateway)["pushes"] == 30, "it was looked at twice")
        check(re.search(rb"^sluice_reclassify_left 0$", gateway.get_admin("/metrics")[1], re.M), "metric")

        # Taken back: what is stored is no Part 2 record again; what was listed stays listed.
        rewrite(gateway, lambda text: text.replace(ELM, ""))
        reload(gateway)
        again = complete(gateway)
        check(again["version"] == before["version"] and again["confirmed"] == 0, again)
        check(len(asked(gateway, "--left")["copies"]) == 60, "the list forgets")
        check(gateway.stop() == 0, "stop")
        check(gateway.cli("reclassify", "-c", gateway.config, "--status").stdout.startswith(b"complete: 0 pushes left"), "after the stop")
        check(gateway.cli("reclassify", "-c", gateway.config).returncode == 4, "nobody is there")
    finally:
        gateway.close()


def nothing_leaves_under_an_old_class():
    """A delivery that waits is labelled anew, whether the pass has come to it or not."""
    gateway = Gateway()
    gateway.hie.answer = gateway.clinic.answer = 503
    gateway.start()
    try:
        check(gateway.push(bundle(patient(), of_elm("then"), observation("own")))[0] == 200, "push")
        check(gateway.hie.wait(1), "a try")
        rewrite(gateway, lambda text: text + ELM)
        reload(gateway)
        tried = len(gateway.hie.bodies())
        check(gateway.hie.wait(tried + 2), "more tries")
        gateway.hie.answer = gateway.clinic.answer = 200
        gateway.settled()
        check(b"then" in gateway.hie.bodies()[0], "the test's own push")
        check(b"then" not in gateway.hie.bodies()[-1] and b"own" in gateway.hie.bodies()[-1], "it left under its old class")
    finally:
        gateway.close()


def it_goes_on_where_it_was_killed():
    gateway = Gateway().start()
    try:
        kept = gateway.connect()
        for n in range(260):
            resources = [patient()] + [of_elm(f"r{n}-{i}") for i in range(20)]
            check(gateway.push(bundle(*resources), connection=kept)[0] == 200, "push")
        gateway.settled()
        rewrite(gateway, lambda text: text + ELM)
        marks, said = set(), None
        gateway.stop()
        for n in range(60):
            gateway.start()
            time.sleep(0.02 * n)
            said = status(gateway)["classes"]
            gateway.kill()
            marks.add(said["pushes"])
            if said["complete"]:
                break
        check(said["complete"], said)
        check(len(marks) > 2, f"it was never killed on its way: {marks}")
        check((said["pushes"], said["resources"], said["confirmed"]) == (260, 260 * 21, 260 * 20), said)
        check(asked(gateway, "--dry-run")["pushes"] == 260, "a dry run looks at all that came under another version")
        check(asked(gateway, "--dry-run")["changed"] == 0, "and finds it as the pass left it")
    finally:
        gateway.close()


def it_can_be_made_to_begin_again():
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient(), of_elm("then")))[0] == 200, "push")
        rewrite(gateway, lambda text: text + ELM)
        reload(gateway)
        first = complete(gateway)
        done = gateway.cli("reclassify", "-c", gateway.config, "--json")
        check(done.returncode == 0 and json.loads(done.stdout) == {"begun": True}, done)
        until = time.time() + 20
        while status(gateway)["classes"].get("begun") == first["begun"]:
            check(time.time() < until, "it did not begin")
            time.sleep(0.05)
        again = complete(gateway)
        check(again["pushes"] == 1 and again["changed"] == 0, again)
        check(gateway.cli("reclassify", "-c", gateway.config, "--status", "--left").returncode == 2, "two at once")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([what_is_stored_follows_the_registry_and_what_had_left_is_listed, nothing_leaves_under_an_old_class,
          it_goes_on_where_it_was_killed, it_can_be_made_to_begin_again])

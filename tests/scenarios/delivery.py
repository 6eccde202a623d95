"""Deliveries: retries, order, dead letters, and a consent that is revoked while one waits."""
import hashlib
import json
import threading
import time

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main


def same_bytes_and_key_until_it_is_taken():
    gateway = Gateway().start()
    try:
        gateway.hie.answer = lambda n: 503 if n < 3 else 200
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.hie.wait(4, 30), "not tried again")
        tries = gateway.hie.received[:4]
        check(len({body for _, body, _ in tries}) == 1, "the bytes changed between tries")
        check(len({head["Idempotency-Key"] for head, _, _ in tries}) == 1, "the key changed between tries")
        check(tries[1][2] - tries[0][2] < 1.5, "first retry later than 1 s")
        time.sleep(1)
        check(len(gateway.hie.received) == 4, "delivered again after it was taken")
        disclosures, _ = gateway.export()
        to_hie = [r for r in disclosures if r["recipient"]["name"] == "county-hie"]
        check(len(to_hie) == 1, "a try added a record")
    finally:
        gateway.close()


def one_patients_deliveries_keep_their_order():
    gateway = Gateway().start()
    try:
        gateway.hie.answer = lambda n: 503 if n % 3 == 0 and n < 12 else 200
        for i in range(12):
            check(gateway.push(bundle(patient(), observation("o", value=str(i))))[0] == 200, "push")
        until = time.time() + 40
        taken = []
        while time.time() < until and len(taken) < 12:
            time.sleep(0.2)
            taken = []
            for n, (_, body, _) in enumerate(list(gateway.hie.received)):
                if not (n % 3 == 0 and n < 12):
                    taken.append(json.loads(body)["entry"][1]["resource"]["valueString"])
        check(taken == [str(i) for i in range(12)], taken)
    finally:
        gateway.close()


def what_cannot_get_better_is_a_dead_letter():
    gateway = Gateway(attempts=2).start()
    try:
        gateway.hie.answer = 422
        gateway.clinic.answer = 500
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.clinic.wait(2), "clinic")
        time.sleep(1.5)
        check(len(gateway.hie.received) == 1 and len(gateway.clinic.received) == 2, "tries")
        done = gateway.cli("queue", "ls", "-c", gateway.config, "--json")
        rows = json.loads(done.stdout)
        rows = rows if isinstance(rows, list) else rows.get("deliveries", rows.get("queue"))
        check(sorted(r["state"] for r in rows) == ["dead", "dead"], rows)
    finally:
        gateway.close()


def a_record_of_which_no_byte_left_is_taken_back():
    gateway = Gateway(attempts=2)
    gateway.hie.close()                              # nobody listens there
    gateway.start()
    try:
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.clinic.wait(1), "the other recipient has to wait")
        until, kinds = time.time() + 20, []
        while time.time() < until and "void" not in kinds:
            time.sleep(0.5)
            disclosures, _ = gateway.export()
            kinds = [r["kind"] for r in disclosures if r["recipient"]["name"] == "county-hie"]
        check(sorted(kinds) == ["disclosure", "void"], kinds)
        voids = [r for r in disclosures if r["kind"] == "void"][0]["voids"]
        check(voids in [r["eventId"] for r in disclosures if r["kind"] == "disclosure"], voids)
    finally:
        gateway.close()


def a_consent_revoked_while_a_delivery_waits_wins():
    gateway = Gateway().start()
    try:
        protected = condition(recorder={"reference": "Organization/riverside"})
        gateway.push(bundle(patient(), consent()), client="riverside-ehr")
        check(gateway.hie.wait(1), "the consent itself was not delivered")
        gateway.hie.answer = 503
        check(gateway.push(bundle(patient(), protected, observation()), client="riverside-ehr")[0] == 200, "push")
        until = time.time() + 10
        while time.time() < until and not any(b"F11.20" in body for body in gateway.hie.bodies()):
            time.sleep(0.1)
        check(any(b"F11.20" in body for body in gateway.hie.bodies()), "the consent did not permit it at first")
        gateway.push(bundle(consent(status="inactive")), client="riverside-ehr")
        revoked = time.time()
        gateway.hie.answer = 200
        time.sleep(8)
        late = [body for _, body, at in gateway.hie.received if at > revoked + 1.0]
        check(all(b"F11.20" not in body and b"Patient/p1" not in body for body in late),
              "protected data left after the revocation")
    finally:
        gateway.close()


def a_consent_revoked_while_a_delivery_waits_for_a_connection_wins():
    gateway = Gateway(extra="limits { loops = 1 }").start()
    try:
        protected = condition(recorder={"reference": "Organization/riverside"})
        gateway.push(bundle(patient(), consent()), client="riverside-ehr")
        check(gateway.hie.wait(1), "the consent itself was not delivered")
        revoked = threading.Event()
        gateway.hie.answer = lambda n: (revoked.wait(25), 200)[1]
        for i in range(64):              # as many as one recipient has connections on a loop
            gateway.push(bundle(patient(f"q{i}"), observation(f"o{i}", f"q{i}")))
        check(gateway.hie.wait(65), "the connections are not all taken")
        check(gateway.push(bundle(patient(), protected), client="riverside-ehr")[0] == 200, "push")
        gateway.push(bundle(consent(status="inactive")), client="riverside-ehr")
        check(not any(b"F11.20" in body for body in gateway.hie.bodies()), "a connection was free too early")
        gateway.hie.answer = 200
        revoked.set()
        # The clinic gets nothing of riverside, so every delivery is one of the hie's.
        until = time.time() + 20
        while time.time() < until and b"sluice_outbox_waiting 0\n" not in gateway.get_admin("/metrics")[1]:
            time.sleep(0.2)
        check(b"sluice_outbox_waiting 0\n" in gateway.get_admin("/metrics")[1], "something still waits")
        check(all(b"F11.20" not in body for body in gateway.hie.bodies()), "protected data left after the revocation")
        keys = [head["Idempotency-Key"] for head, _, _ in gateway.hie.received]
        check(len(keys) == len(set(keys)), "something was sent twice")
    finally:
        gateway.close()


def a_consent_that_came_with_what_waits_is_revoked_too():
    gateway = Gateway().start()
    try:
        protected = condition(recorder={"reference": "Organization/riverside"})
        gateway.hie.answer = 503
        gateway.push(bundle(patient(), consent(), protected), client="riverside-ehr")
        check(gateway.hie.wait(1) and b"F11.20" in gateway.hie.bodies()[0], "the consent did not permit it at first")
        gateway.push(bundle(consent(status="inactive")), client="riverside-ehr")
        revoked = time.time()
        gateway.hie.answer = 200
        time.sleep(4)
        late = [body for _, body, at in gateway.hie.received if at > revoked + 1.0]
        check(all(b"F11.20" not in body for body in late), "an old version of the consent permitted it")
    finally:
        gateway.close()


def a_patient_without_an_id_keeps_its_consent_while_a_delivery_waits():
    gateway = Gateway().start()
    try:
        name = "urn:uuid:2f6a0d4e-8f1b-4c55-9a37-6a0f3c1d7e10"
        sent = bundle(patient(), consent(), condition(recorder={"reference": "Organization/riverside"}))
        sent["entry"][0]["fullUrl"], sent["entry"][0]["request"] = name, {"method": "POST", "url": "Patient"}
        del sent["entry"][0]["resource"]["id"]
        sent["entry"][1]["resource"]["patient"] = sent["entry"][2]["resource"]["subject"] = {"reference": name}
        gateway.hie.answer = 503
        gateway.push(sent, client="riverside-ehr")
        check(gateway.hie.wait(1) and b"F11.20" in gateway.hie.bodies()[0], "the consent did not permit it at first")
        gateway.hie.answer = 200
        check(gateway.hie.wait(2), "not tried again")
        check(gateway.hie.bodies()[-1] == gateway.hie.bodies()[0], "what was permitted is another payload later")
    finally:
        gateway.close()


def a_recipient_that_hangs_holds_nobody_else_up():
    gateway = Gateway(extra="limits { max-queue = 20 }").start()
    let_go = threading.Event()

    def hang(number):
        let_go.wait(30)
        return 200

    gateway.hie.answer = hang
    try:
        for number in range(200):
            status = gateway.push(bundle(patient(f"h{number}"), observation(f"o{number}", f"h{number}")))[0]
            check(status == 200, (number, status))
        check(gateway.clinic.wait(200, 20), "the other recipient waits")
        let_go.set()
        check(gateway.hie.wait(200, 60), f"{len(gateway.hie.received)} of 200 in the end")
        keys = [headers["Idempotency-Key"] for headers, _, _ in gateway.hie.received]
        check(len(set(keys)) == len(keys) == 200, "each once")
    finally:
        let_go.set()
        gateway.close()


def a_start_sends_what_waits():
    gateway = Gateway().start()
    try:
        gateway.hie.answer = 503
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.hie.wait(1), "tried")
        gateway.kill()
        seen = len(gateway.hie.received)
        gateway.hie.answer = 200
        gateway.start()
        check(gateway.hie.wait(seen + 1, 10), "not sent after the start")
        keys = {head["Idempotency-Key"] for head, _, _ in gateway.hie.received}
        check(len(keys) == 1, "another key after the restart")
        disclosures, _ = gateway.export()
        standing = {r["payloadSha256"] for r in disclosures}
        check(all(hashlib.sha256(b).hexdigest() in standing for b in gateway.hie.bodies()), "unrecorded")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([same_bytes_and_key_until_it_is_taken, one_patients_deliveries_keep_their_order,
          what_cannot_get_better_is_a_dead_letter, a_record_of_which_no_byte_left_is_taken_back,
          a_consent_revoked_while_a_delivery_waits_wins,
          a_consent_revoked_while_a_delivery_waits_for_a_connection_wins,
          a_consent_that_came_with_what_waits_is_revoked_too,
          a_patient_without_an_id_keeps_its_consent_while_a_delivery_waits,
          a_recipient_that_hangs_holds_nobody_else_up, a_start_sends_what_waits])

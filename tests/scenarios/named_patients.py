"""Patients who are named by an identifier alone, without their Patient in the Bundle: who has it in the record is who is
meant, when one alone has it; when several have it, what refuses is heard for all (gateway/stages/named.c)."""
import json
import urllib.parse

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main

gateway = Gateway().start()
OF_NO_PROGRAM, PROGRAM = "valley-ehr", "riverside-ehr"
MRN = "https://valley.example.org/mrn"


def numbered(id, *values):
    return {**patient(id), "identifier": [{"system": MRN, "value": v} for v in values]}


def by(value, typed=True):
    named = {"identifier": {"system": MRN, "value": value}}
    return {"type": "Patient", **named} if typed else named


def of(resource, member, reference):
    return {**resource, member: reference}


def refusal(id, reference, date="2026-02-01"):
    c = of(consent(id, "nobody", date=date), "patient", reference)
    c["provision"] = {"type": "deny", "actor": c["provision"]["actor"]}
    return c


def permit(id, reference, date="2026-02-01"):
    c = of(consent(id, "nobody", date=date), "patient", reference)
    c["performer"] = [reference]
    return c


def push(*resources, client=OF_NO_PROGRAM):
    status, _, body = gateway.push(bundle(*resources), client=client)
    check(status == 200, (status, body))
    gateway.settled()
    return [e["response"].get("outcome", {}).get("issue", []) for e in json.loads(body)["entry"]]


def has(word, sink=None):
    return any(f'"id":"{word}"'.encode() in body.replace(b'": "', b'":"') for body in (sink or gateway.hie).bodies())


def goes(resource, expected, client=OF_NO_PROGRAM):
    push(resource, client=client)
    check(has(resource["id"]) == expected, (resource["id"], "leaves" if has(resource["id"]) else "stays"))


def waits(resource):
    done = gateway.cli("review", "ls", "-c", gateway.config, "--json", "--limit", "1000")
    check(done.returncode == 0, done.stderr)
    return [i["kind"] for i in json.loads(done.stdout)["items"] if i["resource"] == resource]


def a_refusal_reaches_the_patient_whom_the_record_has():
    push(numbered("a", "100"))
    goes(observation("a-before", "a"), True)
    push(refusal("a-no", by("100")))
    goes(observation("a-after", "a"), False)
    check(has("a-after", gateway.clinic), "the other recipient was not refused")
    check(not waits("Consent/a-no"), waits("Consent/a-no"))
    goes(observation("a-other", "a-other"), True)
    push(numbered("a2", "101"))
    push(refusal("a2-no", by("101", typed=False)), observation("a2-together", "a2"))
    check(not has("a2-together"), "a record of the same push, by reference")


def a_conditional_reference_says_the_same():
    push(numbered("q", "102"))
    push(refusal("q-no", {"reference": f"Patient?identifier={urllib.parse.quote(MRN, safe='')}|102"}))
    goes(observation("q-after", "q"), False)


def a_refusal_waits_for_the_patient_who_gets_the_identifier():
    push(refusal("b-no", by("200")))
    check(waits("Consent/b-no") == ["unresolvable-patient"], waits("Consent/b-no"))
    goes(observation("b-unknown", "b"), True)
    push(numbered("b", "200"), observation("b-with", "b"))
    check(not has("b-with"), "the push that brings the Patient")
    goes(observation("b-alone", "b"), False)


def a_permit_is_heard_for_the_one_who_has_it():
    push(numbered("c", "300"), client=PROGRAM)
    goes(condition("c-before", "c"), False, client=PROGRAM)
    push(permit("c-yes", by("300")), client=PROGRAM)
    goes(condition("c-after", "c"), True, client=PROGRAM)
    push(permit("c2-yes", by("301")), client=PROGRAM)
    push(numbered("c2", "301"), client=PROGRAM)
    goes(condition("c2-later", "c2"), True, client=PROGRAM)
    goes(condition("c3-other", "c3"), False, client=PROGRAM)


def where_several_have_it_what_refuses_is_heard_for_all_and_nothing_is_permitted():
    push(numbered("d1", "400"), numbered("d2", "400"), client=PROGRAM)
    push(permit("d-yes", by("400")), client=PROGRAM)
    goes(condition("d1-permit", "d1"), False, client=PROGRAM)
    goes(condition("d2-permit", "d2"), False, client=PROGRAM)
    goes(of(observation("d-named"), "subject", by("400")), True)
    push(refusal("d-no", by("400"), date="2026-03-01"))
    goes(observation("d1-no", "d1"), False)
    goes(observation("d2-no", "d2"), False)
    goes(of(observation("d-named-no"), "subject", by("400")), False)
    push(permit("e-yes", by("401")), client=PROGRAM)
    push(numbered("e1", "401"), client=PROGRAM)
    goes(condition("e1-one", "e1"), True, client=PROGRAM)
    push(numbered("e2", "401"), client=PROGRAM)
    goes(condition("e1-two", "e1"), False, client=PROGRAM)


def a_record_under_an_identifier_follows_the_patients_consents():
    push(numbered("f", "500"), refusal("f-no", {"reference": "Patient/f"}))
    goes(of(observation("f-named"), "subject", by("500")), False)
    goes(of(observation("f-untyped"), "subject", by("500", typed=False)), False)
    goes(of(observation("f-other"), "subject", by("501")), True)
    push(numbered("g", "502"), consent("g-yes", "g"), client=PROGRAM)
    goes(of(condition("g-named"), "subject", by("502")), True, client=PROGRAM)
    goes(of(condition("g-other"), "subject", by("503")), False, client=PROGRAM)
    push(refusal("h-no", by("504")))
    goes(of(observation("h-named"), "subject", by("504")), False)
    said = gateway.export()[0]
    check(any(r["patientId"] == "Patient/g" for r in said), "the record of the disclosure names the Patient")


def an_identifier_that_is_taken_away_is_no_name():
    push(numbered("i", "600", "601"))
    push(refusal("i-no", by("699")))
    push(numbered("i", "600", "699"))
    goes(observation("i-wrong", "i"), False)
    push(numbered("i", "600"))
    goes(observation("i-right", "i"), True)


def a_revocation_by_identifier_is_one():
    push(numbered("r", "700"), consent("r-yes", "r"), client=PROGRAM)
    goes(condition("r-before", "r"), True, client=PROGRAM)
    over = {**permit("r-yes", by("700"), date="2026-01-05"), "status": "inactive"}
    push(over, client=PROGRAM)
    goes(condition("r-after", "r"), False, client=PROGRAM)


def a_refusal_that_comes_later_closes_what_waits():
    push(numbered("w", "800"))
    gateway.hie.answer = 503
    check(gateway.push(bundle(observation("w-waits", "w")), client=OF_NO_PROGRAM)[0] == 200, "push")
    tried = len(gateway.hie.bodies())
    check(gateway.push(bundle(refusal("w-no", by("800"))), client=OF_NO_PROGRAM)[0] == 200, "push")
    gateway.hie.answer = 200
    gateway.settled()
    check(not any(b"w-waits" in body for body in gateway.hie.bodies()[tried + 1:]), "it left after the refusal")


def the_sender_is_told_the_same_whoever_is_known():
    push(numbered("s", "900"))
    known, unknown = (push(refusal(f"s-no-{v}", by(v))) for v in ("900", "901"))
    check(known == unknown and known[0][0]["severity"] == "warning", (known, unknown))
    check("901" not in json.dumps(unknown), "what was sent is said")


def it_is_so_after_a_kill():
    push(refusal("k-no", by("950")))
    push(numbered("k", "950"))
    push(refusal("k2-no", by("951")))
    gateway.kill()
    gateway.start()
    goes(observation("k-after", "k"), False)
    push(numbered("k2", "951"))
    goes(observation("k2-after", "k2"), False)
    done = gateway.cli("log", "verify", "-c", gateway.config)
    check(done.returncode == 0, done.stdout + done.stderr)


if __name__ == "__main__":
    main([a_refusal_reaches_the_patient_whom_the_record_has, a_conditional_reference_says_the_same,
          a_refusal_waits_for_the_patient_who_gets_the_identifier, a_permit_is_heard_for_the_one_who_has_it,
          where_several_have_it_what_refuses_is_heard_for_all_and_nothing_is_permitted,
          a_record_under_an_identifier_follows_the_patients_consents, an_identifier_that_is_taken_away_is_no_name,
          a_revocation_by_identifier_is_one, a_refusal_that_comes_later_closes_what_waits,
          the_sender_is_told_the_same_whoever_is_known, it_is_so_after_a_kill])

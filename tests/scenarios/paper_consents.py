"""Consents on paper: a scan without a Consent waits for a person and changes nothing; the form beside a Consent is
the one that was hashed, or the consent is deficient (consent/consent_form.h)."""
import base64
import hashlib
import json

from bundles import NPI, bundle, condition, consent, observation, patient
from harness import Gateway, check, main

gateway = Gateway().start()
SIGNED = b"I consent that county HIE has my record.  Ana Rivera"


def attachment(data=SIGNED, hashed=None):
    made = {"contentType": "text/plain", "data": base64.b64encode(data).decode()}
    if hashed is not None:
        made["hash"] = base64.b64encode(hashlib.sha1(hashed).digest()).decode()
    return made


def scan(id, who, status="current", hashed=None, code="59284-0", **more):
    return {"resourceType": "DocumentReference", "id": id, "status": status, "subject": {"reference": f"Patient/{who}"},
            "type": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "content": [{"attachment": attachment(hashed=hashed)}], **more}


def push(*resources, client="riverside-ehr"):
    status, _, body = gateway.push(bundle(*resources), client=client)
    check(status == 200, (status, body))
    gateway.settled()
    return [e["response"].get("outcome", {}).get("issue", []) for e in json.loads(body)["entry"]]


def goes(word, sink=None):
    return any(f'"id":"{word}"'.encode() in body.replace(b'": "', b'":"') for body in (sink or gateway.hie).bodies())


def waits(resource):
    done = gateway.cli("review", "ls", "-c", gateway.config, "--json", "--limit", "1000")
    check(done.returncode == 0, done.stderr)
    return [i for i in json.loads(done.stdout)["items"] if i["resource"] == resource]


def a_consent_that_came_as_a_scan_permits_nothing_waits_and_is_told():
    said = push(patient("s1"), scan("form-s1", "s1"), condition("oud-s1", "s1"), observation("a1c-s1", "s1"))
    check([i["severity"] for i in said[1]] == ["warning"] and "Consent that a machine can read" in json.dumps(said[1]), said)
    check("Ana Rivera" not in json.dumps(said) and said[1][0]["expression"] == ["Bundle.entry[1].resource"], said)
    check(not said[0] and not said[2], said)
    check(not goes("oud-s1") and not goes("a1c-s1"), "a scan let something go")
    item = waits("DocumentReference/form-s1")
    check([i["kind"] for i in item] == ["unread-consent"], item)
    push(patient("s1"), scan("form-s1", "s1"), condition("oud-s1", "s1"))
    check(len(waits("DocumentReference/form-s1")) == 1, "the same push makes no second item")
    status, _, body = gateway.request("PUT", "/fhir/DocumentReference/form-s1b", scan("form-s1b", "s1"), client="riverside-ehr")
    check(status in (200, 201), (status, body))
    check([i["kind"] for i in waits("DocumentReference/form-s1b")] == ["unread-consent"], "sent alone")


def it_takes_nothing_away_either():
    push(patient("s2"), consent("c-s2", "s2"))
    push(scan("form-s2", "s2"), condition("oud-s2", "s2"))
    check(goes("oud-s2"), "a scan that nobody read refused what a consent permits")
    said = push(patient("s3"), scan("form-s3", "s3"), observation("a1c-s3", "s3"), client="valley-ehr")
    check(goes("a1c-s3") and said[1], "what needs no consent stays")


def a_form_whose_consent_is_there_waits_for_nobody():
    said = push(patient("s4"), scan("form-s4", "s4"), condition("oud-s4", "s4"),
                {**consent("c-s4", "s4"), "sourceReference": {"reference": "DocumentReference/form-s4"}})
    check(not any(said) and goes("oud-s4") and not waits("DocumentReference/form-s4"), said)
    said = push(scan("form-s4", "s4"), condition("oud-s4b", "s4"))
    check(not any(said) and not waits("DocumentReference/form-s4"), ("its Consent came earlier", said))
    for status in ("superseded", "entered-in-error"):
        check(not any(push(patient("s5"), scan(f"form-{status}", "s5", status))), status)
    check(not any(push(patient("s5"), scan("form-s5", "s5", code="18842-5"))), "a discharge summary")


def the_form_is_the_one_that_was_hashed():
    fine = {**consent("c-h1", "h1"), "sourceAttachment": attachment(hashed=SIGNED)}
    said = push(patient("h1"), fine, condition("oud-h1", "h1"))
    check(not any(said) and goes("oud-h1"), said)
    forged = {**consent("c-h2", "h2"), "sourceAttachment": attachment(hashed=b"another form")}
    said = push(patient("h2"), forged, condition("oud-h2", "h2"))
    check([i["severity"] for i in said[1]] == ["warning"] and "not what its hash says" in json.dumps(said[1]), said)
    check(not goes("oud-h2"), "a form that is not what was signed let a record go")
    check([i["kind"] for i in waits("Consent/c-h2")] == ["deficient-consent"], waits("Consent/c-h2"))
    said = push(patient("h3"), scan("form-h3", "h3", hashed=b"another form"), condition("oud-h3", "h3"),
                {**consent("c-h3", "h3"), "sourceReference": {"reference": "DocumentReference/form-h3"}})
    check("sourceReference names is not what its hash says" in json.dumps(said[3]) and not goes("oud-h3"), said)
    refusal = {**consent("c-h4", "h4"), "sourceAttachment": attachment(hashed=b"another form")}
    refusal["provision"]["type"] = "deny"
    push(patient("h4"), refusal, observation("a1c-h4", "h4"), client="valley-ehr")
    check(not goes("a1c-h4"), "a refusal with a wrong hash still refuses")


def to(who, id, **reference):
    made = consent(id, who)
    made["provision"]["actor"][0]["reference"] = reference
    return made


def who_is_named_by_identifier_alone_is_who_has_it():
    """Both ways: a permit for the recipient's own number, a refusal of another's; a name is never enough."""
    hie, other = "1000000002", "1000000003"
    oid = "urn:oid:2.16.840.1.113883.4.6"
    for n, (reference, permits) in enumerate((
            ({"identifier": {"system": NPI, "value": hie}}, True),
            ({"identifier": {"system": oid, "value": hie}}, True),
            ({"identifier": {"system": NPI, "value": hie}, "display": "Lakeside Clinic"}, True),
            ({"identifier": {"system": oid, "value": other}}, False),
            ({"identifier": {"system": "https://example.org/members", "value": hie}}, False),
            ({"display": "County HIE"}, False))):
        push(patient(f"i{n}"), to(f"i{n}", f"c-i{n}", **reference), condition(f"oud-i{n}", f"i{n}"))
        check(goes(f"oud-i{n}") == permits, (reference, permits))
    for n, (reference, refuses) in enumerate((
            ({"identifier": {"system": NPI, "value": hie}}, True),
            ({"identifier": {"system": oid, "value": hie}}, True),
            ({"identifier": {"system": oid, "value": other}}, False),
            ({"identifier": {"system": "https://example.org/members", "value": hie}}, True),
            ({"display": "Lakeside Clinic"}, True))):
        refusal = to(f"n{n}", f"c-n{n}", **reference)
        refusal["provision"]["type"] = "deny"
        push(patient(f"n{n}"), refusal, observation(f"a1c-n{n}", f"n{n}"), client="valley-ehr")
        check(goes(f"a1c-n{n}") != refuses, (reference, refuses))


def a_patient_who_is_named_by_identifier_alone_is_the_one_who_has_it_in_the_bundle():
    mrn = {"system": "https://valley.example.org/mrn", "value": "77012"}
    refusal = consent("c-m1", "m1")
    refusal["patient"] = {"identifier": mrn}
    refusal["provision"]["type"] = "deny"
    said = push({**patient("m1"), "identifier": [mrn]}, refusal, observation("a1c-m1", "m1"), client="valley-ehr")
    check(not any(said) and not goes("a1c-m1"), said)
    alone = {**refusal, "id": "c-m2", "patient": {"identifier": {**mrn, "value": "77013"}}}
    said = push(patient("m2"), alone, client="valley-ehr")
    check(any("by an identifier alone" in json.dumps(s) for s in said), said)
    check("77013" not in json.dumps(said), "what was sent is said")
    check([i["kind"] for i in waits("Consent/c-m2")] == ["unresolvable-patient"], waits("Consent/c-m2"))


if __name__ == "__main__":
    main([a_consent_that_came_as_a_scan_permits_nothing_waits_and_is_told, it_takes_nothing_away_either,
          a_form_whose_consent_is_there_waits_for_nobody, the_form_is_the_one_that_was_hashed,
          who_is_named_by_identifier_alone_is_who_has_it,
          a_patient_who_is_named_by_identifier_alone_is_the_one_who_has_it_in_the_bundle])

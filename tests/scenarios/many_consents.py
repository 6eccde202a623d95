"""Many Consents of one patient: what comes after them is taken and decided, however they came."""
from bundles import NPI, bundle, condition, consent, observation, patient
from harness import Gateway, check, main

gateway = Gateway().start()
PROGRAM, MANY = "riverside-ehr", 700
PARTY = "5c0f6f5e-6d3e-4b0f-9d62-0b8c7d3e1a55"


def push(*resources):
    answer = gateway.push(bundle(*resources), client=PROGRAM)
    check(answer[0] == 200, answer)
    gateway.settled()


def has(word):
    return any(f'"{word}"'.encode() in body for body in gateway.hie.bodies())


def goes(word, who, expected):
    push(condition(word, who))
    check(has(word) == expected, (word, "leaves" if has(word) else "stays"))


def consents(who, count=MANY, **more):
    return [consent(f"{who}-{n}", who, **more) for n in range(count)]


def refusal(c):
    return {**c, "provision": {"type": "deny", "actor": c["provision"]["actor"]}}


def long_words(c, size):
    return {**c, "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{"a" * size}</div>'}}


def neighbour(who):
    """An organization that only the Bundle tells of, by the entry's fullUrl."""
    return {"fullUrl": f"urn:uuid:{PARTY}", "request": {"method": "POST", "url": "Organization"},
            "resource": {"resourceType": "Organization", "name": who, "identifier": [{"system": NPI, "value": "1000000002"}]}}


def naming(c, reference):
    c["provision"]["actor"][0]["reference"] = {"reference": reference}
    return c


def a_bundle_of_consents_is_revoked_by_the_next():
    push(patient("a"), *consents("a"))
    goes("a-permitted", "a", True)
    push(patient("a"), *consents("a", status="inactive"))
    goes("a-revoked", "a", False)


def refusals_whose_place_was_taken_are_still_heard():
    push(patient("b"), *map(refusal, consents("b")))
    push(patient("b"), *consents("b"))     # of the same day: no new signature, a slip
    goes("b-refused", "b", False)
    goes("b-again", "b", False)


def whom_a_large_bundle_names_is_known_later():
    who = "c"
    sent = bundle(patient(who), *[long_words(naming(c, f"urn:uuid:{PARTY}"), 4000) for c in consents(who, 300)])
    sent["entry"].append(neighbour(who))
    answer = gateway.push(sent, client=PROGRAM)
    check(answer[0] == 200, answer)
    gateway.settled()
    goes("c-permitted", who, True)


def whom_each_of_many_bundles_names_is_known_later():
    who = "d"
    for n in range(40):
        sent = bundle(patient(who), naming(consent(f"d-{n}", who), f"urn:uuid:{PARTY}"))
        sent["entry"].append(neighbour(who))
        check(gateway.push(sent, client=PROGRAM)[0] == 200, n)
    gateway.settled()
    goes("d-permitted", who, True)


def contained_consents_are_many_as_well():
    push(patient("e"), {"resourceType": "List", "id": "e-list", "status": "current", "mode": "working", "subject": {"reference": "Patient/e"},
                        "contained": consents("e"), "entry": [{"item": {"reference": f"#e-{n}"}} for n in range(MANY)]})
    push(observation("e-after", "e"))


def a_linked_patient_has_them_too():
    push({**patient("b2"), "link": [{"other": {"reference": "Patient/b"}, "type": "seealso"}]}, *consents("b2", 1))
    goes("b2-refused", "b2", False)


def what_a_refusals_own_bundle_says_is_part_of_whom_it_names_is_reached():
    """County HIE, by its number, is part of the health system that is refused; the clinic is not."""
    def organization(id, **more):
        return {"resourceType": "Organization", "id": id, "name": id, **more}
    system = organization("f-system", identifier=[{"system": NPI, "value": "1000000017"}])
    part = organization("f-part", identifier=[{"system": NPI, "value": "1000000002"}], partOf={"reference": "Organization/f-system"})
    push(patient("f"), system, part, refusal(naming(consent("f-no", "f"), "Organization/f-system")))
    answer = gateway.push(bundle(observation("f-refused", "f")), client="valley-ehr")
    gateway.settled()
    check(answer[0] == 200 and not has("f-refused"), "it is part of whom the patient refused")
    check(any(b'"f-refused"' in body for body in gateway.clinic.bodies()), "the clinic is part of nobody")


if __name__ == "__main__":
    main([a_bundle_of_consents_is_revoked_by_the_next, refusals_whose_place_was_taken_are_still_heard,
          whom_a_large_bundle_names_is_known_later, whom_each_of_many_bundles_names_is_known_later,
          contained_consents_are_many_as_well, a_linked_patient_has_them_too,
          what_a_refusals_own_bundle_says_is_part_of_whom_it_names_is_reached])

"""What the sender is answered, and what of it goes on."""
import gzip
import hashlib
import json
import os
import uuid

from bundles import NPI, bundle, condition, consent, observation, patient
from harness import Gateway, check, main

gateway = Gateway().start()


def body_of(resource):
    return json.dumps(resource).encode()


def outcome_of(answer):
    check(answer[2], f"an error without a body: {answer[0]}")
    outcome = json.loads(answer[2])
    check(outcome["resourceType"] == "OperationOutcome", outcome)
    check(outcome["issue"][0]["severity"] in ("error", "fatal"), outcome)
    check(all(issue.get("expression") for issue in outcome["issue"]), outcome)
    check(answer[1].get("X-Request-Id"), answer[1])
    return outcome


def a_transaction_is_answered_entry_by_entry_and_delivered_as_sent():
    sent = body_of(bundle(patient(), observation()))
    status, headers, body = gateway.push(sent)
    answer = json.loads(body)
    check(status == 200 and answer["type"] == "transaction-response", (status, body))
    check([e["response"]["status"][:3] for e in answer["entry"]] == ["201", "201"], answer)
    check(answer["entry"][1]["response"]["location"] == "Observation/a1c/_history/1", answer)
    check(headers.get("X-Request-Id"), headers)
    check(gateway.hie.wait(1) and gateway.clinic.wait(1), "not delivered")
    check(gateway.hie.bodies()[0] == sent, "the permitted Bundle was changed on its way")
    head = gateway.hie.received[0][0]
    check(head["Content-Type"] == "application/fhir+json" and head["Idempotency-Key"] and head["X-Request-Id"], head)


def a_second_version_is_200_and_says_so():
    before = gateway.settled()
    status, _, body = gateway.push(bundle(patient(), observation(value="6.20")))
    answer = json.loads(body)
    check(gateway.hie.wait(before + 1), "not delivered")
    check(status == 200 and answer["entry"][1]["response"]["status"].startswith("200"), answer)
    check(answer["entry"][1]["response"]["etag"] == 'W/"2"', answer)


def part_2_data_stays_without_consent_and_the_rest_goes_byte_for_byte():
    before = gateway.settled()
    protected = condition(recorder={"reference": "Organization/riverside"})
    status, _, _ = gateway.push(bundle(patient("p2"), observation("a1c2", "p2"), protected | {
        "subject": {"reference": "Patient/p2"}}))
    check(status == 200, status)
    check(gateway.hie.wait(before + 1), "not delivered")
    got = gateway.hie.bodies()[-1]
    want = body_of(bundle(patient("p2"), observation("a1c2", "p2")))
    check(got == want, f"want {want}\nhave {got}")


def part_2_data_goes_to_the_one_whom_the_consent_names():
    hie, clinic = gateway.settled(), len(gateway.clinic.bodies())
    protected = condition("oud3", "p3", recorder={"reference": "Organization/riverside"})
    gateway.push(bundle(patient("p3"), consent("c3", "p3")), client="riverside-ehr")
    status, _, _ = gateway.push(bundle(patient("p3"), protected), client="riverside-ehr")
    check(status == 200, status)
    check(gateway.hie.wait(hie + 2), "not all came to the recipient that the consent names")
    texts = b"\n".join(gateway.hie.bodies()[hie:])
    check(b"Opioid dependence" in texts, texts)
    check(b"42 CFR part 2 prohibits" in texts or b"protected by Federal confidentiality rules" in texts,
          "no 2.32 notice")
    check(all(b"p3" not in body for body in gateway.clinic.bodies()[clinic:]), "the tie to the program leaked")


def a_consent_that_this_very_bundle_revokes_permits_nothing():
    protected = condition("oud5", "p5", recorder={"reference": "Organization/riverside"})
    before = gateway.settled()
    gateway.push(bundle(patient("p5"), consent("c5", "p5")), client="riverside-ehr")
    check(gateway.hie.wait(before + 1), "the consent was not delivered")
    status, _, _ = gateway.push(bundle(patient("p5"), consent("c5", "p5", status="inactive"), protected),
                                client="riverside-ehr")
    check(status == 200, status)
    gateway.settled()
    check(all(b"oud5" not in body for body in gateway.hie.bodies()[before:]), "the stored version permitted it")


def a_consent_counts_and_is_revoked_from_the_very_next_push_on():
    def tells(number, client="riverside-ehr"):
        protected = condition(f"oud7-{number}", "p7", recorder={"reference": "Organization/riverside"})
        status, _, _ = gateway.push(bundle(patient("p7"), protected), client=client)
        check(status == 200, status)
        gateway.settled()
        return any(b"oud7-%d" % number in body for body in gateway.hie.bodies())

    check(not tells(0, "valley-ehr"), "it left without a consent")
    for number in range(1, 4):
        gateway.push(bundle(patient("p7"), consent("c7", "p7")), client="riverside-ehr")
        check(tells(2 * number), "the consent did not count for the very next push")
        gateway.push(bundle(consent("c7", "p7", status="inactive")), client="riverside-ehr")
        check(not tells(2 * number + 1), "the revocation did not count for the very next push")


def whom_a_consent_names_by_its_bundle_is_known_at_the_next_push():
    hie = {"resourceType": "Organization", "name": "Example Exchange", "identifier": [{"system": NPI, "value": "1000000002"}]}
    for number, name in enumerate(("urn:uuid:0b0b6d43-4f4e-4c0b-8a0e-000000000001", "Organization/exchange")):
        who = f"p8{number}"
        given = consent(f"c8{number}", who)
        given["provision"]["actor"][0]["reference"] = {"reference": name}
        sent = bundle(patient(who), given)
        url = name if number == 0 else f"https://ehr.example.org/fhir/{name}"
        resource = hie if number == 0 else dict(hie, id="exchange")
        request = {"method": "POST", "url": "Organization"} if number == 0 else {"method": "PUT", "url": name}
        sent["entry"].append({"fullUrl": url, "resource": resource, "request": request})
        check(gateway.push(sent, client="riverside-ehr")[0] == 200, "the consent")
        protected = condition(f"oud8{number}", who, recorder={"reference": "Organization/riverside"})
        check(gateway.push(bundle(patient(who), protected), client="riverside-ehr")[0] == 200, "the record")
        gateway.settled()
        check(any(f"oud8{number}".encode() in body for body in gateway.hie.bodies()),
              f"{name} is known from the consent's Bundle")
        check(all(f"oud8{number}".encode() not in body for body in gateway.clinic.bodies()), "nobody else does")


def what_json_allows_two_readings_of_is_refused_with_the_place():
    for body in (b'{"resourceType":"Bundle","type":"batch","type":"transaction"}', b'\xef\xbb\xbf{}', b'{"a":1} x',
                 b'{"resourceType":"Bundle",'):
        answer = gateway.push(body)
        check(answer[0] == 400, answer)
        check("location" in outcome_of(answer)["issue"][0] or "expression" in outcome_of(answer)["issue"][0],
              answer)


def what_is_not_valid_is_422_with_the_expression_and_is_not_kept():
    before = gateway.settled()
    bad = observation("bad1")
    del bad["status"]
    answer = gateway.push(bundle(patient(), bad))
    outcome = outcome_of(answer)
    check(answer[0] == 422, answer)
    check(any("Bundle.entry[1].resource" in e for i in outcome["issue"] for e in i.get("expression", [])), outcome)
    again = gateway.push(bundle(observation("bad1")))
    check(json.loads(again[2])["entry"][0]["response"]["etag"] == 'W/"1"', "a refused resource was kept")
    check(gateway.settled() == before + 1, "a refused Bundle went on")


def a_batch_is_judged_entry_by_entry():
    bad = observation("batch-bad")
    bad["status"] = 17
    before = gateway.settled()
    status, _, body = gateway.push(bundle(observation("batch-1"), bad, observation("batch-2"), type="batch"))
    answer = json.loads(body)
    check(status == 200 and answer["type"] == "batch-response", (status, body))
    check([e["response"]["status"][:3] for e in answer["entry"]] == ["201", "422", "201"], answer)
    check(gateway.hie.wait(before + 1), "not delivered")
    check(gateway.hie.bodies()[-1] == body_of(bundle(observation("batch-1"), observation("batch-2"), type="batch")),
          gateway.hie.bodies()[-1])


def request_only(method, url, **more):
    return {"request": {"method": method, "url": url, **more}}


def statuses(answer):
    check(answer[0] == 200, answer)
    return [e["response"]["status"][:3] for e in json.loads(answer[2])["entry"]]


def what_of_a_batch_cannot_be_honoured_is_answered_entry_by_entry():
    gateway.push(bundle(observation("be1"), observation("be2")))
    before = gateway.settled()
    sent = bundle(observation("be3"), observation("be1"), observation("be2"), observation("be4"), type="batch")
    sent["entry"][1]["request"]["ifMatch"] = 'W/"7"'
    sent["entry"][2]["request"]["ifMatch"] = 'W/"9", W/"1"'
    sent["entry"][3]["request"]["url"] = "Observation/other"
    sent["entry"] += [request_only("GET", "Patient/p1"), request_only("PATCH", "Patient/p1"),
                      request_only("DELETE", "Observation/be-none"), request_only("DELETE", "Observation?code=1"),
                      {"request": {"method": "PUT", "url": "Patient?identifier=a|b"}, "resource": patient("be5")}]
    answer = gateway.push(sent)
    check(statuses(answer) == ["201", "412", "200", "422", "501", "501", "204", "501", "501"], answer)
    entries = json.loads(answer[2])["entry"]
    for i in (1, 3, 4, 5, 7, 8):
        issue = entries[i]["response"]["outcome"]["issue"][0]
        check(issue["expression"][0].startswith(f"Bundle.entry[{i}].request"), issue)
        check("location" not in entries[i]["response"], entries[i])
    check(gateway.hie.wait(before + 1), "not delivered")
    check(gateway.hie.bodies()[-1] == body_of({**sent, "entry": [sent["entry"][0], sent["entry"][2]]}),
          gateway.hie.bodies()[-1])


def a_batch_of_which_nothing_is_taken_is_answered_and_leaves_nothing():
    before = gateway.settled()
    refused = bundle(observation("be1"), type="batch")
    refused["entry"][0]["request"]["ifMatch"] = 'W/"77"'
    key = {"Idempotency-Key": str(uuid.uuid4())}
    check(statuses(gateway.push(refused, headers=key)) == ["412"], "ifMatch")
    check(statuses(gateway.push({**refused, "entry": [request_only("GET", "Patient/p1")]})) == ["501"], "GET")
    check(statuses(gateway.push(bundle(observation("be9"), type="batch"), client="reader")) == ["403"], "scope")
    check(gateway.settled() == before, "something went on")


def deletions_come_first_in_a_transaction_and_are_not_passed_on():
    gateway.push(bundle(observation("td1"), observation("td2")))
    before = gateway.settled()
    sent = bundle(observation("td3"))
    sent["entry"] = [sent["entry"][0], request_only("DELETE", "Observation/td1", ifMatch='W/"1"')]
    check(statuses(gateway.push(sent)) == ["201", "204"], "delete")
    check(gateway.hie.wait(before + 1), "not delivered")
    check(gateway.hie.bodies()[-1] == body_of(bundle(observation("td3"))), gateway.hie.bodies()[-1])
    check(statuses(gateway.push(bundle(observation("td1"), method="POST"))) == ["201"], "it was not gone")
    denials = len(gateway.export()[1])
    check(statuses(gateway.push({**sent, "entry": [request_only("DELETE", "Observation/td2")]})) == ["204"], "alone")
    check(len(gateway.export()[1]) == denials, "a deletion is recorded as a denial")


def a_transaction_is_refused_whole_and_names_the_entry():
    for entry, status, place in (
            (request_only("GET", "Patient/p1"), 501, "method"),
            (request_only("DELETE", "Observation/td3", ifMatch='W/"9"'), 412, "ifMatch"),
            (request_only("DELETE", "Observation/td3", ifMatch='nine'), 400, "ifMatch"),
            (request_only("DELETE", "Observation/tr1"), 422, "url"),
            (request_only("DELETE", "Observation"), 422, "url"),
            (request_only("POST", "Observation"), 422, "url"),
            ({"request": {"method": "PUT", "url": "Patient/px", "ifNoneMatch": "*"}, "resource": patient("px")},
             412, "ifNoneMatch")):
        gateway.push(bundle(patient("px")))
        answer = gateway.push({**bundle(), "entry": bundle(observation("tr1"))["entry"] + [entry]})
        check(answer[0] == status, (entry, answer))
        check(outcome_of(answer)["issue"][0]["expression"] == [f"Bundle.entry[{0 if entry['request']['url'] == 'Observation/tr1' else 1}].request.{place}"],
              (entry, answer))
    check(gateway.push(bundle(observation("tr1")))[2].count(b'201') >= 1, "a refused transaction left something")


def a_consent_that_is_nobodys_is_not_taken_in_silence():
    """Its denial would be lost: it is tied to no patient."""
    for whose in ({"display": "Ann Example"}, None):
        lost = consent("nobodys")
        lost["patient"] = whose
        if whose is None:
            del lost["patient"]
        issue = outcome_of(gateway.push(bundle(patient("px"), lost)))["issue"][0]
        check(issue["diagnostics"] == "rule consent-patient", issue)
        check(issue["expression"][0].startswith("Bundle.entry[1].resource"), issue)
        check(gateway.push(bundle(patient("px"), {**lost, "status": "draft"}))[0] == 200, "a draft decides nothing")


MRN = "http://ehr.example.org/mrn"


def identified(resource, value):
    return {**resource, "identifier": [{"system": "http://other.example.org", "value": "x"},
                                       {"system": MRN, "value": value}]}


def a_resource_is_created_unless_it_exists():
    create = lambda id, condition, **kw: gateway.request(
        "POST", "/fhir/Observation", identified(observation(id), "m 1"), headers={"If-None-Exist": condition}, **kw)
    mrn = f"identifier={MRN}|m%201"
    before = gateway.settled()
    check(create("ce1", mrn)[0] == 201, "none is there")
    check(gateway.hie.wait(before + 1), "not delivered")
    check(json.loads(gateway.hie.bodies()[-1])["entry"][0]["request"]["ifNoneExist"] == mrn, gateway.hie.bodies()[-1])
    status, headers, body = create("ce2", mrn)
    check((status, headers["Location"], headers["ETag"], body) == (200, "Observation/ce1/_history/1", 'W/"1"', b""),
          (status, headers, body))
    check(create("ce3", "_id=ce1")[0] == 200 and create("ce3", "_id=ce-none")[0] == 201, "_id")
    check(create("ce4", mrn)[0] == 412, "two are there")
    check(create("ce5", mrn, client="unknown-ehr")[0] == 201, "what another client sent was found")
    gateway.request("DELETE", "/fhir/Observation/ce3")
    check(create("ce4", mrn)[1]["Location"] == "Observation/ce1/_history/1", "what is deleted was found")
    gateway.push(bundle(identified(observation("ce1"), "m2")))
    check(create("ce6", mrn)[0] == 201, "a past version was found")
    for condition in ("code=4548-4", "identifier=m1", f"{mrn}&_id=x", f"{mrn},{MRN}|b", "identifier=%zz|a"):
        answer = create("never", condition)
        check(answer[0] == 501 and outcome_of(answer)["issue"][0]["expression"] == ["http.If-None-Exist"], answer)
    check(gateway.push(bundle(observation("never")), headers={"If-None-Exist": mrn})[0] == 501, "of a Bundle")


def an_entry_is_created_unless_it_exists_and_what_hangs_on_it_is_the_same_patients():
    def push(n, type="transaction", **more):
        name = f"urn:uuid:00000000-0000-4000-8000-00000000000{n}"
        sent = bundle(identified(patient("x"), "m-ce"), observation(f"cp{n}"), *more.get("also", ()),
                      type=type, method="POST")
        del sent["entry"][0]["resource"]["id"]
        sent["entry"][0]["fullUrl"] = name
        sent["entry"][0]["request"]["ifNoneExist"] = f"identifier={MRN}|m-ce"
        for e in sent["entry"][1:]:
            e["resource"]["patient" if e["resource"]["resourceType"] == "Consent" else "subject"] = {"reference": name}
        return sent, gateway.push(sent, client="riverside-ehr")
    # The consent is on file for the patient as the first Bundle called it.
    check(statuses(push(1, also=[consent("cpc")])[1]) == ["201", "201", "201"], "first")
    before = gateway.settled()
    sent, answer = push(2)
    check(statuses(answer) == ["200", "201"], answer)
    check(json.loads(answer[2])["entry"][0]["response"]["location"] ==
          "Patient/00000000-0000-4000-8000-000000000001/_history/1", answer)
    check(gateway.hie.wait(before + 1) and b"cp2" in gateway.hie.bodies()[-1], "its consent was not found")
    check(gateway.export()[0][-1]["patientId"] == "Patient/00000000-0000-4000-8000-000000000001",
          "the record names another patient")
    gateway.hie.answer = 503
    before = gateway.settled()
    push(3)
    check(gateway.hie.wait(before + 1), "not tried")
    gateway.hie.answer = 200
    check(gateway.hie.wait(before + 2) and gateway.hie.bodies()[-1] == gateway.hie.bodies()[before],
          "decided otherwise the second time")
    check(statuses(push(4, type="batch")[1]) == ["200", "201"], "batch")


def a_batch_of_many_bad_entries_is_refused_for_what_it_costs():
    """The work of both is printed; that it does not grow with the square is asserted with SLUICE_LONG=1 only."""
    def cost(count):
        before = gateway.worked()
        for _ in range(8):
            answer = gateway.push({"resourceType": "Bundle", "type": "batch", "entry": [{} for _ in range(count)]})
            check(answer[0] == 422 and json.loads(answer[2])["resourceType"] == "OperationOutcome", answer[0])
        return gateway.worked() - before
    some, many = cost(5000), cost(20000)
    print(f"      20,000 bad entries: {many / some:.1f} times the work of 5,000", flush=True)
    check(many < 10 * some or os.environ.get("SLUICE_LONG") != "1", (some, many))


def a_single_resource_is_created_updated_and_delivered_in_a_Bundle():
    before = gateway.settled()
    status, headers, _ = gateway.request("POST", "/fhir/Observation", observation("single"))
    check(status == 201 and headers["Location"] == "Observation/single/_history/1", (status, headers))
    status, headers, _ = gateway.request("PUT", "/fhir/Observation/single", observation("single", value="7"),
                                         headers={"If-Match": 'W/"1"'})
    check(status == 200 and headers["ETag"] == 'W/"2"', (status, headers))
    status, _, _ = gateway.request("PUT", "/fhir/Observation/single", observation("single"),
                                   headers={"If-Match": 'W/"1"'})
    check(status == 412, status)
    check(gateway.hie.wait(before + 2), "not delivered")
    check(body_of(observation("single")) in gateway.hie.bodies()[before], "not the exact bytes")
    check(json.loads(gateway.hie.bodies()[before])["resourceType"] == "Bundle", "not a Bundle")
    answer = gateway.request("PUT", "/fhir/Observation/other", observation("single"))
    check(answer[0] == 400, answer)
    status, _, _ = gateway.request("DELETE", "/fhir/Observation/single")
    check(status == 204, status)


def what_the_sender_prefers_comes_back():
    def put(prefer, **kw):
        return gateway.request("PUT", "/fhir/Observation/pref", observation("pref"), headers={"Prefer": prefer, **kw})
    check(put("return=minimal")[2] == b"", "minimal")
    status, headers, body = put("return=representation")
    check(body == body_of(observation("pref")) and headers["Preference-Applied"] == "return=representation", body)
    check(json.loads(put("return=OperationOutcome")[2])["resourceType"] == "OperationOutcome", "OperationOutcome")
    first = put("return=minimal", **{"Idempotency-Key": "pref-1"})
    again = put("return=minimal", **{"Idempotency-Key": "pref-1"})
    check(again[2] == b"" and again[0] == first[0] and again[1]["ETag"] == first[1]["ETag"], again)


def who_prefers_not_to_wait_finds_the_answer_later():
    before = gateway.settled()
    sent = bundle(observation("async"))
    status, headers, body = gateway.push(sent, headers={"Prefer": "respond-async", "Idempotency-Key": "async-1"})
    place = headers["Content-Location"]
    check(status == 202 and body == b"" and place == f"https://127.0.0.1:{gateway.port}/fhir/$async/async-1", headers)
    check(gateway.push(sent, headers={"Prefer": "respond-async", "Idempotency-Key": "async-1"})[0] == 202, "again")
    check(gateway.hie.wait(before + 1), "not delivered")
    status, _, body = gateway.request("GET", "/fhir/$async/async-1")
    check(status == 200 and json.loads(body)["type"] == "transaction-response", (status, body))
    check(gateway.request("GET", "/fhir/$async/async-1", client="unknown-ehr")[0] == 404, "of another client")
    check(gateway.request("GET", "/fhir/$async/none")[0] == 404 and gateway.request("POST", "/fhir/$async/x", {})[0] == 405,
          "none")
    place = gateway.push(sent, headers={"Prefer": "respond-async"})[1]["Content-Location"]
    check(gateway.request("GET", "/fhir/$async/" + place.rsplit("/", 1)[1])[0] == 200, place)
    check(gateway.push(b"{", headers={"Prefer": "respond-async"})[0] == 400, "what is refused is refused at once")


def documents_collections_and_messages_are_taken():
    before = gateway.settled()
    collection = bundle(patient(), observation("in-collection"), type="collection")
    status, headers, _ = gateway.request("POST", "/fhir/Bundle", collection)
    check(status == 201 and headers["Location"].startswith("Bundle/"), (status, headers))
    message = {"resourceType": "Bundle", "type": "message", "entry": [
        {"fullUrl": "urn:uuid:9d2d8ae6-56a4-4f26-8c72-5c5e2e9a8e01", "resource": {
            "resourceType": "MessageHeader", "id": "9d2d8ae6-56a4-4f26-8c72-5c5e2e9a8e01",
            "eventUri": "http://example.org/event", "source": {"endpoint": "http://ehr.example.org"},
            "focus": [{"reference": "https://ehr.example.org/fhir/Observation/in-message"}]}},
        {"fullUrl": "https://ehr.example.org/fhir/Observation/in-message", "resource": observation("in-message")}]}
    status, _, body = gateway.request("POST", "/fhir/$process-message", message)
    answer = json.loads(body)
    check(status == 200 and answer["type"] == "message", (status, body))
    response = answer["entry"][0]["resource"]["response"]
    check(response == {"identifier": "9d2d8ae6-56a4-4f26-8c72-5c5e2e9a8e01", "code": "ok"}, response)
    check(gateway.hie.wait(before + 2), "not delivered")
    check(gateway.hie.bodies()[before] == body_of(collection), "the collection was changed")


def the_first_answer_is_repeated_under_its_key():
    key, before = str(uuid.uuid4()), gateway.settled()
    sent = bundle(observation("once"), method="POST")
    first = gateway.push(sent, headers={"Idempotency-Key": key})
    second = gateway.push(sent, headers={"Idempotency-Key": key})
    check(first[0] == second[0] == 200 and first[2] == second[2], (first, second))
    other = gateway.push(bundle(observation("twice"), method="POST"), headers={"Idempotency-Key": key})
    check(other[0] == 422, other)
    check(gateway.settled() == before + 1, "happened twice")


def a_refusal_is_repeated_under_its_key_too():
    key = {"Idempotency-Key": str(uuid.uuid4())}
    update = lambda: gateway.request("PUT", "/fhir/Observation/kept", observation("kept"),
                                     headers={"If-Match": 'W/"1"', **key})
    first = update()
    check(first[0] == 412, first)
    check(gateway.push(bundle(observation("kept")))[0] == 200, "push")
    second = update()
    check(second[0] == 412 and second[2] == first[2], (first, second))
    created = [gateway.request("POST", "/fhir/Observation", observation("kept2"), headers={"Idempotency-Key": "k-2"})
               for _ in range(2)]
    check(all(c[0] == 201 and c[1]["ETag"] == 'W/"1"' and c[1]["Location"] == "Observation/kept2/_history/1"
              for c in created), created)
    for keys in ([""], ["a", "b"], ["a", "a"], ["with space"], ["k" * 256]):
        answer = gateway.raw("POST /fhir/Observation HTTP/1.1", [f"Idempotency-Key: {k}" for k in keys],
                             body_of(observation("kept3")))
        check(answer[0] == 400 and outcome_of(answer)["issue"][0]["expression"] == ["http.Idempotency-Key"], answer)


def gzip_is_taken_and_other_encodings_are_415():
    body = body_of(bundle(observation("zipped")))
    check(gateway.push(gzip.compress(body), headers={"Content-Encoding": "gzip"})[0] == 200, "gzip")
    check(gateway.push(body, headers={"Content-Encoding": "br"})[0] == 415, "br")
    check(gateway.push(body, headers={"Content-Type": "text/plain"})[0] == 415, "text/plain")


def what_is_asked_for_or_sent_in_another_form_is_406_and_415():
    ask = lambda accept, path="/fhir/metadata": gateway.request("GET", path, headers={"Accept": accept})[0]
    for accept in ("*/*", "application/fhir+json", "application/json", "text/html, */*;q=0.1"):
        check(ask(accept) == 200, accept)
    for accept in ("text/html", "application/fhir+xml", "*/*;q=0", "application/fhir+json;fhirVersion=5.0"):
        check(ask(accept) == 406, accept)
    check(ask("application/fhir+xml", "/fhir/metadata?_format=json") == 200, "_format is asked first")
    check(ask("*/*", "/fhir/metadata?_format=xml") == 406, "_format=xml")
    answer = gateway.push(bundle(observation("never")), headers={"Accept": "text/html"})
    check(answer[0] == 406 and outcome_of(answer)["issue"][0]["expression"] == ["http.Accept"], answer)
    for type in ("application/fhir+json; charset=iso-8859-1", "application/fhir+json; fhirVersion=5.0", "text/xml"):
        answer = gateway.push(bundle(observation("never")), headers={"Content-Type": type})
        check(answer[0] == 415 and outcome_of(answer)["issue"][0]["expression"] == ["http.Content-Type"], answer)
    check(gateway.push(bundle(observation("utf")), headers={"Content-Type": "application/json; charset=\"UTF-8\""})[0]
          == 200, "charset")


def a_recipient_gets_the_kinds_that_it_takes():
    other = Gateway(extra='recipient "messages-only" { url = "http://127.0.0.1:1/fhir"  purpose = { "TREAT" }  deliver = { "message" } }\n'
                          'route "b" { from = { "valley-ehr" }  to = { "messages-only" } }\n').start()
    try:
        check(other.push(bundle(patient(), observation()))[0] == 200, "push")
        check(other.hie.wait(1), "the others get it")
        disclosures, denials = other.export()
        check({r["recipient"]["name"] for r in disclosures} == {"county-hie", "lakeside-clinic"}, disclosures)
        check(denials == [], "a kind that it does not take is no denial")
    finally:
        other.close()


def every_error_is_an_outcome_with_its_place_and_a_request_id():
    for status, answer in ((404, gateway.request("GET", "/nothing")), (405, gateway.request("PUT", "/fhir", b"{}")),
                           (415, gateway.push(b"{}", headers={"Content-Type": "text/plain"})),
                           (415, gateway.push(b"{}", headers={"Content-Encoding": "br"})),
                           (400, gateway.push(b"{")), (403, gateway.push(b"{}", client="stranger")),
                           (400, gateway.push(b"{}", headers={"Transfer-Encoding": "x"})),
                           (413, gateway.request("POST", "/fhir", None, headers={"Content-Length": "9999999999"}))):
        check(answer[0] == status, answer)
        outcome_of(answer)


def who_may_only_create_does_not_write_over_what_others_sent():
    other = Gateway(extra='client "stranger" { certificate-cn = "stranger"  scopes = { "system/*.c" }  part2 = "not-program" }\n').start()
    try:
        push = lambda b: other.push(b, client="stranger")
        other.push(bundle(observation("theirs")))
        check(statuses(push(bundle(observation("own")))) == ["201"] and statuses(push(bundle(observation("own")))) == ["200"],
              "its own, twice")
        answer = push(bundle(observation("own"), observation("theirs")))
        check(answer[0] == 403 and outcome_of(answer)["issue"][0]["expression"] == ["Bundle.entry[1].request"], answer)
        check(statuses(push(bundle(observation("own"), observation("theirs"), type="batch"))) == ["200", "403"], "batch")
        check(other.request("POST", "/fhir/Observation", observation("theirs"), client="stranger")[0] == 403, "POST")
        check(other.request("DELETE", "/fhir/Observation/own", client="stranger")[0] == 403, "DELETE")
        check(json.loads(other.push(bundle(observation("theirs")))[2])["entry"][0]["response"]["etag"] == 'W/"2"',
              "something was written over")
    finally:
        other.close()


def strangers_and_readers_may_not_write():
    check(gateway.push(bundle(observation()), client="stranger")[0] == 403, "stranger")
    check(gateway.push(bundle(observation()), client="reader")[0] == 403, "reader")


def metadata_health_and_metrics_answer():
    status, _, body = gateway.request("GET", "/fhir/metadata")
    check(status == 200 and json.loads(body)["fhirVersion"] == "4.0.1", (status, body))
    check(gateway.get_admin("/livez")[0] == 200 and gateway.get_admin("/readyz")[0] == 200, "health")
    status, text = gateway.get_admin("/metrics")
    check(status == 200 and text.endswith(b"# EOF\n"), text[-400:])
    for line in (b'sluice_requests_total{status="400"}', b'sluice_releases_total{recipient="county-hie"}',
                 b'sluice_denials_total{recipient="lakeside-clinic"}', b"sluice_connections ",
                 b"sluice_outbox_waiting ", b'sluice_ledger_size{log="disclosures"}'):
        check(line in text, (line, text))


def the_log_verifies_and_holds_what_the_sinks_got():
    check(gateway.hie.wait(1), "nothing delivered")
    done = gateway.cli("log", "verify", "-c", gateway.config)
    check(done.returncode == 0, done.stderr)
    disclosures, denials = gateway.export()
    standing = {r["payloadSha256"] for r in disclosures if r["kind"] == "disclosure"}
    for sink in (gateway.hie, gateway.clinic):
        for head, body, _ in sink.received:
            check(hashlib.sha256(body).hexdigest() in standing, "a byte left without a record")
    check(len(denials) > 0, "what was withheld is not in the log of denials")
    part2 = [r for r in disclosures if r["kind"] == "disclosure" and "noticeKind" in r]
    check(part2 and all(r["basis"]["rule"].startswith("R-") if isinstance(r["basis"], dict)
                        else r["basis"].startswith("R-") for r in part2), part2)


def no_payload_text_is_in_the_log():
    text = open(gateway.at("log"), "rb").read()
    for word in (b"Rivera", b"Opioid", b"F11.20", b"Hemoglobin"):
        check(word not in text, f"{word} is in the log")
    for line in text.splitlines():
        json.loads(line)


def it_drains_and_stops():
    check(gateway.stop() == 0, "exit code")
    gateway.close()


if __name__ == "__main__":
    main([a_transaction_is_answered_entry_by_entry_and_delivered_as_sent, a_second_version_is_200_and_says_so,
          part_2_data_stays_without_consent_and_the_rest_goes_byte_for_byte,
          part_2_data_goes_to_the_one_whom_the_consent_names,
          a_consent_counts_and_is_revoked_from_the_very_next_push_on,
          a_consent_that_this_very_bundle_revokes_permits_nothing,
          whom_a_consent_names_by_its_bundle_is_known_at_the_next_push,
          what_json_allows_two_readings_of_is_refused_with_the_place,
          what_is_not_valid_is_422_with_the_expression_and_is_not_kept, a_batch_is_judged_entry_by_entry,
          what_of_a_batch_cannot_be_honoured_is_answered_entry_by_entry,
          a_batch_of_which_nothing_is_taken_is_answered_and_leaves_nothing,
          deletions_come_first_in_a_transaction_and_are_not_passed_on,
          a_transaction_is_refused_whole_and_names_the_entry,
          a_consent_that_is_nobodys_is_not_taken_in_silence,
          a_resource_is_created_unless_it_exists,
          an_entry_is_created_unless_it_exists_and_what_hangs_on_it_is_the_same_patients,
          a_batch_of_many_bad_entries_is_refused_for_what_it_costs,
          a_single_resource_is_created_updated_and_delivered_in_a_Bundle,
          what_the_sender_prefers_comes_back, who_prefers_not_to_wait_finds_the_answer_later,
          documents_collections_and_messages_are_taken, the_first_answer_is_repeated_under_its_key,
          a_refusal_is_repeated_under_its_key_too,
          gzip_is_taken_and_other_encodings_are_415,
          what_is_asked_for_or_sent_in_another_form_is_406_and_415, a_recipient_gets_the_kinds_that_it_takes,
          every_error_is_an_outcome_with_its_place_and_a_request_id, who_may_only_create_does_not_write_over_what_others_sent,
          strangers_and_readers_may_not_write,
          metadata_health_and_metrics_answer, the_log_verifies_and_holds_what_the_sinks_got,
          no_payload_text_is_in_the_log, it_drains_and_stops])

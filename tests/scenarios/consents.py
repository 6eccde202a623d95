"""Consents over HTTP: who reads them, what a revocation does and when, and who is told a decision."""
import hashlib
import json
import os
import random
import threading
import time

from bundles import NPI, bundle, condition, consent, observation, patient
from harness import Gateway, Sink, check, main

EXTRA = """
client "oak-ehr" { certificate-cn = "oak-ehr"  scopes = { "system/*.cud", "system/Consent.rs" }  part2 = "program"
    reference = "Organization/riverside"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000009" } }
client "elm-ehr" { certificate-cn = "elm-ehr"  scopes = { "system/*.c", "system/Consent.rs" }  part2 = "not-program" }
client "officer" { certificate-cn = "officer"  scopes = { "system/Consent.rus" }  duty = { "compliance" } }
client "star" { certificate-cn = "star"  scopes = { "system/*.cruds" } }
client "county" { certificate-cn = "county"  duty = { "consult" }  reference = "Organization/county-hie"
    identifier = { "http://hl7.org/fhir/sid/us-npi|1000000002" }  class = { "CE_PROVIDER" }  purpose = { "TREAT" } }
client "lakeside" { certificate-cn = "lakeside"  duty = { "consult" }  reference = "Organization/lakeside"
    identifier = { "http://hl7.org/fhir/sid/us-npi|1000000003" }  class = { "CE_PROVIDER" }  purpose = { "TREAT" } }
client "custodian" { certificate-cn = "custodian"  duty = { "consult-for-others" }  reference = "Organization/riverside"
    part2 = "program"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000009" } }
route "oak" { from = { "oak-ehr", "elm-ehr" }  to = { "county-hie", "lakeside-clinic" } }
"""
NAMES = ("oak-ehr", "elm-ehr", "officer", "star", "county", "lakeside", "custodian")

gateway = Gateway(extra=EXTRA, clients=NAMES).start()


def get(path, client="oak-ehr", **kw):
    return gateway.request("GET", path, client=client, **kw)


def put(resource, client="oak-ehr", **kw):
    return gateway.request("PUT", f"/fhir/Consent/{resource['id']}", resource, client=client, **kw)


def revoke(id, *parameters, client="oak-ehr", **kw):
    body = {"resourceType": "Parameters", "parameter": list(parameters)}
    return gateway.request("POST", f"/fhir/Consent/{id}/$revoke", body, client=client, **kw)


def twin(answer):
    """An answer without what may differ: the id of the request and the moment."""
    status, headers, body = answer
    headers = {k: v for k, v in headers.items() if k not in ("X-Request-Id", "Date")}
    return status, headers, body


def record(id, who):
    return condition(id, who, recorder={"reference": "Organization/riverside"})


def told(sink, text):
    return any(text.encode() in body for body in sink.bodies())


def a_consent_is_read_by_its_source_and_every_answer_is_in_the_log():
    first = put(consent("r1", "pr1"))
    check(first[0] == 201 and first[1]["ETag"] == 'W/"1"', first)
    sent = json.dumps(consent("r1", "pr1")).encode()
    status, headers, body = get("/fhir/Consent/r1")
    check((status, body) == (200, sent), (status, body))
    check(headers["ETag"] == 'W/"1"' and headers["Last-Modified"].endswith("GMT"), headers)
    released = [r for r in gateway.export()[0] if r["channel"] == "FHIR read"]
    check(released[-1]["payloadSha256"] == hashlib.sha256(body).hexdigest(), released[-1])
    check(released[-1]["patientId"] == "Patient/pr1" and released[-1]["recipient"]["name"] == "oak-ehr", released[-1])
    check(released[-1]["payloadBytes"] == len(body) and released[-1]["itemsReleased"][0]["id"] == "r1", released[-1])


def versions_have_a_history_and_if_match_holds():
    put(consent("r2", "pr2"))
    changed = consent("r2", "pr2", end="2027-06-30")
    check(put(changed, headers={"If-Match": 'W/"7"'})[0] == 412, "a version that never was")
    status, headers, _ = put(changed, headers={"If-Match": 'W/"1"'})
    check((status, headers["ETag"]) == (200, 'W/"2"'), (status, headers))
    check(json.loads(get("/fhir/Consent/r2/_history/1")[2]) == consent("r2", "pr2"), "the first version")
    check(get("/fhir/Consent/r2/_history/3")[0] == 404, "a version that is not there")
    status, _, body = get("/fhir/Consent/r2/_history")
    history = json.loads(body)
    check(status == 200 and history["type"] == "history", history)
    check([e["response"]["etag"] for e in history["entry"]] == ['W/"2"', 'W/"1"'], history)
    first = json.loads(get("/fhir/Consent/r2/_history?_count=1")[2])
    next_page = [l["url"] for l in first["link"] if l["relation"] == "next"][0]
    second = json.loads(get("/" + next_page.split("/", 3)[3])[2])
    check([e["response"]["etag"] for e in first["entry"] + second["entry"]] == ['W/"2"', 'W/"1"'], (first, second))


def what_is_absent_and_what_is_not_ones_own_look_the_same():
    put(consent("r3", "pr3"))
    for path in ("/fhir/Consent/{}", "/fhir/Consent/{}/_history", "/fhir/Consent/{}/_history/1"):
        foreign, absent = (get(path.format(id), client="elm-ehr") for id in ("r3", "no"))
        check(foreign[0] == 404 and twin(foreign) == twin(absent), (foreign, absent))
    foreign, absent = (revoke(id, client="elm-ehr") for id in ("r3", "no"))
    check(foreign[0] == 404 and twin(foreign) == twin(absent), (foreign, absent))
    check(get("/fhir/Consent/r3")[0] == 200, "nobody revoked it")
    denials = [r for r in gateway.export()[1] if r.get("client") == "elm-ehr"]
    check(len(denials) == 8 and {r.get("patientId") for r in denials} == {"Patient/pr3", None}, denials)


def searches(client, query):
    status, _, body = get("/fhir/Consent?" + query, client=client)
    check(status == 200, (status, body))
    return json.loads(body)


def ids(answer):
    return [e["resource"]["id"] for e in answer.get("entry", [])]


def a_search_shows_ones_own_and_nothing_that_says_there_is_more():
    for id in ("s1", "s2", "s3"):
        put(consent(id, "ps", status="inactive" if id == "s3" else "active"))
    check(put(consent("t1", "ps", organization="Organization/elm"), client="elm-ehr")[0] == 201, "elm's own")
    all_of_it = searches("oak-ehr", "patient=Patient/ps")
    check(all_of_it["type"] == "searchset" and all_of_it["total"] == 3 and ids(all_of_it) == ["s1", "s2", "s3"], all_of_it)
    check(ids(searches("elm-ehr", "patient=ps")) == ["t1"], "elm sees its own")
    check(ids(searches("officer", "patient=ps")) == ["s1", "s2", "s3", "t1"], "the officer sees all")
    check(ids(searches("oak-ehr", "patient=ps&status=active")) == ["s1", "s2"], "by status")
    check(ids(searches("oak-ehr", "patient=ps&status=active,inactive")) == ["s1", "s2", "s3"], "by two")
    check(ids(searches("oak-ehr", "_id=s2")) == ["s2"], "by id")
    check(ids(searches("oak-ehr", "patient=ps&period=ge2027-12-01")) == ["s1", "s2", "s3"], "by period")
    check(ids(searches("oak-ehr", "patient=ps&period=sa2027-12-01")) == [], "by period")
    named = consent("s4", "ps4")
    named["provision"]["actor"][0]["reference"] = {"reference": "Organization/lakeside"}
    put(named)
    check(ids(searches("oak-ehr", "patient=ps4&actor=Organization/lakeside")) == ["s4"], "by actor")
    check(ids(searches("oak-ehr", "patient=ps4&actor=Organization/other")) == [], "by another actor")
    status, _, body = gateway.request("POST", "/fhir/Consent/_search", b"patient=Patient%2Fps&_count=2", client="oak-ehr",
                                      headers={"Content-Type": "application/x-www-form-urlencoded"})
    first = json.loads(body)
    check(status == 200 and ids(first) == ["s1", "s2"] and first["total"] == 3, first)
    page = [l["url"] for l in first["link"] if l["relation"] == "next"][0]
    check(ids(json.loads(get("/" + page.split("/", 3)[3])[2])) == ["s3"], page)


def a_search_tells_withheld_from_absent_by_nothing():
    put(consent("u1", "pu1"))
    def normal(who):
        status, headers, body = get(f"/fhir/Consent?patient=Patient/{who}", client="elm-ehr")
        answer = json.loads(body.replace(who.encode(), b"WHO"))
        del answer["timestamp"]
        return status, {k: v for k, v in headers.items() if k not in ("X-Request-Id", "Date")}, answer
    check(normal("pu1") == normal("pu2"), (normal("pu1"), normal("pu2")))


def the_time_tells_withheld_from_absent_by_nothing():
    """Two times 100 answers (SLUICE_LONG=1: 600) in random order, so that nothing periodic of the machine falls on one of the two, by
    rank (Mann and Whitney): z of 4 is one chance in 16,000 when they are the same.  Printed always, asserted with
    SLUICE_LONG=1, as indistinct.py does: a machine that others use is no place for it."""
    n = 600 if os.environ.get("SLUICE_LONG") == "1" else 100
    order = [0, 1] * n
    put(consent("time", "ptime"))
    gateway.push(bundle(patient("time"), consent("time3", "time")), client="oak-ehr")
    ask = lambda who: json.dumps({"hook": "patient-consent-consult", "hookInstance": "x",
                                  "context": {"patientId": who, "actor": []}}).encode()
    for method, path, client in (("GET", "/fhir/Consent/{}", "elm-ehr"), ("GET", "/fhir/Consent?patient={}", "elm-ehr"),
                                 ("GET", "/fhir/Consent/{}/_history", "elm-ehr"),
                                 ("POST", "/cds-services/patient-consent-consult", "lakeside")):
        connection, spent = gateway.connect(client), ([], [])
        names = ("ptime", "ptim2") if "?" in path else ("time", "tim2")
        random.shuffle(order)
        for which in order:
            begun = time.perf_counter()
            gateway.request(method, path.format(names[which]), ask(names[which]) if method == "POST" else None, client=client,
                            connection=connection)
            spent[which].append(time.perf_counter() - begun)
        connection.close()
        ranks = sorted((seconds, which) for which in (0, 1) for seconds in spent[which])
        mine = sum(rank for rank, (_, which) in enumerate(ranks, 1) if which == 0)
        z = (mine - n * (2 * n + 1) / 2) / (n * n * (2 * n + 1) / 12) ** 0.5
        print(f"      {path}: z = {z:.1f}", flush=True)
        check(abs(z) < 4 or os.environ.get("SLUICE_LONG") != "1", (path, z))


def who_reads_is_named_in_the_configuration():
    check(get("/fhir/Consent/r1", client="star")[0] == 403, "a star does not read Consents")
    check(get("/fhir/Consent?patient=pr1", client="star")[0] == 403, "nor searches them")
    check(get("/fhir/Consent/r1", client="reader")[0] == 403, "nor does system/*.rs")
    check(get("/fhir/Consent/r1", client="stranger")[0] == 403, "nor anybody")
    check(get("/fhir/Patient/p1", client="officer")[0] == 405, "other types are not read yet")
    check(get("/fhir/Consent/r1", client="officer")[0] == 200, "the officer reads it")


def what_is_not_understood_is_refused():
    for query in ("", "patient=ps&category=x", "patient:identifier=ps", "patient=Group/1", "patient=ps&status=",
                  "patient=ps&period=ap2027", "patient=ps&_count=x", "_id=a,b", "patient=ps&patient=ps", "patient=ps&page=%2f"):
        status, _, body = get("/fhir/Consent?" + query)
        check(status == 400 and json.loads(body)["issue"][0]["expression"], (query, status, body))
    check(gateway.request("POST", "/fhir/Consent/_search", b"{}", client="oak-ehr")[0] == 415, "a form is wanted")
    check(get("/fhir/Consent/r1?_elements=id")[0] == 400, "no part of a Consent")


def a_revocation_counts_for_the_very_next_push_and_takes_nothing_back():
    put(consent("v1", "pv1"))
    gateway.push(bundle(patient("pv1"), record("oud-v1a", "pv1")), client="oak-ehr")
    gateway.settled()
    check(told(gateway.hie, "oud-v1a"), "the consent permits it")
    status, headers, body = revoke("v1", {"name": "reason", "valueString": "moved away"},
                                   {"name": "who", "valueReference": {"reference": "Patient/pv1"}})
    check(status == 200 and headers["ETag"] == 'W/"2"', (status, headers, body))
    gateway.push(bundle(patient("pv1"), record("oud-v1b", "pv1")), client="oak-ehr")
    gateway.settled()
    check(not told(gateway.hie, "oud-v1b"), "it left after the revocation")
    now = json.loads(get("/fhir/Consent/v1")[2])
    check(now["status"] == "inactive", now)
    account = [e for e in now["extension"] if e["url"].endswith("consent-revocation")][0]["extension"]
    check({e["url"] for e in account} == {"received", "recorded", "form", "who", "recordedBy", "reason"}, account)
    check(json.loads(get("/fhir/Consent/v1/_history/1")[2]) == consent("v1", "pv1"), "the first version is as it was")
    again = revoke("v1")
    check(again[0] == 200 and again[1]["ETag"] == 'W/"2"', "asked again it stands")
    check(len(json.loads(get("/fhir/Consent/v1/_history")[2])["entry"]) == 2, "and makes no version")
    disclosed = [r for r in gateway.export()[0] if any(i["id"] == "oud-v1a" for i in r.get("itemsReleased", []))]
    check(disclosed, "what was released stays in the log")


def a_part_is_revoked_and_the_rest_stays():
    both = consent("v2", "pv2")
    both["provision"]["actor"].append({"role": both["provision"]["actor"][0]["role"],
                                       "reference": {"identifier": {"system": NPI, "value": "1000000003"}}})
    put(both)
    check(revoke("v2", {"name": "recipient", "valueIdentifier": {"system": NPI, "value": "1000000003"}})[0] == 200, "a part")
    gateway.push(bundle(patient("pv2"), record("oud-v2", "pv2")), client="oak-ehr")
    gateway.settled()
    check(told(gateway.hie, "oud-v2"), "the other recipient still has its permission")
    check(not told(gateway.clinic, "oud-v2"), "the one that was taken out got it")
    now = json.loads(get("/fhir/Consent/v2")[2])
    check(now["status"] == "active" and now["provision"]["provision"][0]["type"] == "deny", now)
    check(revoke("v2", {"name": "recipient", "valueIdentifier": {"system": NPI, "value": "1000000003"}})[1]["ETag"] == 'W/"2"',
          "asked again it stands")


def to_withdraw_a_permission_lifts_no_refusal():
    mixed = consent("v3", "pv3")
    mixed["provision"]["provision"] = [{"type": "deny", "class": [
        {"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}]
    put(mixed)
    check(revoke("v3")[0] == 200, "revoked")
    now = json.loads(get("/fhir/Consent/v3")[2])
    check(now["status"] == "active" and now["modifierExtension"], now)
    gateway.push(bundle(patient("pv3"), observation("obs-v3", "pv3"), record("oud-v3", "pv3")), client="oak-ehr")
    gateway.push(bundle(patient("pv3"), observation("obs-v3b", "pv3")), client="elm-ehr")
    gateway.settled()
    check(not told(gateway.hie, "oud-v3"), "it permits nothing any more")
    check(not told(gateway.hie, "obs-v3b"), "and refuses what it refused")
    refusal = consent("v4", "pv4")
    refusal["provision"]["type"] = "deny"
    put(refusal)
    check(revoke("v4")[0] == 422, "a refusal is not revoked")


def waiting(who):
    done = gateway.cli("review", "ls", "-c", gateway.config, "--json")
    check(done.returncode in (0, 1), done.stderr)
    return who.encode() in done.stdout


def a_revocation_happens_once_under_its_key():
    put(consent("v9", "pv9"))
    key = {"Idempotency-Key": "revocation-v9"}
    first, again = revoke("v9", headers=key), revoke("v9", headers=key)
    check(first[0] == again[0] == 200 and first[2] == again[2] and first[1]["ETag"] == again[1]["ETag"] == 'W/"2"', (first, again))
    check(revoke("v9", {"name": "reason", "valueString": "x"}, headers=key)[0] == 422, "the key is for one request")


def what_is_said_holds_until_it_is_written():
    put(consent("v5", "pv5"))
    check(revoke("v5", {"name": "form", "valueCode": "said"})[0] == 200, "said")
    gateway.push(bundle(patient("pv5"), record("oud-v5", "pv5")), client="oak-ehr")
    gateway.settled()
    check(not told(gateway.hie, "oud-v5"), "it is held")
    check(json.loads(get("/fhir/Consent/v5")[2])["status"] == "active", "2.31(a)(6) asks for writing")
    check(waiting("pv5") and not waiting("pv3"), "somebody has to get it in writing, and of a written one nothing")
    check(revoke("v5", {"name": "form", "valueCode": "written"})[1]["ETag"] == 'W/"3"', "written")
    check(json.loads(get("/fhir/Consent/v5")[2])["status"] == "inactive", "and ended")


def a_compliance_role_revokes_and_the_consent_stays_its_sources():
    put(consent("v6", "pv6"))
    check(revoke("v6", client="officer")[0] == 200, "the officer may")
    status, _, body = get("/fhir/Consent/v6")
    check(status == 200 and json.loads(body)["status"] == "inactive", (status, body))
    account = [e for e in json.loads(body)["extension"] if e["url"].endswith("consent-revocation")][0]["extension"]
    check([e["valueString"] for e in account if e["url"] == "recordedBy"] == ["officer"], account)
    check(revoke("v6", client="reader")[0] == 403, "who has no scope may not")


def what_waits_for_a_recipient_is_decided_again():
    gateway.hie.answer = 503
    before = len(gateway.hie.bodies())
    put(consent("v7", "pv7"))
    gateway.push(bundle(patient("pv7"), observation("obs-v7", "pv7"), record("oud-v7", "pv7")), client="elm-ehr")
    check(gateway.hie.wait(before + 1), "a first try")
    check(revoke("v7")[0] == 200, "revoked while it waits")
    time.sleep(0.3)                              # one try may have been on its way
    after = len(gateway.hie.bodies())
    gateway.hie.answer = 200
    gateway.settled()
    late = gateway.hie.bodies()[after:]
    check(all(b"oud-v7" not in body for body in late), "it left after the revocation")
    check(any(b"obs-v7" in body for body in late), "what needs no consent was kept back")
    denied = [r for r in gateway.export()[1] if r.get("patientId") == "Patient/pv7" and r["recipient"]["name"] == "county-hie"]
    check(denied, "the record does not say so")


def hostile_revocations_change_nothing():
    put(consent("v8", "pv8"))
    for body, status in ((b"", 400), (b"{", 400), (b"[]", 400), (b'{"resourceType":"Consent"}', 400),
                         (b'{"resourceType":"Parameters","parameter":{}}', 400),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"recipiant","valueString":"x"}]}', 400),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"form","valueCode":"sung"}]}', 400),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"date","valueDateTime":"2099-01-01"}]}', 422),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"provision","valueString":"provision.provision[4]"}]}', 422),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"recipient","valueReference":{"reference":"Organization/nobody"}}]}', 422),
                         (b'{"resourceType":"Parameters","parameter":[{"name":"purpose","valueCode":"NO-SUCH"}]}', 422),
                         (b'{"resourceType":"Parameters","parameter":[' + b'{"name":"reason","valueString":"x"},' * 4000 + b'{}]}', 413)):
        answer = gateway.request("POST", "/fhir/Consent/v8/$revoke", body, client="oak-ehr")
        check(answer[0] == status, (body[:100], answer))
    check(get("/fhir/Consent/v8")[1]["ETag"] == 'W/"1"', "nothing was written")


def a_consent_that_is_deleted_is_gone_and_the_gateway_goes_on():
    put(consent("x1", "px1"))
    for id in ("x1", "x1", "never"):             # there, gone, never there
        check(gateway.request("DELETE", f"/fhir/Consent/{id}", client="oak-ehr")[0] == 204, id)
    gone, absent = get("/fhir/Consent/x1"), get("/fhir/Consent/never")
    check(gone[0] == 404 and twin(gone) == twin(absent), (gone, absent))
    check(revoke("x1")[0] == 404, "nothing is left to revoke")
    gateway.push(bundle(patient("px1"), record("oud-x1", "px1")), client="oak-ehr")
    gateway.settled()
    check(not told(gateway.hie, "oud-x1"), "a Consent that was deleted still permits")


PART2 = {"42CFRPart2", "SUD", "ETH", "ETHUD", "OPIOIDUD"}


def consult(who, client="county", raw=None, **context):
    body = {"hook": "patient-consent-consult", "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
            "context": {"patientId": who if isinstance(who, (list, str)) else [who], "actor": [], **context}}
    return gateway.request("POST", "/cds-services/patient-consent-consult", raw if raw is not None else body, client=client,
                           headers={"Content-Type": "application/json"})


def card(answer):
    check(answer[0] == 200 and answer[1]["Content-Type"].startswith("application/json"), answer)
    cards = json.loads(answer[2])["cards"]
    check(len(cards) == 1 and len(cards[0]["summary"]) < 140, cards)
    check(cards[0]["summary"] == cards[0]["extension"]["decision"] and cards[0]["source"]["label"], cards)
    return cards[0]


def redacted(one):
    return {c["code"] for o in one["extension"]["obligations"] for c in o["parameters"].get("codes", [])}


def services_are_discovered_by_everybody():
    status, headers, body = gateway.request("GET", "/cds-services", client="stranger")
    check(status == 200 and headers["Content-Type"].startswith("application/json"), (status, headers))
    service = json.loads(body)["services"][0]
    check(service["id"] == service["hook"] == "patient-consent-consult" and service["description"], service)
    check(gateway.request("POST", "/cds-services/other", {}, client="county")[0] == 404, "another service")
    check(gateway.request("GET", "/cds-services/patient-consent-consult", client="county")[0] == 405, "it is posted to")


def who_is_named_is_told_a_permit_and_it_is_in_the_log():
    gateway.push(bundle(dict(patient("pc1"), identifier=[{"system": "urn:mrn", "value": "77"}]), consent("cc1", "pc1")), client="oak-ehr")
    answer = consult({"system": "urn:mrn", "value": "77"})
    one = card(answer)
    check(one["extension"]["decision"] == "CONSENT_PERMIT" and one["indicator"] == "info", one)
    check(not redacted(one) & PART2, one)
    check("42 CFR part 2 prohibits" in one["extension"]["notice"] and "basedOn" not in one["extension"], one)
    told_of = [r for r in gateway.export()[0] if r["channel"] == "CDS Hooks consult"][-1]
    check(told_of["payloadSha256"] == hashlib.sha256(answer[2]).hexdigest(), told_of)
    check(told_of["patientId"] == "Patient/pc1" and told_of["consentId"] == "Consent/cc1", told_of)
    check(told_of["recipient"]["name"] == "county" and told_of["basis"].startswith("R-0") and told_of["inPart2Accounting"], told_of)
    check(card(consult("pc1"))["extension"] == one["extension"], "by its id")
    check(card(consult([{"value": "Patient/pc1"}], purposeOfUse="TREAT"))["extension"] == one["extension"], "by its reference")


def every_refusal_is_the_same_card():
    refusing = consent("cc2", "pc2")
    refusing["provision"]["type"] = "deny"
    gateway.push(bundle(patient("pc2"), refusing), client="oak-ehr")
    gateway.push(bundle(patient("pc3")), client="oak-ehr")
    gateway.push(bundle(patient("pc4"), consent("cc4", "pc4", status="inactive")), client="oak-ehr")
    gateway.push(bundle(dict(patient("pc5"), identifier=[{"system": "urn:mrn", "value": "88"}]),
                        dict(patient("pc6"), identifier=[{"system": "urn:mrn", "value": "88"}])), client="oak-ehr")
    before = len(gateway.export()[1])
    answers = [twin(consult(who)) for who in ("pc2", "pc3", "pc4", "nobody-at-all", {"system": "urn:mrn", "value": "88"},
                                              {"system": "urn:mrn", "value": "99"}, "Group/1", "not an id")]
    answers.append(twin(consult("pc1", client="lakeside")))          # who is not named
    answers.append(twin(consult("pc1", category=[{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
                                                  "code": "research"}])))
    check(all(a == answers[0] for a in answers), answers)
    check(card(answers[0])["extension"] == {"decision": "CONSENT_DENY", "obligations": []}, answers[0])
    denied = gateway.export()[1][before:]
    check(len(denied) == len(answers) and {"Patient/pc2", "Patient/pc3"} <= {r.get("patientId") for r in denied}, len(denied))


def an_uncovered_prescriber_is_told_of_no_drug_and_the_emergency_is_the_way():
    """SG-40.  Another hook, with the order that would interact, is not offered, to nobody and in the same words."""
    methadone = {"resourceType": "MedicationRequest", "id": "mar-sg40", "status": "active", "intent": "order",
                 "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6813",
                                                           "display": "methadone"}]},
                 "subject": {"reference": "Patient/sg40"}, "requester": {"reference": "Organization/riverside"}}
    gateway.push(bundle(patient("sg40"), methadone, consent("c-sg40", "sg40")), client="oak-ehr")
    gateway.push(bundle(patient("sg40twin")), client="oak-ehr")
    order = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", "status": "draft", "intent": "order",
             "medicationCodeableConcept": {"text": "ondansetron"}}}]}

    def ask(who):
        hook = {"hook": "order-select", "hookInstance": "h1", "context": {"patientId": who, "draftOrders": order}}
        return [twin(consult(who, client="lakeside")), twin(consult(who, client="lakeside", purposeOfUse="TREAT")),
                twin(consult(who, client="lakeside", raw=json.dumps(hook).encode()))] + [
                twin(gateway.request("POST", f"/cds-services/{name}", hook, client="lakeside")) for name in ("order-select", "interactions")]
    answers = ask("sg40")
    check(answers == ask("sg40twin"), answers)
    check([a[0] for a in answers] == [200, 200, 400, 404, 404] and card(answers[0])["extension"]["decision"] == "CONSENT_DENY", answers)
    check(not any(word in a[2].lower() for a in answers for word in (b"methadone", b"6813", b"riverside", b"part 2")), answers)
    now = time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
    with open(gateway.at("sg40.json"), "w") as f:
        json.dump({"emergencies": [{"id": "er-sg40", "patient": "Patient/sg40", "party": "Organization/lakeside", "declaredBy": "Dr. Okafor",
                                    "affiliation": "Lakeside emergency ward", "discloser": "R. Chen", "nature": "torsade de pointes",
                                    "whyUnobtainable": "unconscious", "from": stamp(now - 60), "to": stamp(now + 3600)}]}, f)
    check(gateway.cli("file", "add", "-c", gateway.config, gateway.at("sg40.json")).returncode == 0, "filed")
    gateway.push(bundle(patient("sg40"), methadone), client="oak-ehr")
    gateway.settled()
    check(any(b"mar-sg40" in body for body in gateway.clinic.bodies()), "R-13: the drug that interacts")


def what_a_consent_leaves_out_is_an_obligation_and_no_reason():
    act = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    limited = consent("cc7", "pc7")
    limited["provision"]["provision"] = [{"type": "deny", "securityLabel": [{"system": act, "code": "PSY"}]},
                                         {"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types",
                                                                     "code": "Observation"}]}]
    gateway.push(bundle(patient("pc7"), limited), client="oak-ehr")
    one = card(consult("pc7"))
    check(one["extension"]["decision"] == "CONSENT_PERMIT" and {"PSY", "Observation"} <= redacted(one), one)
    check("SUD" not in redacted(one) and "HIV" not in redacted(one), one)
    classes = [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]
    check(card(consult("pc7", **{"class": classes}))["extension"]["decision"] == "CONSENT_DENY", "of that class nothing")
    by_code = consent("cc8", "pc8")
    by_code["provision"]["provision"] = [{"type": "deny", "code": [{"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}]}]
    gateway.push(bundle(patient("pc8"), by_code), client="oak-ehr")
    check(card(consult("pc8"))["extension"]["decision"] == "CONSENT_DENY", "what no label says cannot be told")


def an_asker_asks_for_itself_unless_it_may_for_others():
    hie, clinic = [{"system": NPI, "value": "1000000002"}], [{"system": NPI, "value": "1000000003"}]
    check(card(consult("pc1", actor=hie))["extension"]["decision"] == "CONSENT_PERMIT", "itself by its identifier")
    check(consult("pc1", actor=clinic)[0] == 403, "somebody else")
    check(consult("pc1", client="lakeside", actor=hie)[0] == 403, "somebody who is permitted")
    check(consult("pc1", purposeOfUse=["HRESCH"])[0] == 403, "a purpose that it is not registered for")
    for client in ("oak-ehr", "officer", "star", "stranger"):
        check(consult("pc1", client=client)[0] == 403, f"{client} has no such duty")
    check(card(consult("pc1", client="custodian", actor=hie))["extension"]["decision"] == "CONSENT_PERMIT", "for others")
    check(card(consult("pc1", client="custodian", actor=clinic))["extension"]["decision"] == "CONSENT_DENY", "for others")
    told_of = [r for r in gateway.export()[0] if r["channel"] == "CDS Hooks consult"][-1]
    check(told_of["client"] == "custodian" and told_of["recipient"]["name"] == "county-hie", told_of)


def a_revocation_counts_for_the_very_next_question():
    gateway.push(bundle(patient("pc9"), consent("cc9", "pc9")), client="oak-ehr")
    check(card(consult("pc9"))["extension"]["decision"] == "CONSENT_PERMIT", "permitted")
    check(revoke("cc9")[0] == 200, "revoked")
    check(card(consult("pc9"))["extension"]["decision"] == "CONSENT_DENY", "still permitted")


def hostile_questions_are_refused_and_tell_nothing():
    good = {"hook": "patient-consent-consult", "hookInstance": "x", "context": {"patientId": "pc1", "actor": []}}

    def with_(**more):
        return json.dumps(dict(good, context=dict(good["context"], **more))).encode()
    for body, status in ((b"", 400), (b"{", 400), (b"[]", 400), (b"{}", 400), (b'{"hook":"order-sign"}', 400),
                         (json.dumps(dict(good, hookInstance="")).encode(), 400), (json.dumps(dict(good, context=[])).encode(), 400),
                         (with_(patientId=[]), 400), (with_(patientId=[{"value": 7}]), 400), (with_(patientId=[{"v": "x"}]), 400),
                         (with_(actor={}), 400), (with_(actor=[{"value": "x"}] * 17), 400), (with_(purposeOfUse="NO-SUCH"), 400),
                         (with_(purposeOfUse=["TREAT"] * 9), 400), (with_(class_=[]), 400), (with_(scope="patient-privacy"), 400),
                         (with_(content={"resourceType": "Bundle", "entry": []}), 422),
                         (b'{"hook":"patient-consent-consult","hook":"x"}', 400), (with_(patientId="x" * 70000), 413)):
        answer = consult("pc1", raw=body)
        check(answer[0] == status, (body[:100], answer))
        check(json.loads(answer[2])["resourceType"] == "OperationOutcome" and b"pc1" not in answer[2], answer)
    check(gateway.request("POST", "/cds-services/patient-consent-consult", good, client="county",
                          headers={"Content-Type": "text/plain"})[0] == 415, "JSON is wanted")


def metadata_tells_what_there_is():
    rest = json.loads(gateway.request("GET", "/fhir/metadata", client="stranger")[2])["rest"][0]
    consents = [r for r in rest["resource"] if r["type"] == "Consent"][0]
    check({"read", "vread", "history-instance", "search-type"} <= {i["code"] for i in consents["interaction"]}, consents)
    check(consents["operation"][0]["name"] == "revoke", consents)


def two_at_once_lose_no_revocation():
    put(consent("w1", "pw1"))
    statuses = []

    def change(number):
        for i in range(6):
            statuses.append(put(consent("w1", "pw1", end=f"2027-{number:02}-{10 + i}"))[0])

    writers = [threading.Thread(target=change, args=(n,)) for n in (5, 6)]
    [w.start() for w in writers]
    answer = revoke("w1", {"name": "recipient", "valueIdentifier": {"system": NPI, "value": "1000000002"}})
    [w.join() for w in writers]
    check(set(statuses) <= {200, 503} and answer[0] in (200, 503), (statuses, answer))
    entries = json.loads(get("/fhir/Consent/w1/_history?_count=200")[2])["entry"]
    versions = [int(e["response"]["etag"][3:-1]) for e in entries]
    check(versions == list(range(len(versions), 0, -1)), versions)
    refused = [e for e in entries if e["resource"]["provision"].get("provision")]
    check(len(refused) == (answer[0] == 200), (answer, refused))


def a_revocation_that_was_answered_is_there_after_kill_9():
    for round in range(3):
        id = f"k{round}"
        put(consent(id, f"pk{round}"))
        check(revoke(id)[0] == 200, "revoked")
        gateway.kill()
        gateway.start()
        check(json.loads(get(f"/fhir/Consent/{id}")[2])["status"] == "inactive", "it is gone")
    check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "the log does not verify")


def who_asks_too_often_waits():
    busy = Gateway(extra=EXTRA + "limits { asks-a-minute = 3 }", clients=NAMES).start()
    try:
        until = 60 - time.time() % 60
        if until < 3:
            time.sleep(until)            # counts are of a minute of the clock
        answers = [busy.request("GET", f"/fhir/Consent/guess{n}", client="oak-ehr") for n in range(5)]
        check([a[0] for a in answers] == [404, 404, 404, 429, 429] and answers[4][1]["Retry-After"], answers)
        check(busy.request("GET", "/fhir/Consent/guess", client="elm-ehr")[0] == 404, "others are not held up")
        check(len(busy.export()[1]) == 4, "what was asked is in the log")
    finally:
        busy.close()


def a_revoked_consent_that_is_sent_again_stays_revoked():
    """42 CFR 2.31(a)(6), (c)(3): by night, in a transaction, as a copy, after a restart; until it is signed again."""
    for n, client in enumerate(("oak-ehr", "officer")):
        put(consent(f"z{n}", f"pz{n}"))
        check(revoke(f"z{n}", client=client)[0] == 200, "revoked")
        status, _, body = put(consent(f"z{n}", f"pz{n}"), headers={"Prefer": "return=OperationOutcome"})
        check(status == 200 and b"was revoked" in body and b"dateTime" in body, (status, body))
        gateway.push(bundle(patient(f"pz{n}"), record(f"oud-z{n}", f"pz{n}")), client="oak-ehr")
    for n, again in ((2, consent("z2", "pz2")), (3, consent("z3-copy", "pz3")),
                     (4, dict(consent("z4-other", "pz4", date="2026-02-02"), identifier=[{"system": "urn:forms", "value": "4711"}]))):
        put(dict(consent(f"z{n}", f"pz{n}"), identifier=[{"system": "urn:forms", "value": f"471{n - 3}"}]))
        check(revoke(f"z{n}", client="officer")[0] == 200, "revoked")
        answer = gateway.push(bundle(patient(f"pz{n}"), again, record(f"oud-z{n}", f"pz{n}")), client="oak-ehr")
        check(answer[0] == 200, "the Bundle is taken")
        gateway.push(bundle(patient(f"pz{n}"), record(f"oud-z{n}", f"pz{n}")), client="oak-ehr")
    gateway.settled()
    gateway.kill()
    gateway.start()
    for n in range(5):
        gateway.push(bundle(observation(f"obs-z{n}", f"pz{n}"), record(f"oud-z{n}-late", f"pz{n}")), client="elm-ehr")
    gateway.settled()
    for n in range(5):
        check(not told(gateway.hie, f"oud-z{n}"), f"z{n} is active again")
        check(told(gateway.hie, f"obs-z{n}"), "what needs no consent was kept back")
    items = [i for i in json.loads(gateway.cli("review", "ls", "--json", "--kind", "revived-consent", "-c", gateway.config).stdout)["items"] if i["kind"] == "revived-consent"]
    check({i["resource"] for i in items} >= {"Consent/z0", "Consent/z2", "Consent/z3-copy", "Consent/z4-other"}, items)


def who_signs_again_is_heard_at_once():
    put(consent("y1", "py1"))
    answer = revoke("y1", {"name": "date", "valueDateTime": "2026-08-01"}, client="officer")
    check(answer[0] == 200, answer)
    for id, date, leaves in (("y1", "2026-08-01", False), ("y1", "2026-08-03", True)):
        answer = put(consent(id, "py1", date=date), headers={"Prefer": "return=OperationOutcome"})
        check((b"was revoked" in answer[2]) != leaves, answer)
        gateway.push(bundle(patient("py1"), record(f"oud-{date}", "py1")), client="oak-ehr")
        gateway.settled()
        check(told(gateway.hie, f"oud-{date}") == leaves, date)
    put(consent("y2", "py2"))
    check(revoke("y2")[0] == 200, "revoked")
    signed = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    time.sleep(1.2)
    gateway.push(bundle(patient("py2"), consent("y2-new", "py2", date=signed), record("oud-y2", "py2")), client="oak-ehr")
    gateway.settled()
    check(told(gateway.hie, "oud-y2"), "a new signature on the same day, with its time, and another id")
    put(consent("cpy3", "py3"))
    put(consent("y3-other", "py3", npi="1000000003"))
    check(revoke("cpy3")[0] == 200, "revoked")
    gateway.push(bundle(patient("py3"), record("oud-y3", "py3")), client="oak-ehr")
    gateway.settled()
    check(not told(gateway.hie, "oud-y3"), "revoked")
    check(told(gateway.clinic, "oud-y3"), "another form of the same day, for somebody else")


def a_part_that_was_revoked_does_not_come_back():
    two = consent("x5", "px5")
    two["provision"] = {"type": "deny", "provision": [consent("x5", "px5")["provision"],
                                                        consent("x5", "px5", npi="1000000003")["provision"]]}
    for n, what in enumerate(({"name": "recipient", "valueIdentifier": {"system": NPI, "value": "1000000002"}},
                              {"name": "provision", "valueString": "provision.provision[0]"})):
        form = dict(two, id=f"x5{n}", patient={"reference": f"Patient/px5{n}"})
        put(form)
        gateway.push(bundle(patient(f"px5{n}"), record(f"first-x5{n}", f"px5{n}")), client="oak-ehr")
        gateway.settled()
        check(told(gateway.hie, f"first-x5{n}") and told(gateway.clinic, f"first-x5{n}"), "permitted first")
        check(revoke(f"x5{n}", what)[0] == 200, "revoked in part")
        check(put(form)[0] == 200, "sent again as it was")
        gateway.push(bundle(patient(f"px5{n}"), record(f"oud-x5{n}", f"px5{n}")), client="oak-ehr")
        gateway.settled()
        check(not told(gateway.hie, f"oud-x5{n}"), f"{what} came back")
        check(told(gateway.clinic, f"oud-x5{n}"), "what was not revoked is withheld")
    form["provision"]["provision"].reverse()
    check(put(form)[0] == 200, "in another order")
    gateway.push(bundle(patient("px51"), record("turned-x51", "px51")), client="oak-ehr")
    gateway.settled()
    check(not told(gateway.hie, "turned-x51"), "it came back by its place")


def a_refusal_does_not_vanish():
    """It goes on after a DELETE, and after a permit that nobody signed later; it ends where somebody says that it is over."""
    for n, client in (("n1", "oak-ehr"), ("n2", "star"), ("n3", None), ("n4", "oak-ehr")):
        refusing = consent(n, "p" + n)
        refusing["provision"]["type"] = "deny"
        gateway.push(bundle(patient("p" + n), refusing, consent("yes-" + n, "p" + n, date="2026-01-01")), client="oak-ehr")
        if n == "n4":                            # in one transaction with the record
            body = bundle(patient("pn4"), record("oud-n4", "pn4"))
            body["entry"].append({"request": {"method": "DELETE", "url": "Consent/n4"}})
            check(gateway.push(body, client="oak-ehr")[0] == 200, "taken")
        elif client:
            check(gateway.request("DELETE", f"/fhir/Consent/{n}", client=client)[0] == 204, client)
        else:
            answer = put(consent(n, "p" + n), headers={"Prefer": "return=OperationOutcome"})
            check(answer[0] == 200 and b"refuses something" in answer[2], answer)
        gateway.push(bundle(patient("p" + n), record("oud-" + n, "p" + n)), client="oak-ehr")
        gateway.settled()
        check(not told(gateway.hie, "oud-" + n), f"{n}: the refusal has vanished")
    check(put(consent("n3", "pn3", status="entered-in-error"))[0] == 200, "it was an error")
    answer = put(consent("n3", "pn3"), headers={"Prefer": "return=OperationOutcome"})
    check(answer[0] == 200 and b"refuses something" not in answer[2], answer)
    check(put(consent("n2", "pn2", date="2026-03-03"))[0] in (200, 201), "signed later")
    for n in ("n2", "n3"):
        gateway.push(bundle(patient("p" + n), record("oud-then-" + n, "p" + n)), client="oak-ehr")
        gateway.settled()
        check(told(gateway.hie, "oud-then-" + n), f"{n}: it is over, and still refused")


def neither_comes_back_by_another_spelling_or_another_patient():
    for n, reference in enumerate(("https://ehr.example.org/fhir/Patient/", "https://other.example/fhir/Patient/")):
        put(consent(f"q{n}", f"pq{n}"))
        check(revoke(f"q{n}")[0] == 200, "revoked")
        form = dict(consent(f"q{n}", f"pq{n}"), patient={"reference": f"{reference}pq{n}"})
        copy = dict(consent(f"q{n}-copy", f"pq{n}"), dateTime="2026-01-05T09:00:00-05:00")
        gateway.push(bundle(record(f"oud-q{n}", f"pq{n}"), form, copy), client="oak-ehr")
        gateway.settled()
        check(not told(gateway.hie, f"oud-q{n}"), f"{reference}: it came back")
    for id, who in (("q8", "pq8"), ("q9", "pq9")):
        refusing = consent(id, who)
        refusing["provision"]["type"] = "deny"
        gateway.push(bundle(refusing, consent("yes-" + id, who, date="2026-01-01")), client="oak-ehr")
    put(consent("q8", "pq8-other", date="2026-08-01"))       # a version about another patient
    put(dict(refusing, patient={"reference": "Patient/pq9-other"}))
    gateway.push(bundle(*[patient(p) for p in ("pq8", "pq8-other", "pq9")], record("oud-q8", "pq8"), record("oud-q8-other", "pq8-other"),
                        record("oud-q9", "pq9")), client="oak-ehr")
    gateway.settled()
    check(told(gateway.hie, "oud-q8-other"), "the other's own consent")
    check(not told(gateway.hie, '"oud-q8"') and not told(gateway.hie, "oud-q9"), "the refusal has vanished")


def a_refusal_is_heard_that_the_same_push_replaces():
    put(consent("yes-nd", "pnd", date="2026-01-01"))
    refusing = consent("nd", "pnd")
    refusing["provision"]["type"] = "deny"
    for kind in ("batch", "transaction"):
        body = bundle(patient("pnd"), refusing, consent("nd", "pnd", date="2026-01-01"), record(f"oud-nd-{kind}", "pnd"), method="POST", type=kind)
        for e in body["entry"]:
            del e["fullUrl"]
        check(gateway.push(body, client="oak-ehr")[0] == 200, kind)
        gateway.settled()
        check(not told(gateway.hie, f"oud-nd-{kind}"), f"{kind}: it has vanished between two entries")


def what_is_stored_is_heard_in_a_bundle_inside_of_a_bundle():
    refusing = consent("nb1", "pnb1")
    refusing["provision"] = {"type": "deny"}
    gateway.push(bundle(refusing, consent("nb2", "pnb2")), client="oak-ehr")

    def nested(id, who, reference, resource, client):
        resource = dict(resource, subject={"reference": reference + who})
        inner = dict(bundle(patient(who), resource, type="collection"), id=id)
        gateway.push(bundle(inner), client=client)
        parameters = {"resourceType": "Parameters", "id": "in-" + id, "parameter": [
            {"name": "one", "resource": dict(resource, id="in-" + resource["id"])}]}
        gateway.push(bundle(parameters), client=client)
        gateway.settled()
    for n, reference in enumerate(("Patient/", "https://ehr.example.org/fhir/Patient/")):
        nested(f"nb{n}", "pnb1", reference, observation(f"a1c-nb{n}"), "elm-ehr")
        check(not told(gateway.hie, f"a1c-nb{n}"), f"{reference}: the refusal is not heard inside")
        nested(f"nc{n}", "pnb2", reference, record(f"oud-nb{n}", "pnb2"), "elm-ehr")
        check(told(gateway.hie, f'"oud-nb{n}"') and told(gateway.hie, f"in-oud-nb{n}"), f"{reference}: nor is the permit")
        check(not told(gateway.clinic, f"oud-nb{n}"), "it names another recipient")


def what_a_revocation_does_not_understand_revokes_nothing():
    put(consent("uu1", "puu1"))
    put(consent("uu1", "puu1", end="2027-06-30"))
    both = {"name": "form", "valueCode": "said", "valueString": "written"}
    for what in (both, {"name": "reason", "valueString": "x", "part": [{"name": "recipient", "valueString": "y"}]},
                 {"name": "reason", "valueString": "x", "resource": {"resourceType": "Basic"}},
                 {"name": "form", "valueBoolean": True}, {"name": "date", "valueDateTime": "2026-11-01", "valueDate": "2026-11-02"},
                 {"name": "recipient", "valueReference": {"reference": "Organization/county-hie", "extension": [{"url": "urn:x"}]}},
                 {"name": "recipient", "valueReference": {"reference": "Organization/county-hie"}, "valueIdentifier": {"value": "1"}},
                 {"name": "purpose", "valueCoding": {"system": "urn:other", "code": "TREAT"}},
                 {"name": "provision", "valueString": "provision", "extension": []}):
        answer = revoke("uu1", what)
        check(answer[0] == 400 and json.loads(answer[2])["issue"][0]["details"]["text"], (what, answer))
    more = {"resourceType": "Parameters", "parameter": [], "implicitRules": "urn:x"}
    check(gateway.request("POST", "/fhir/Consent/uu1/$revoke", more, client="oak-ehr")[0] == 400, "an element beside it")
    answer = gateway.request("POST", "/fhir/Consent/uu1/$revoke?form=said", {"resourceType": "Parameters"}, client="oak-ehr")
    check(answer[0] == 400 and json.loads(answer[2])["issue"][0]["expression"] == ["http.form"], answer)
    for tag, status in (('W/"1"', 412), ('W/"9"', 412), ("nonsense", 400)):
        answer = revoke("uu1", headers={"If-Match": tag})
        check(answer[0] == status and json.loads(answer[2])["issue"][0]["expression"] == ["http.If-Match"], (tag, answer))
        strange = revoke("uu1", headers={"If-Match": tag}, client="star"), revoke("never-uu1", headers={"If-Match": tag}, client="star")
        check(twin(strange[0]) == twin(strange[1]), "who may not revoke learns nothing of versions")
    check(json.loads(get("/fhir/Consent/uu1")[2])["status"] == "active" and get("/fhir/Consent/uu1")[1]["ETag"] == 'W/"2"', "something was revoked")
    check(revoke("uu1", headers={"If-Match": 'W/"1", W/"2"'})[0] == 200, "of the version that is meant")
    for n, body in enumerate(({"resourceType": "Parameters"}, {"resourceType": "Parameters", "id": "x", "meta": {}, "parameter": []})):
        put(consent(f"u2{n}", "pu2"))
        check(gateway.request("POST", f"/fhir/Consent/u2{n}/$revoke", body, client="oak-ehr")[0] == 200, "a plain one")


def a_reference_to_another_server_finds_nobody():
    put(consent("s9", "ps9"))
    host = gateway.request("GET", "/fhir/Consent?patient=ps9", client="oak-ehr")
    own = json.loads(host[2])["link"][0]["url"].split("/Consent")[0]
    for who, total in (("ps9", 1), ("Patient/ps9", 1), (own + "/Patient/ps9", 1), ("https://other.example/fhir/Patient/ps9", 0),
                       (own.replace("/fhir", "/other") + "/Patient/ps9", 0)):
        answer = get("/fhir/Consent?patient=" + who)
        check(answer[0] == 200 and json.loads(answer[2])["total"] == total, (who, answer))
    for name, value in (("patient", "Patient/ps9/_history/1"), ("_count", "1&_count=2"), ("status", "active&status=active"), ("mood", "x")):
        query = f"{name}={value}" if name == "patient" else f"patient=ps9&{name}={value}"
        answer = get("/fhir/Consent?" + query)
        check(answer[0] == 400 and json.loads(answer[2])["issue"][0]["expression"] == ["http." + name], (query, answer))
    gateway.push(bundle(patient("ps10"), consent("s10", "ps10")), client="oak-ehr")
    check(card(consult(own + "/Patient/ps10"))["extension"]["decision"] == "CONSENT_PERMIT", "ours by its URL")
    nobody = twin(consult("nobody-here"))
    for who in ("https://other.example/fhir/Patient/ps10", [{"value": "https://other.example/fhir/Patient/ps10"}],
                "Patient/ps10/_history/1", [{"value": "ps10"}, {"value": "https://other.example/fhir/Patient/ps10"}]):
        check(twin(consult(who)) == nobody, who)


def with_ids_of_its_own_nobody_learns_of_others_consents():
    own = (EXTRA.replace('client "oak-ehr" {', 'client "oak-ehr" { consent-ids = "oak-" ')
                .replace('client "elm-ehr" {', 'client "elm-ehr" { consent-ids = "elm-" '))
    apart = Gateway(extra=own + "limits { asks-a-minute = 12 }", clients=NAMES).start()
    try:
        def send(id, client, method="PUT", **kw):
            path = "/fhir/Consent" + ("" if method == "POST" else "/" + id)
            return apart.request(method, path, None if method == "DELETE" else consent(id, "pi1"), client=client, **kw)
        check(send("oak-1", "oak-ehr")[0] == 201 and send("elm-1", "elm-ehr")[0] == 201, "each its own")
        for client in ("elm-ehr", "star"):
            for method, headers in (("PUT", {}), ("PUT", {"If-None-Match": "*"}), ("PUT", {"If-Match": 'W/"1"'}), ("POST", {}), ("DELETE", {})):
                there, never = (send(id, client, method, headers=headers) for id in ("oak-1", "oak-2"))
                check(there[0] == 403 and twin(there) == twin(never), (client, method, headers, there, never))
            for kind in ("transaction", "collection"):
                there, never = (apart.push(bundle(consent(id, "pi2"), type=kind), client=client) for id in ("oak-1", "oak-2"))
                check(there[0] == 403 and twin(there) == twin(never), (client, kind, there, never))
        check(send("no-prefix", "elm-ehr")[0] == 403 and send("free", "star")[0] == 201, "its own ids and no others; who has none is free")
        made = apart.request("POST", "/fhir/Consent", {k: v for k, v in consent("", "pi1").items() if k != "id"}, client="oak-ehr")
        id = made[1]["Location"].split("/")[1]
        check(id.startswith("oak-") and send(id, "oak-ehr")[0] == 200, made)
        for who, said in (("star", 403), ("elm-ehr", 200)):      # who has no prefix has the id of the urn; else it begins as its own
            form = {k: v for k, v in consent("", "pi3").items() if k != "id"}
            body = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:uuid:oak-1", "resource": form}]}
            answer = apart.push(body, client=who)
            check(answer[0] in (said, 422), (who, answer))
        revoked = apart.request("POST", "/fhir/Consent/oak-1/$revoke", {"resourceType": "Parameters"}, client="officer")
        check(revoked[0] == 200, "a revocation is written for the source")
        guesses = [send("free", "elm-ehr", headers={"If-None-Match": "*"})[0] for _ in range(3)]
        check(guesses == [403] * 3, guesses)
    finally:
        apart.close()
    open_ids = Gateway(extra=EXTRA + "limits { asks-a-minute = 3 }", clients=NAMES).start()
    try:
        until = 60 - time.time() % 60
        if until < 3:
            time.sleep(until)
        check(open_ids.request("PUT", "/fhir/Consent/o1", consent("o1", "po1"), client="oak-ehr")[0] == 201, "oak's")
        guesses = [open_ids.request("PUT", "/fhir/Consent/o1", consent("o1", "po1"), client="elm-ehr")[0] for _ in range(5)]
        check(guesses == [403, 403, 403, 429, 429], guesses)
    finally:
        open_ids.close()

SCENARIOS = [v for v in list(globals().values()) if callable(v) and getattr(v, "__module__", "") == "__main__"
             and v.__name__.count("_") >= 3]

try:
    main(SCENARIOS)
finally:
    gateway.close()

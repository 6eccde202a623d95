"""GET /fhir/AuditEvent: who may audit finds what `log events` prints, page by page, and every look is in the log.

balp/ has the profiles of reads and queries, written down by us; where ../shared is, the published examples must be valid by them.
"""
import base64
import json
import re
import time
import urllib.parse

from audit_events import EXTRA, PUBLISHED, agent, events, named, standing, validated
from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main, until

CLIENTS = "".join(f'client "{name}" {{ certificate-cn = "{name}"  scopes = {{ {scopes} }}  purpose = {{ "HOPERAT" }} }}\n' for name, scopes in (
    ("auditor", '"system/AuditEvent.rs"'), ("searcher", '"system/AuditEvent.s"'), ("one-by-one", '"system/AuditEvent.r"'),
    ("everything", '"system/*.cruds"'), ("consents", '"system/Consent.rs"'), ("nothing", '"system/Condition.c"')))
NAMES = ("auditor", "searcher", "one-by-one", "everything", "consents", "nothing", "oak-ehr")
DISCLOSE = "subtype=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fiso-21089-lifecycle%7Cdisclose"


def opened(**kw):
    return Gateway(extra="limits { asks-a-minute = 100000 }\n" + CLIENTS + EXTRA, clients=NAMES, **kw).start()


def asked(gateway, query, client="auditor", expect=200, **kw):
    status, headers, body = gateway.request("GET", "/fhir/AuditEvent" + query, client=client, **kw)
    check(status == expect, (query, client, status, body[:400]))
    return json.loads(body)


def link(page, relation):
    return next((urllib.parse.urlsplit(l["url"]).query for l in page["link"] if l["relation"] == relation), None)


def walked(gateway, query, between=lambda: None, most=200):
    """All that a search finds, page by page."""
    found, page = [], asked(gateway, "?" + query)
    for _ in range(most):
        check(page["resourceType"] == "Bundle" and page["type"] == "searchset", page)
        for entry in page.get("entry", []):
            check(entry["fullUrl"].endswith("/fhir/AuditEvent/" + entry["resource"]["id"]) and entry["search"] == {"mode": "match"}, entry)
            found.append(entry["resource"])
        following = link(page, "next")
        if following is None:
            return found
        between()
        page = asked(gateway, "?" + following)
    raise AssertionError("pages without an end")


def ids(resources):
    return [r["id"] for r in resources]


def filled(gateway, count=20):
    for n in range(count):
        who = f"p{n}"
        protected = condition(f"c{n}", who, recorder={"reference": "Organization/riverside"})
        check(gateway.push(bundle(patient(who), protected, observation(f"o{n}", who), *([consent(f"k{n}", who)] if n % 2 else [])),
                           client="riverside-ehr" if n % 2 else "valley-ehr")[0] == 200, "push")
    check(gateway.push(bundle(patient("p1"), condition("both", "p1"), patient("ben"), observation("ben-o", "ben")))[0] == 200, "of two")
    unnamed = dict(observation("mrn-o", "p1"), subject={"identifier": {"system": "urn:oid:1.2.3", "value": "MRN-7"}})
    check(gateway.push(bundle(unnamed))[0] == 200, "of somebody who is known by a number alone")
    check(gateway.push(bundle({"resourceType": "Organization", "id": "nobodys", "name": "Oak Street"}))[0] == 200, "of nobody")
    check(gateway.request("PUT", "/fhir/Consent/read", consent("read", "p3"), client="oak-ehr")[0] in (200, 201), "put")
    check(gateway.request("GET", "/fhir/Consent/read", client="oak-ehr")[0] == 200, "read")
    gateway.settled()


def it_says_what_the_command_line_says():
    gateway = opened()
    try:
        filled(gateway)
        theirs = {e["id"]: e for e in events(gateway)}
        check(len(theirs) > 30, len(theirs))
        found = walked(gateway, DISCLOSE + "&_count=7")
        check(len(found) == len(theirs) and {e["id"]: e for e in found} == theirs, "all, once, and the same")
        check([e["recorded"] for e in found] == sorted((e["recorded"] for e in found), reverse=True), "newest first")
        for event in found[:5]:
            status, headers, body = gateway.request("GET", f"/fhir/AuditEvent/{event['id']}", client="auditor")
            check(status == 200 and json.loads(body) == event and headers["Content-Type"].startswith("application/fhir+json"), headers)
        check(ids(walked(gateway, f"_id={found[3]['id']}")) == [found[3]["id"]], "_id")
        status, _, body = gateway.request("POST", "/fhir/AuditEvent/_search", "_count=3&" + DISCLOSE,
                                          client="auditor", headers={"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 200 and ids(e["resource"] for e in json.loads(body)["entry"]) == ids(found[:3]), body[:300])
    finally:
        gateway.close()


def codes(event, list):
    return [c["code"] for p in event.get(list, []) for c in p.get("coding", [p])]


def each_parameter_is_what_it_says():
    gateway = opened()
    try:
        filled(gateway)
        every = walked(gateway, "_count=200")
        moment = every[len(every) // 2]["recorded"]
        consents = [e["what"]["reference"] for v in every for e in v["entity"] if e["type"]["code"] == "Consent" and "role" not in e]
        origin = every[0]["source"]["site"]

        def whats(event):
            return [e["what"]["reference"] for e in event["entity"] if "reference" in e.get("what", {})]

        def of(event):
            return [named(e["what"]) for e in event["entity"] if e.get("role", {}).get("code") == "1"]

        wanted = {
            "patient=Patient/p3": lambda e: "Patient/p3" in of(e), "patient=p3": lambda e: "Patient/p3" in of(e),
            "patient=ben": lambda e: "Patient/ben" in of(e), "patient=nobody": lambda e: False,
            "patient:identifier=urn:oid:1.2.3%7CMRN-7": lambda e: "Patient?identifier=urn:oid:1.2.3|MRN-7" in of(e),
            "patient=https://elsewhere.example/fhir/Patient/p3": lambda e: False,
            f"date={moment}": lambda e: e["recorded"] == moment, f"date=ge{moment}": lambda e: e["recorded"] >= moment,
            f"date=lt{moment}": lambda e: e["recorded"] < moment, f"date=ne{moment}": lambda e: e["recorded"] != moment,
            f"date={moment[:10]}": lambda e: e["recorded"][:10] == moment[:10], "date=gt2999": lambda e: False,
            f"date=ge{moment}&date=le{moment}": lambda e: e["recorded"] == moment,
            "agent=Organization/county-hie": lambda e: "Organization/county-hie" in [a["who"].get("reference") for a in e["agent"]],
            "agent:identifier=http://hl7.org/fhir/sid/us-npi%7C1000000003":
                lambda e: "1000000003" in [a["who"].get("identifier", {}).get("value") for a in e["agent"]],
            "agent:identifier=urn:other%7C1000000003": lambda e: False,
            f"agent={urllib.parse.quote(origin)}": lambda e: True,
            "agent-name=LAKEside": lambda e: any(a.get("name", "").startswith("lakeside") for a in e["agent"]),
            "agent-name=side": lambda e: False,
            "entity=Patient/p3": lambda e: "Patient/p3" in whats(e), "entity=Observation/o4": lambda e: any(w.split("/_history")[0] == "Observation/o4" for w in whats(e)),
            f"entity={consents[0]}": lambda e: consents[0] in whats(e),
            f"entity={consents[0].split('/_history')[0]}": lambda e: any(w.split("/_history")[0] == consents[0].split("/_history")[0] for w in whats(e)),
            "type=110106": lambda e: e["type"]["code"] == "110106", "type=rest": lambda e: e["type"]["code"] == "rest",
            "type=http://dicom.nema.org/resources/ontology/DCM%7C": lambda e: e["type"]["code"] in ("110106", "110113"), "type=110113": lambda e: e["outcome"] == "8",
            "type=urn:other%7C110106": lambda e: False, "subtype=disclose": lambda e: "disclose" in codes(e, "subtype"),
            "subtype=read": lambda e: "read" in codes(e, "subtype"), "subtype=search-type,transaction": lambda e: {"search-type", "transaction"} & set(codes(e, "subtype")),
            "outcome=0": lambda e: e["type"]["code"] != "110113", "outcome=4,8,12": lambda e: e["type"]["code"] == "110113", "outcome=4": lambda e: False, "action=R": lambda e: e["action"] == "R",
            f"source={urllib.parse.quote(origin)}": lambda e: True, "source:identifier=sluice": lambda e: False,
            "purpose=TREAT": lambda e: "TREAT" in codes(e, "purposeOfEvent"), "purpose=HOPERAT": lambda e: "HOPERAT" in codes(e, "purposeOfEvent"),
            f"patient=p3&date=ge{moment}": lambda e: "Patient/p3" in of(e) and e["recorded"] >= moment,
            "patient=p3&subtype=disclose&agent-name=county-hie": lambda e: "Patient/p3" in of(e) and "disclose" in codes(e, "subtype")
                and any(a.get("name") == "county-hie" for a in e["agent"]),
        }
        until_then = every[0]["recorded"]
        for query, fits in wanted.items():
            found = [e for e in walked(gateway, query + "&_count=9") if e["recorded"] <= until_then]
            check(ids(found) == ids(e for e in every if fits(e)), (query, len(found), sum(1 for e in every if fits(e))))
        print(f"      {len(wanted)} searches among {len(every)} events, {sum(any(map(f, every)) for f in wanted.values())} of them find some", flush=True)
    finally:
        gateway.close()


def what_was_withheld_is_one_for_who_may_audit():
    gateway = opened()
    try:
        filled(gateway, 4)
        denials = [r for r in gateway.export()[1] if r["kind"] == "denial"]
        found = walked(gateway, "subtype=AuthZ-Consent")
        check(ids(found) == [r["eventId"] for r in reversed(denials)] and len(found) > 3, (len(found), len(denials)))
        for event, record in zip(reversed(found), denials):
            check(event["outcome"] == "8" and event["outcomeDesc"] == record["withheldReasons"][0]["words"], event)
            check(agent(event, "110150")["name"] == record["recipient"]["name"] and agent(event, "authserver")["requestor"] is False, event)
            check([named(e["what"]) for e in event["entity"] if e.get("role", {}).get("code") == "1"]
                  == [p["patientId"] for p in record.get("patients", [record]) if "patientId" in p], event)
            details = next(e["detail"] for e in event["entity"] if e.get("role", {}).get("code") == "20")
            check([d["valueString"] for d in details if d["type"] == "withheldReason"]
                  == [f"{r['rule']} {r['citation']}: {r['words']}" for r in record["withheldReasons"]], details)
            check([d["valueString"] for d in details if d["type"] == "withheldCount"] == [str(record["withheldCount"])], details)
        done = gateway.cli("validate", "--json", "-", input="\n".join(json.dumps(e) for e in found[:1]).encode())
        check(done.returncode == 0, done.stdout)
        check(not {e["id"] for e in events(gateway)} & set(ids(found)), "log events prints releases")
    finally:
        gateway.close()


def pages_stand_while_more_comes():
    gateway = opened()
    try:
        filled(gateway)
        before = ids(walked(gateway, DISCLOSE + "&_count=200"))
        more = iter(range(1000))

        def push():
            n = next(more)
            check(gateway.push(bundle(patient(f"late{n}"), observation(f"lo{n}", f"late{n}")))[0] == 200, "push")

        found = ids(walked(gateway, DISCLOSE + "&_count=3", between=push))
        check(found == before, "a page took in, or lost, something")
        gateway.settled()
        gateway.stop()
        gateway.start()
        check(ids(walked(gateway, DISCLOSE + "&_count=200"))[-len(before):] == before, "after a restart")
        check("entry" not in asked(gateway, "?_count=0") and link(asked(gateway, "?_count=0"), "next") is None, "nothing of nothing")
        check(len(asked(gateway, "?_count=100000")["entry"]) <= 200, "at most 200")
    finally:
        gateway.close()


def what_was_taken_back_is_not_there():
    gateway = Gateway(attempts=1, extra=CLIENTS, clients=NAMES).start()
    try:
        gateway.hie.close()
        check(gateway.push(bundle(patient("v1"), observation("ov", "v1")))[0] == 200, "push")
        until(lambda: "void" in [r["kind"] for r in gateway.export()[0]], "a void")
        records = gateway.export()[0]
        gone = next(r["voids"] for r in records if r["kind"] == "void")
        check(ids(walked(gateway, DISCLOSE)) == [r["eventId"] for r in reversed(standing(gateway))], "only those that stand")
        for name in (gone, next(r["eventId"] for r in records if r["kind"] == "void"), "none", "0" * 64):
            asked(gateway, "/" + name, expect=404)
            check("entry" not in asked(gateway, f"?_id={name}"), name)
    finally:
        gateway.close()


def who_may_look():
    gateway = opened()
    try:
        filled(gateway, 2)
        event = asked(gateway, "?_count=1&" + DISCLOSE)["entry"][0]["resource"]["id"]
        may = {"auditor": (200, 200), "searcher": (200, 403), "one-by-one": (403, 200), "everything": (403, 403), "consents": (403, 403),
               "nothing": (403, 403), "valley-ehr": (403, 403), "riverside-ehr": (403, 403), "reader": (403, 403), "stranger": (403, 403)}
        for client, (search, read) in may.items():
            answers = {}
            for name, path, expect in (("search", "?_count=1", search), ("of p1", "?patient=p1", search), ("by id", f"?_id={event}", search),
                                       ("read", "/" + event, read), ("none", "/not-there", 404 if read == 200 else read)):
                status, headers, body = gateway.request("GET", "/fhir/AuditEvent" + path, client=client)
                check(status == expect, (client, path, status))
                answers[name] = re.sub(rb'"id":"[^"]*"', b"", body)
                check(status == 200 or (b"p1" not in body and event.encode() not in body), body)
            check(read == 200 or answers["read"] == answers["none"], "who may not look learns nothing of an id")
        status, _, body = gateway.request("POST", "/fhir/AuditEvent/_search", "patient=p1", client="valley-ehr",
                                          headers={"Content-Type": "application/x-www-form-urlencoded"})
        check(status == 403, (status, body))
        for method in ("PATCH", "HEAD"):
            check(gateway.request(method, "/fhir/AuditEvent/" + event, client="auditor")[0] in (405, 501), method)
    finally:
        gateway.close()


def what_is_not_understood_is_refused():
    gateway = opened()
    try:
        filled(gateway, 1)
        wrong = ("foo=1", "date=yesterday", "date=ap2026", "_sort=date", "_sort=patient", "patient=", "patient=p1&patient=p2", "patient=Group/1", "patient=p1,p2",
                 "patient=Patient/p1/_history/1", "patient.name=x", "agent:contains=a", "type:not=rest", "subtype:text=x", "_count=-1", "_count=x", "_count=1&_count=2",
                 "page=1", "page=1-x", "page=-1--1", "page=99999999999999999999-1", "_include=*", "_summary=count", "_elements=id", "_id=a/b", "_id=a&_id=b",
                 "type=" + ",".join("a" * 9), "type=%7C", "outcome=", "agent:identifier=a%7C", "patient:identifier=x", "_total=accurate", "patient=" + "x" * 5000)
        for query in wrong:
            status, _, body = gateway.request("GET", "/fhir/AuditEvent?" + query, client="auditor")
            check(status == 400, (query, status, body[:200]))
            outcome = json.loads(body)
            check(outcome["resourceType"] == "OperationOutcome" and outcome["issue"][0]["expression"][0].startswith("http."), outcome)
        check(gateway.request("GET", "/fhir/AuditEvent?patient=%27%20OR%201%3D1--", client="auditor")[0] == 400, "no id")
        check("entry" not in asked(gateway, "?agent-name=%27%20OR%201%3D1--"), "texts are compared, and nothing else")
        check(gateway.request("GET", "/fhir/AuditEvent/x/_history", client="auditor")[0] == 404, "no history")
    finally:
        gateway.close()


def every_look_is_in_the_log():
    gateway = opened()
    try:
        filled(gateway, 4)
        page = asked(gateway, "?patient=p1&_count=2")
        shown = [e["resource"]["id"] for e in page["entry"]]
        asked(gateway, "/" + shown[0])
        asked(gateway, "/not-there", expect=404)
        asked(gateway, "?date=gt2999")
        gateway.request("POST", "/fhir/AuditEvent/_search", "_count=1", client="auditor", headers={"Content-Type": "application/x-www-form-urlencoded"})
        asked(gateway, "?foo=1", expect=400)
        asked(gateway, "?patient=p1", client="valley-ehr", expect=403)
        readings = [r for r in gateway.export()[1] if r["kind"] == "reading"]
        check([r["act"] for r in readings] == ["search-type", "read", "read", "search-type", "search-type"], readings)
        check(readings[0]["shown"] == shown and readings[0]["request"] == "GET /fhir/AuditEvent?patient=p1&_count=2", readings[0])
        check(readings[0]["patientId"] == "Patient/p1" and readings[0]["recipient"]["name"] == "auditor", readings[0])
        check(readings[1]["shown"] == shown[:1] and readings[1]["patientId"] == "Patient/p1", readings[1])
        check(readings[2]["shown"] == [] and readings[3]["shown"] == [], "nothing was found")
        check(readings[4]["request"] == "POST /fhir/AuditEvent/_search\n_count=1" and len(readings[4]["shown"]) == 1, readings[4])
        check(b"reading" in gateway.cli("log", "show", "-c", gateway.config, "--denials", "--kind", "reading").stdout, "log show")
        looks = [e for e in walked(gateway, "type=rest&_count=200") if e["recorded"] <= readings[-1]["tDecision"]]
        check(ids(looks) == [r["eventId"] for r in reversed(readings)], "each is an AuditEvent")
        check([e["subtype"][0]["code"] for e in looks] == [r["act"] for r in reversed(readings)], looks)
        query = next(e for e in looks[-1]["entity"] if e.get("role", {}).get("code") == "24")
        check(base64.b64decode(query["query"]).decode() == readings[0]["request"], query)
        check(agent(looks[-1], "110153")["who"]["display"] == "auditor" and agent(looks[-2], "110152")["who"]["display"] == "auditor", looks[-2:])
        check(looks[-2]["entity"][1]["what"]["reference"] == "AuditEvent/" + shown[0], looks[-2])
        check("meta" not in looks[-3], "a read that found nothing is none of a resource")
        profiled = [e for e in looks if "meta" in e]
        check(sorted({e["meta"]["profile"][0].rsplit(".", 1)[1] for e in profiled}) == ["PatientQuery", "PatientRead", "Query"], profiled)
        check(validated(gateway, profiled) == [[]] * len(profiled), "valid by the profiles")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        wrong = []
        for change in (lambda e: e["entity"].pop(), lambda e: e["agent"].pop(0), lambda e: e.update(action="D"), lambda e: e["agent"][0].pop("network")):
            wrong.append(json.loads(json.dumps(dict(profiled[-1], entity=[e for e in profiled[-1]["entity"] if e["type"]["code"] != "XrequestId"]))))
            change(wrong[-1])
        check(all(validated(gateway, wrong)), "the profile refuses what is wrong")
        if PUBLISHED.is_dir():
            theirs = [json.loads(f.read_text()) for f in sorted(PUBLISHED.glob("*.json"))]
            theirs = [e for e in theirs if e["meta"].get("profile", [""])[0].rsplit(".", 1)[-1] in ("Query", "PatientQuery", "Read", "PatientRead")]
            check(len(theirs) == 7 and validated(gateway, theirs) == [[]] * 7, "the published examples")
    finally:
        gateway.close()


def it_is_answered_beside_pushes():
    """A long search holds up neither a push nor the next commit."""
    gateway = opened()
    try:
        filled(gateway, 30)
        began = time.time()
        for _ in range(20):
            asked(gateway, "?entity=Observation/none&_count=200")
        print(f"      {(time.time() - began) / 20 * 1000:.1f} ms a search that reads everything", flush=True)
        check(gateway.push(bundle(patient("after"), observation("after-o", "after")))[0] == 200, "push")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([it_says_what_the_command_line_says, each_parameter_is_what_it_says, what_was_withheld_is_one_for_who_may_audit, pages_stand_while_more_comes, what_was_taken_back_is_not_there,
          who_may_look, what_is_not_understood_is_refused, every_look_is_in_the_log, it_is_answered_beside_pushes])

"""Disclosures as AuditEvents: one a standing release, what the record says, and valid by the profile of IHE BALP.

balp/ has that profile's constraints, written down by us; where ../shared is, the published examples must be valid by it, too.
"""
import copy
import json
import pathlib
import tempfile

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main, until

HERE = pathlib.Path(__file__).resolve().parent
PUBLISHED = HERE.parents[2] / "shared/data/bh-examples/balp"
EXTRA = 'client "oak-ehr" { certificate-cn = "oak-ehr"  scopes = { "system/*.cud", "system/Consent.rs" }  part2 = "program" }\n' \
        'route "oak" { from = { "oak-ehr" }  to = { "county-hie", "lakeside-clinic" } }\n'


def events(gateway, *options):
    done = gateway.cli("log", "events", "-c", gateway.config, *options)
    check(done.returncode == 0, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def standing(gateway):
    records, _ = gateway.export()
    back = {r["voids"] for r in records if r["kind"] == "void"}
    return [r for r in records if r["kind"] == "disclosure" and r["eventId"] not in back]


def validated(gateway, resources):
    """The errors of each, by our validator with the profile."""
    with tempfile.NamedTemporaryFile("w", suffix=".ndjson") as f:
        f.writelines(json.dumps(r) + "\n" for r in resources)
        f.flush()
        done = gateway.cli("validate", "--package", str(HERE / "balp"), "--json", f.name)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check(len(lines) == len(resources), done.stderr)
    for line in lines:
        said = json.dumps(line["outcome"])
        check("profile:unknown" not in said, "the profile was not applied")
    return [[i for i in line["outcome"]["issue"] if i["severity"] in ("error", "fatal")] for line in lines]


def agent(event, code):
    found = [a for a in event["agent"] if a["type"]["coding"][0]["code"] == code]
    check(len(found) == 1, (code, event["agent"]))
    return found[0]


def named(what):
    """As the record names a patient."""
    if "reference" in what:
        return what["reference"]
    return f"Patient?identifier={what['identifier'].get('system', '')}|{what['identifier']['value']}"


def says_what_the_record_says(event, record):
    check(event["id"] == record["eventId"] and event["recorded"] == record["tRelease"], event)
    check(event["subtype"][0]["code"] == "disclose" and event["outcome"] == "0", event)
    check([c["coding"][0]["code"] for c in event.get("purposeOfEvent", [])] == record.get("purpose", "").split(), event)
    check(agent(event, "110152")["who"]["display"] == record["recipient"]["name"], event)
    custodians = [a["who"]["display"] for a in event["agent"] if a["type"]["coding"][0]["code"] == "159541003"]
    check(custodians == [d["name"] for d in [record.get("discloser", {})] if "name" in d], (custodians, record))
    people = [named(e["what"]) for e in event["entity"] if e.get("role", {}).get("code") == "1"]
    check(people == [p["patientId"] for p in record.get("patients", [record]) if "patientId" in p], (people, record))
    check(("meta" in event) == ("patientId" in record), "the profile wants a patient")
    items = [e["what"]["reference"].split("/_history/")[0] for e in event["entity"] if e.get("role", {}).get("code") == "4"]
    check(items == [f"{i['type']}/{i['id']}" for i in record["itemsReleased"]], (items, record))
    consents = {e["what"]["reference"].split("/_history/")[0] for e in event["entity"] if "role" not in e and e["type"]["code"] == "Consent"}
    check(consents == {p["consentId"] for p in [record, *record.get("patients", []), *record.get("otherConsents", [])] if "consentId" in p}, (consents, record))
    check(("consentId" in record) == any(a["type"]["coding"][0]["code"] == "429577009" for a in event["agent"]), event)
    job = [e for e in event["entity"] if e.get("role", {}).get("code") == "20"][0]
    detail = {d["type"]: d["valueString"] for d in job["detail"]}
    check(detail["payloadSha256"] == record["payloadSha256"] and detail["basis"] == record["basis"], (detail, record))
    check(detail["payloadBytes"] == str(record["payloadBytes"]), (detail, record))


def every_standing_release_is_one_and_valid():
    gateway = Gateway(extra=EXTRA, clients=("oak-ehr",)).start()
    try:
        for n in range(20):
            who = f"p{n}"
            protected = condition(f"c{n}", who, recorder={"reference": "Organization/riverside"})
            check(gateway.push(bundle(patient(who), protected, observation(f"o{n}", who), *([consent(f"k{n}", who)] if n % 2 else [])),
                               client="riverside-ehr" if n % 2 else "valley-ehr")[0] == 200, "push")
        two = dict(patient("ben"), name=[{"family": "Stone \"B\" O'Hara <b>", "given": ["Ben\u202e"]}])
        check(gateway.push(bundle(patient("p1"), condition("both", "p1"), two, observation("ben-o", "ben")))[0] == 200, "of two")
        unnamed = dict(observation("mrn-o", "p1"), subject={"identifier": {"system": "urn:oid:1.2.3", "value": "MRN-7"}})
        check(gateway.push(bundle(unnamed))[0] == 200, "of somebody who is known by a number alone")
        check(gateway.push(bundle({"resourceType": "Organization", "id": "nobodys", "name": "Oak Street"}))[0] == 200, "of nobody")
        kept = consent("read", "p3")
        check(gateway.request("PUT", "/fhir/Consent/read", kept, client="oak-ehr")[0] in (200, 201), "put")
        check(gateway.request("GET", "/fhir/Consent/read", client="oak-ehr")[0] == 200, "read")
        gateway.settled()
        made, records = events(gateway), standing(gateway)
        check(len(made) == len(records) > 30, (len(made), len(records)))
        for event, record in zip(made, records):
            says_what_the_record_says(event, record)
        check({e["subtype"][1]["code"] for e in made} == {"transaction", "read"}, "pushes and a read")
        check(any(len(r.get("patients", [])) == 2 for r in records), "one of two patients")
        check(any("patientId" not in r for r in records), "one of nobody")
        check(any(r.get("patientId") == "Patient?identifier=urn:oid:1.2.3|MRN-7" for r in records), "one by a number")
        for event, errors in zip(made, validated(gateway, made)):
            check(errors == [], (errors, event))
        print(f"      {len(made)} AuditEvents", flush=True)
        check([e["id"] for e in events(gateway, "--patient", "Patient/ben")]
              == [r["eventId"] for r in records if any(p.get("patientId") == "Patient/ben" for p in r.get("patients", [r]))], "of one")
        check([e["id"] for e in events(gateway, "--to", "lakeside-clinic")]
              == [r["eventId"] for r in records if r["recipient"]["name"] == "lakeside-clinic"], "to one")
        middle = records[len(records) // 2]["tRelease"]
        check([e["id"] for e in events(gateway, "--since", middle)] == [r["eventId"] for r in records if r["tRelease"] >= middle], "since")
    finally:
        gateway.close()


def what_a_void_took_back_is_none():
    gateway = Gateway(attempts=1).start()
    try:
        gateway.hie.close()
        check(gateway.push(bundle(patient("v1"), observation("ov", "v1")))[0] == 200, "push")
        until(lambda: "void" in [r["kind"] for r in gateway.export()[0]], "a void")
        records = standing(gateway)
        check([e["id"] for e in events(gateway)] == [r["eventId"] for r in records], "only those that stand")
        check("county-hie" not in [r["recipient"]["name"] for r in records], records)
    finally:
        gateway.close()


def the_profile_refuses_what_is_wrong():
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient("w1"), observation("ow", "w1")))[0] == 200, "push")
        gateway.settled()
        good = events(gateway)[0]
        ways = {
            "no source": lambda e: e["agent"].pop(0), "no recipient": lambda e: e["agent"].pop(1),
            "another type": lambda e: e["type"].update(code="110107"), "no disclosure": lambda e: e["subtype"].pop(0),
            "another action": lambda e: e.update(action="C"), "no outcome": lambda e: e.pop("outcome"),
            "no network": lambda e: e["agent"][1].pop("network"), "no patient": lambda e: e["entity"].pop(0),
            "another observer": lambda e: e["source"]["observer"].update(display="somebody else"),
            "two patients": lambda e: e["entity"].append(copy.deepcopy(e["entity"][0])),
        }
        wrong = []
        for change in ways.values():
            wrong.append(copy.deepcopy(good))
            change(wrong[-1])
        for way, errors in zip(ways, validated(gateway, wrong)):
            check(errors != [], f"{way}: not refused")
        if PUBLISHED.is_dir():
            theirs = [json.loads(f.read_text()) for f in sorted(PUBLISHED.glob("AuditEvent-ex-auditPrivacyDisclosure-source*.json"))]
            check(len(theirs) > 1 and validated(gateway, theirs) == [[]] * len(theirs), "the published examples")
            check(all(set(t) - {"text", "meta", "outcomeDesc"} <= set(good) | {"text"} for t in theirs), "a member that theirs have")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([every_standing_release_is_one_and_valid, what_a_void_took_back_is_none, the_profile_refuses_what_is_wrong])

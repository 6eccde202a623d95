"""What an officer puts on file decides in `serve`: added, ended, restricted, declared."""
import hashlib
import json
import os
import sqlite3
import subprocess
import threading
import time

from bundles import bundle, condition, consent, observation, patient
from harness import SLUICE, Gateway, Sink, check, main

EXTRA = """
recipient "lab" {{ url = "http://127.0.0.1:{lab}/fhir"  identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000004" }}
    reference = "Organization/lab"  class = {{ "QSO" }}  purpose = {{ "HOPERAT" }} }}
recipient "court" {{ url = "http://127.0.0.1:{court}/fhir"  reference = "Organization/court"  class = {{ "COURT" }}  purpose = {{ "HLEGAL" }} }}
recipient "ward" {{ url = "http://127.0.0.1:{ward}/fhir"  reference = "Organization/ward"  class = {{ "CE_PROVIDER" }}  purpose = {{ "TREAT" }} }}
client "clinic-ehr" {{ certificate-cn = "stranger"  scopes = {{ "system/*.cud" }}  part2 = "unknown"  reference = "Organization/lakeside"  holder = "H_CEBA_TPO" }}
route "more" {{ from = {{ "riverside-ehr", "clinic-ehr" }}  to = {{ "lab", "court", "ward" }} }}
"""

lab, court, ward = Sink(), Sink(), Sink()
gateway = Gateway(extra=EXTRA.format(lab=lab.port, court=court.port, ward=ward.port)).start()
number = 0


def papers(**lists):
    global number
    number += 1
    path = gateway.at(f"papers-{number}.json")
    with open(path, "w") as f:
        json.dump(lists, f, indent=1)
    return path


def sluice(*args, code=0, **kw):
    done = gateway.cli(*args[:2], "-c", gateway.config, *args[2:], **kw)
    check(done.returncode == code, (args, done.returncode, done.stdout, done.stderr))
    return done.stdout.decode() + done.stderr.decode()


def add(*options, code=0, **lists):
    return sluice("file", "add", papers(**lists), *options, code=code)


def denied(recipient, who=None):
    """The last denial of that recipient, about that patient."""
    return [r for r in gateway.export()[1] if r["kind"] == "denial" and r["recipient"]["name"] == recipient
            and who in (None, r["patientId"])][-1]


def push(id, *resources, client="riverside-ehr"):
    answer = gateway.push(bundle(patient(id), *resources), client=client)
    check(answer[0] == 200, answer)
    gateway.settled()


def has(sink, word):
    return any(word.encode() in body for body in sink.bodies())


def oud(id, name):
    return condition(name, id)


QSOA = {"id": "qsoa-lab", "kind": "qsoa", "from": "2026-01-01", "party": "Organization/lab",
        "discloser": "Organization/riverside", "says": ["bound-by-part-2", "resists-in-proceedings"]}


def an_agreement_is_filed_and_the_record_goes_to_the_laboratory_until_it_ends():
    push("q1", oud("q1", "q1-before"))
    check(not has(lab, "q1-before"), "without an agreement")
    add(documents=[QSOA])
    push("q1", oud("q1", "q1-with"))
    check(has(lab, "q1-with"), "with an agreement")
    disclosures, _ = gateway.export()
    mine = [r for r in disclosures if r["recipient"]["name"] == "lab"][-1]
    check(mine["basis"].startswith("R-10") and [d["id"] for d in mine["documents"]] == ["qsoa-lab"], mine)
    version = json.loads(sluice("file", "show", "qsoa-lab", "--json"))["versions"][0]
    check(mine["documents"][0]["sha256"] == version["sha256"] == hashlib.sha256(version["paper"].encode()).hexdigest(),
          (mine, version))
    sluice("file", "end", "qsoa-lab", "--why", "terminated by the laboratory")
    push("q1", oud("q1", "q1-after"))
    check(not has(lab, "q1-after"), "after its end")
    mine = denied("lab")
    check([d["id"] for d in mine["documents"]] == ["qsoa-lab"] and mine["documents"][0]["version"] == 2, mine)


def every_filing_is_a_leaf_of_the_log_of_denials():
    _, denials = gateway.export()
    mine = [r for r in denials if r["kind"] == "filing"]
    check([(r["act"], r["documents"][0]["id"]) for r in mine[:2]] == [("filed", "qsoa-lab"), ("ended", "qsoa-lab")], mine)
    check(mine[0]["account"] == mine[1]["account"] and mine[1]["why"] == "terminated by the laboratory", mine)
    version = json.loads(sluice("file", "show", "qsoa-lab", "--json"))["versions"][0]
    check(mine[0]["documents"][0]["sha256"] == version["sha256"], mine)
    sluice("log", "verify")


def an_end_that_is_to_come_closes_when_it_comes():
    add("--new-version", "--why", "for a moment", documents=[QSOA])
    soon = time.time() + 3
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(soon))
    sluice("file", "end", "qsoa-lab", "--at", stamp, "--why", "notice was given")
    push("q4", oud("q4", "q4-until"))
    check(has(lab, "q4-until"), "until then")
    lab.answer = 503
    check(gateway.push(bundle(patient("q4"), oud("q4", "q4-waits")), client="riverside-ehr")[0] == 200, "push")
    time.sleep(max(0, int(soon) + 1.2 - time.time()))
    tried = len(lab.bodies())
    lab.answer = 200
    gateway.settled()
    push("q4", oud("q4", "q4-then"))
    check(not [b for b in lab.bodies()[tried:] if b"q4-waits" in b or b"q4-then" in b], "from then on")


def what_stood_then_is_what_a_request_file_takes():
    versions = json.loads(sluice("file", "show", "qsoa-lab", "--json"))["versions"]
    then = lambda v: json.loads(sluice("file", "ls", "--papers", "--at", v["at"]))
    check([d["id"] for d in then(versions[0])["documents"]] == ["qsoa-lab"], then(versions[0]))
    check(then(versions[1])["documents"] == [], "after its end")
    now = json.loads(sluice("file", "ls", "--papers"))
    check(set(now) == {"documents", "relationships", "restrictions", "circumstances", "emergencies"}, now)
    request = {"at": versions[0]["at"], "actor": {"reference": "Organization/lab", "class": ["QSO"]}, "purpose": ["HOPERAT"],
               "source": {"part2": "program", "organization": "Organization/riverside"},
               "programs": [{"reference": "Organization/riverside"}]}
    for v, code in ((versions[0], 0), (versions[1], 1)):
        with open(gateway.at("r.json"), "w") as f:
            json.dump(request | then(v), f)
        with open(gateway.at("b.json"), "w") as f:
            json.dump(bundle(patient("q9"), oud("q9", "q9-asked")), f)
        done = gateway.cli("explain", "--request", gateway.at("r.json"), gateway.at("b.json"))
        check(done.returncode == code, (v, done.stdout, done.stderr))


def the_end_of_an_agreement_closes_what_waits_for_delivery():
    add("--new-version", "--why", "signed again", documents=[QSOA])
    lab.answer = 503
    before = len(lab.bodies())
    check(gateway.push(bundle(patient("q2"), oud("q2", "q2-queued")), client="riverside-ehr")[0] == 200, "push")
    check(lab.wait(before + 1), "the first try")
    sluice("file", "end", "qsoa-lab", "--why", "breach")
    tried = len(lab.bodies())
    lab.answer = 200
    gateway.settled()
    check(not [b for b in lab.bodies()[tried:] if b"q2-queued" in b], "sent after the end")


def an_order_without_a_subpoena_waits_for_counsel():
    order = {"id": "order-1", "kind": "court-order-2.64", "from": "2026-01-01", "party": "Organization/court",
             "patient": "Patient/o1", "discloser": "Organization/riverside", "items": ["Condition/o1-ordered"],
             "says": ["counsel-reviewed", "good-cause", "opportunity-to-be-heard"]}
    add(documents=[order])
    push("o1", oud("o1", "o1-ordered"), oud("o1", "o1-other"))
    check(not has(court, "o1-"), "without a subpoena")
    mine = denied("court", "Patient/o1")
    check(any(b["rule"] == "R-19" for b in mine["withheldReasons"]), mine)
    add(documents=[{"id": "subpoena-1", "kind": "subpoena", "from": "2026-01-01", "party": "Organization/court",
                    "patient": "Patient/o1"}])
    push("o1", oud("o1", "o1-ordered"), oud("o1", "o1-other"))
    check(has(court, "o1-ordered") and not has(court, "o1-other"), "what is ordered, and nothing else")


def who_treats_the_patient_is_known_by_what_is_filed():
    agreed = consent("c-t1", "t1", date="2026-10-01")
    del agreed["provision"]["actor"]
    agreed["extension"] = [{"url": "https://sluice.example/fhir/StructureDefinition/consent-recipient-class",
                            "valueCode": "TREATING_PROVIDERS"}]
    push("t1", oud("t1", "t1-before"), agreed)
    check(not has(gateway.hie, "t1-before"), "a claim is no evidence")
    add(relationships=[{"id": "seen-t1", "provider": "Organization/county-hie", "patient": "Patient/t1", "kind": "encounter",
                        "from": "2026-10-02"}])
    push("t1", oud("t1", "t1-seen"))
    check(has(gateway.hie, "t1-seen") and not has(gateway.clinic, "t1-seen"), "who has seen the patient, and nobody else")
    sluice("file", "end", "seen-t1", "--why", "another patient of the same name")
    push("t1", oud("t1", "t1-wrong"))
    check(not has(gateway.hie, "t1-wrong"), "the evidence was taken back")


def a_program_that_is_closed_in_a_disaster_lets_others_go_on_until_it_resumes():
    flood = {"id": "flood-1", "kind": "disaster-declaration", "from": "2026-11-01", "to": "2027-01-31", "party": "Organization/ward",
             "discloser": "Organization/riverside"}
    add(documents=[flood])
    push("f1", oud("f1", "f1-flood"))
    check(has(ward, "f1-flood"), "2.51(a)(2)")
    disclosures, _ = gateway.export()
    mine = [r for r in disclosures if r["recipient"]["name"] == "ward"][-1]
    check(mine["basis"] == "R-13 42 CFR 2.51(a)(2)" and mine["documents"][0]["id"] == "flood-1", mine)
    sluice("file", "end", "flood-1", "--why", "the program has resumed")
    push("f1", oud("f1", "f1-resumed"))
    check(not has(ward, "f1-resumed"), "resumed")


def a_restriction_closes_what_a_consent_opens_until_the_patient_ends_it():
    push("r1", oud("r1", "r1-open"), consent("c-r1", "r1"))
    check(has(gateway.hie, "r1-open"), "by consent")
    add(restrictions=[{"id": "restrict-1", "patient": "Patient/r1", "recipient": ["Organization/county-hie"],
                       "agreed": True, "selfPay": True, "from": "2026-01-01"}])
    push("r1", oud("r1", "r1-restricted"))
    check(not has(gateway.hie, "r1-restricted"), "restricted")
    mine = denied("county-hie", "Patient/r1")
    check([d["id"] for d in mine["documents"]] == ["restrict-1"], mine)
    told = sluice("file", "end", "restrict-1", "--why", "we would rather not", code=1)
    check("--patient-agreed" in told, told)
    told = add("--new-version", "--why", "weaker", code=1, restrictions=[
        {"id": "restrict-1", "patient": "Patient/r1", "agreed": False, "from": "2026-01-01"}])
    check("--patient-agreed" in told, told)
    sluice("file", "end", "restrict-1", "--why", "the patient asked for it", "--patient-agreed")
    push("r1", oud("r1", "r1-again"))
    check(has(gateway.hie, "r1-again"), "ended by the patient's word")


def a_restriction_that_is_ended_without_the_patient_holds_for_what_was_there_before():
    dated = lambda id, day: condition(id, "r2", recordedDate=day)
    add(restrictions=[{"id": "restrict-2", "patient": "Patient/r2", "recipient": ["CE_PROVIDER"], "agreed": True,
                       "from": "2026-01-01"}])
    push("r2", dated("r2-all", "2026-03-01"), consent("c-r2", "r2"))
    check(not has(gateway.hie, "r2-all"), "restricted")
    sluice("file", "end", "restrict-2", "--at", "2026-06-01T00:00:00Z", "--why", "we told the patient that we end it")
    push("r2", dated("r2-old", "2026-03-01"), dated("r2-new", "2026-07-01"))
    check(has(gateway.hie, "r2-new") and not has(gateway.hie, "r2-old"), "2.26: effective for what comes after")


def a_consent_that_is_doubted_releases_nothing_until_the_doubt_is_ended():
    push("d1", oud("d1", "d1-agreed"), consent("c-d1", "d1"), observation("d1-a1c", "d1"))
    check(has(gateway.hie, "d1-agreed"), "by consent")
    gateway.hie.answer = 503
    before = len(gateway.hie.bodies())
    check(gateway.push(bundle(patient("d1"), oud("d1", "d1-queued")), client="riverside-ehr")[0] == 200, "push")
    check(gateway.hie.wait(before + 1), "the first try")
    told = add(code=1, circumstances=[{"id": "doubt-d1", "patient": "Patient/d1", "doubts": ["c-d1"]}])
    check("circumstances.doubts" in told and "Consent/ID" in told, told)
    add(circumstances=[{"id": "doubt-d1", "patient": "Patient/d1", "doubts": ["Consent/c-other", "Consent/c-d1"]}])
    tried = len(gateway.hie.bodies())
    gateway.hie.answer = 200
    gateway.settled()
    check(not [b for b in gateway.hie.bodies()[tried:] if b"d1-queued" in b], "sent under a consent that is doubted")
    push("d1", oud("d1", "d1-doubted"))
    push("d1", oud("d1", "d1-again"), consent("c-d1", "d1"))
    push("d2", oud("d2", "d2-other"), consent("c-d2", "d2"))
    check(not has(gateway.hie, "d1-doubted") and not has(gateway.hie, "d1-again"), "the next version of it changes nothing")
    check(has(gateway.hie, "d2-other"), "another consent is none of it")
    filed = [r for r in gateway.export()[1] if r["kind"] == "filing"][-1]
    check(filed["documents"][0]["id"] == "doubt-d1" and filed["patientId"] == "Patient/d1", filed)
    sluice("file", "end", "doubt-d1", "--why", "the patient came and signed before us")
    push("d1", oud("d1", "d1-sure"))
    check(has(gateway.hie, "d1-sure"), "the doubt is ended")


def emergency(id, who, **more):
    now = time.time()
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))
    return {"id": id, "patient": f"Patient/{who}", "party": "Organization/ward", "declaredBy": "Dr. Okafor",
            "affiliation": "County Hospital, emergency ward", "discloser": "R. Chen", "nature": "unresponsive",
            "whyUnobtainable": "unconscious, no representative", "from": stamp(now - 60), "to": stamp(now + 3600), **more}


def an_emergency_with_all_of_2_51_c_opens_and_is_recorded():
    push("e1", oud("e1", "e1-before"))
    check(not has(ward, "e1-before"), "before")
    add(emergencies=[emergency("er-1", "e1")])
    push("e1", oud("e1", "e1-urgent"))
    check(has(ward, "e1-urgent"), "in the emergency")
    disclosures, _ = gateway.export()
    mine = [r for r in disclosures if r["recipient"]["name"] == "ward"][-1]
    check(mine["basis"].startswith("R-13") and mine["emergency"] == {
        "declaredBy": "Dr. Okafor", "medicalPersonnel": "Dr. Okafor", "affiliation": "County Hospital, emergency ward",
        "disclosedBy": "R. Chen", "nature": "unresponsive", "whyConsentUnobtainable": "unconscious, no representative"},
          mine)
    event = json.loads(sluice("log", "events", "--patient", "Patient/e1", "--to", "ward").splitlines()[-1])
    said = {d["type"]: d["valueString"] for e in event["entity"] for d in e.get("detail", [])}
    check({f"emergency.{k}": v for k, v in mine["emergency"].items()}.items() <= said.items(), said)
    check("review is due" in sluice("file", "ls", "--review") and "er-1" in sluice("file", "ls", "--review"), "review")
    push("e2", oud("e2", "e2-other"))
    check(not has(ward, "e2-other"), "another patient's")
    answer = gateway.push(bundle(patient("e1"), oud("e1", "e1-both"), patient("e2"), oud("e2", "e2-both")),
                          client="riverside-ehr")
    check(answer[0] == 200, answer)
    gateway.settled()
    check(has(ward, "e1-both") and not has(ward, "e2-both"), "of two in one Bundle")
    sluice("file", "review", "er-1", "--why", "in order")
    check("er-1" not in sluice("file", "ls", "--review"), "reviewed")
    sluice("file", "end", "er-1", "--why", "the patient is awake")
    push("e1", oud("e1", "e1-after"))
    check(not has(ward, "e1-after"), "afterwards")


def an_emergency_whose_time_is_over_is_listed_as_ended():
    stamp = lambda ago: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))
    add(emergencies=[emergency("er-over", "e7", **{"from": stamp(7200), "to": stamp(3600)}), emergency("er-on", "e7")])
    listed = {p["id"]: p["state"] for p in json.loads(sluice("file", "ls", "--json", "--patient", "Patient/e7"))["papers"]}
    check(listed == {"er-over": "ended", "er-on": "stands"}, listed)
    check("er-over" in sluice("file", "ls", "--review"), "it is still due for review")


def an_emergency_that_lacks_something_is_kept_and_opens_nothing():
    lame = emergency("er-2", "e3")
    del lame["discloser"]
    told = add(code=7, emergencies=[lame])
    check("2.51(c)(2)" in told, told)
    push("e3", oud("e3", "e3-urgent"))
    check(not has(ward, "e3-urgent"), "it lacks who discloses")
    mine = denied("ward", "Patient/e3")
    check([d["id"] for d in mine["documents"]] == ["er-2"], mine)
    add("--new-version", "--why", "completed", emergencies=[emergency("er-2", "e3")])
    push("e3", oud("e3", "e3-urgent"))
    check(has(ward, "e3-urgent"), "complete")


def a_copy_goes_on_as_the_capacity_it_is_held_in_allows():
    inherited = lambda id, who: oud(who, id) | {"meta": {"security": [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}]}}
    push("h1", inherited("h1-copy", "h1"), client="stranger")
    check(has(ward, "h1-copy"), "a covered entity's copy goes on for treatment, B2-1")
    disclosures, _ = gateway.export()
    mine = [r for r in disclosures if r["recipient"]["name"] == "ward"][-1]
    check(mine["discloser"]["holderClass"] == "H_CEBA_TPO" and mine["basis"].startswith("B2-"), mine)
    check(not has(court, "h1-copy") and not has(lab, "h1-copy"), "not into proceedings")
    push("h2", inherited("h2-copy", "h2"), client="unknown-ehr")
    check(not has(gateway.hie, "h2-copy"), "in no known capacity")


def what_is_wrong_is_said_with_line_and_column_and_nothing_is_filed():
    told = add(code=1, documents=[QSOA | {"id": "fine"}, {"id": "x", "kind": "qsoas", "from": "2026-01-01"}])
    check("documents.kind" in told and "papers-" in told and "nothing of it is filed" in told, told)
    check("fine" not in sluice("file", "ls", "--all"), "half of it")
    check("no paper of this id" in sluice("file", "show", "fine", code=1), "show")
    check("no paper of this id" in sluice("file", "end", "fine", "--why", "x", code=1), "end")
    check("--new-version" in add(code=1, documents=[QSOA]), "there already")
    check("another patient" in add("--new-version", "--why", "x", code=1, documents=[QSOA | {"patient": "Patient/q1"}]), "patient")
    check("another kind" in add("--new-version", "--why", "x", code=1, restrictions=[
        {"id": "qsoa-lab", "patient": "Patient/q1"}]), "kind")
    sluice("file", "end", "qsoa-lab", code=2)
    sluice("file", "ls", "--kind", "agreements", code=2)
    check("want Patient/ID" in sluice("file", "ls", "--patient", "patient/p1", code=2), "no reference")
    check(sluice("file", "ls", "--all", "--patient", "q2") == sluice("file", "ls", "--all", "--patient", "Patient/q2"), "q2")
    check(sluice("file", "ls", "--all", "--patient", "t1") != "", "t1")
    seen = {"id": "backwards", "provider": "Organization/ward", "patient": "Patient/q1", "kind": "encounter"}
    told = add(code=1, relationships=[seen | {"from": "2026-12-01", "to": "2026-01-01"}])
    check("relationships.to" in told and "not before `from`" in told, told)
    add(relationships=[seen | {"id": "one-day", "from": "2026-10-02T15:00:00Z", "to": "2026-10-02"}])
    for id in ("qsoa-lab", "seen-t1", "one-day"):
        check("needs no review" in sluice("file", "review", id, "--why", "looked", code=1), id)
    sluice("file", "review", "er-1", "--why", "looked at once more, after its end")
    broken = gateway.at("broken.json")
    with open(broken, "w") as f:
        f.write('{"documents":[{"id":"a","id":"b"}]}')
    sluice("file", "add", broken, code=1)
    done = gateway.cli("policy", "lint", "--format", "junit", broken)
    check(b'<testsuites name="sluice policy lint">' in done.stdout, done)
    sluice("file", "add", gateway.at("not-there.json"), code=2)


def two_at_once_are_one_after_the_other():
    files = [papers(documents=[QSOA | {"id": f"many-{i}"}]) for i in range(8)] + [papers(documents=[QSOA | {"id": "one"}])
                                                                                for _ in range(4)]
    done = []
    threads = [threading.Thread(target=lambda f=f: done.append(gateway.cli("file", "add", "-c", gateway.config, f).returncode))
               for f in files]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(sorted(done) == [0] * 9 + [1] * 3, done)
    listed = json.loads(sluice("file", "ls", "--json"))["papers"]
    check({f"many-{i}" for i in range(8)} | {"one"} <= {p["id"] for p in listed}, listed)


def what_was_filed_is_there_after_a_crash_and_may_be_filed_while_nothing_runs():
    add(documents=[QSOA | {"id": "before-the-crash"}])
    for i in range(8):
        sluice("file", "end", f"many-{i}", "--why", "tidy")
    sluice("file", "end", "one", "--why", "tidy")
    gateway.kill()
    check("before-the-crash" in sluice("file", "ls"), "after kill -9")
    sluice("file", "end", "before-the-crash", "--why", "while nothing runs")
    add(relationships=[{"id": "rel-1", "provider": "Organization/ward", "patient": "Patient/q3", "kind": "encounter",
                        "from": "2026-11-01"}])
    gateway.start()
    push("q3", oud("q3", "q3-none"))
    check(not has(lab, "q3-none"), "ended while nothing ran")
    add("--new-version", "--why", "signed", documents=[QSOA])
    gateway.kill()
    gateway.start()
    push("q3", oud("q3", "q3-some"))
    check(has(lab, "q3-some"), "read again at the start")


def nobody_else_may_file():
    if os.geteuid() != 0:
        return
    for running in (True, False):
        if not running:
            gateway.stop()
        os.chmod(gateway.folder, 0o755)
        os.chmod(gateway.config, 0o644)
        path = papers(documents=[QSOA | {"id": "intruder"}])
        os.chmod(path, 0o644)
        done = subprocess.run([SLUICE, "file", "add", "-c", gateway.config, path], user=65534, group=65534, extra_groups=[],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(done.returncode == 5, (running, done.returncode, done.stderr))
    check("intruder" not in sluice("file", "ls", "--all"), "filed")
    check(sluice("log", "verify") is not None, "the log verifies")


def nobody_changes_what_is_on_file_unseen():
    store, whole = gateway.at("sluice.db"), gateway.at("whole.db")
    with open(store, "rb") as f, open(whole, "wb") as out:
        out.write(f.read())
    check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "as it is")
    weaker = '{"id":"restrict-1","patient":"Patient/r1","agreed":false}'
    for words, change in (
            ("other bytes", f"UPDATE filing SET body = '{weaker}' WHERE id = 'restrict-1' AND version = 1"),
            ("other bytes and their hash", f"UPDATE filing SET body = '{weaker}', sha256 = '{hashlib.sha256(weaker.encode()).hexdigest()}'"
                                           " WHERE id = 'restrict-1' AND act = 2"),
            ("another end", "UPDATE filing SET ended = 1 WHERE id = 'er-1' AND act = 2"),
            ("another patient", "UPDATE filing SET patient = 'Patient/zz' WHERE id = 'er-2'"),
            ("none stands", "UPDATE filing SET current = 0 WHERE id = 'order-1'"),
            ("an older one stands", "UPDATE filing SET current = 1 WHERE id = 'qsoa-lab'"),
            ("ended by nobody's word", "UPDATE filing SET by_patient = 1 - by_patient WHERE act = 2 AND id = 'qsoa-lab'"),
            ("taken out", "DELETE FROM filing WHERE id = 'subpoena-1'"),
            ("the last taken out", "DELETE FROM filing WHERE number = (SELECT max(number) FROM filing)"),
            ("put in", "INSERT INTO filing SELECT 100000, 'forged', 1, 1, kind, act, at, generation, patient, ended, by_patient,"
                       " patients, reviewed, sha256, who, why, body FROM filing WHERE id = 'subpoena-1'")):
        db = sqlite3.connect(store)
        check(db.execute(change).rowcount > 0, words)
        db.commit()
        db.close()
        done = gateway.cli("log", "verify", "-c", gateway.config)
        check(done.returncode == 6 and b"paper " in done.stdout, (words, done.stdout, done.stderr))
        for suffix in ("-wal", "-shm"):
            if os.path.exists(store + suffix):
                os.unlink(store + suffix)
        with open(whole, "rb") as f, open(store, "wb") as out:
            out.write(f.read())
    check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "as it was")


def the_configuration_says_when_a_capacity_makes_no_sense():
    for more, word in (('holder = "H_PROGRAM"  reference = "Organization/x"', "part2"), ('holder = "H_QSO"', "reference"),
                       ('holder = "H_CEBATPO"  reference = "Organization/x"', "did you mean `H_CEBA_TPO`")):
        path = gateway.at("wrong.conf")
        with open(gateway.config) as f, open(path, "w") as out:
            out.write(f.read() + f'\nclient "odd" {{ certificate-cn = "odd"  {more} }}\n')
        done = gateway.cli("config", "check", "-c", path)
        check(done.returncode == 3 and word.encode() in done.stderr, (more, done.stderr))
    gateway.close()


if __name__ == "__main__":
    main([an_agreement_is_filed_and_the_record_goes_to_the_laboratory_until_it_ends,
          every_filing_is_a_leaf_of_the_log_of_denials, what_stood_then_is_what_a_request_file_takes, an_end_that_is_to_come_closes_when_it_comes,
          the_end_of_an_agreement_closes_what_waits_for_delivery, an_order_without_a_subpoena_waits_for_counsel,
          who_treats_the_patient_is_known_by_what_is_filed,
          a_program_that_is_closed_in_a_disaster_lets_others_go_on_until_it_resumes, a_restriction_closes_what_a_consent_opens_until_the_patient_ends_it,
          a_restriction_that_is_ended_without_the_patient_holds_for_what_was_there_before,
          a_consent_that_is_doubted_releases_nothing_until_the_doubt_is_ended,
          an_emergency_with_all_of_2_51_c_opens_and_is_recorded,
          an_emergency_whose_time_is_over_is_listed_as_ended,
          an_emergency_that_lacks_something_is_kept_and_opens_nothing,
          a_copy_goes_on_as_the_capacity_it_is_held_in_allows,
          what_is_wrong_is_said_with_line_and_column_and_nothing_is_filed, two_at_once_are_one_after_the_other,
          what_was_filed_is_there_after_a_crash_and_may_be_filed_while_nothing_runs, nobody_else_may_file,
          nobody_changes_what_is_on_file_unseen,
          the_configuration_says_when_a_capacity_makes_no_sense])

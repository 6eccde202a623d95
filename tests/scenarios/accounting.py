"""Accountings when one Bundle is about several patients: complete for each, silent about the others."""
import json
import time

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main


def accounting(gateway, who, *options):
    done = gateway.cli("accounting", "-c", gateway.config, f"Patient/{who}", "--format", "json", *options)
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)["disclosures"], done.stdout.decode()


def to_hie(records):
    return [r for r in records if r["recipient"]["name"] == "county-hie"]


def two_patients_are_each_told_their_own():
    gateway = Gateway().start()
    try:
        gateway.push(bundle(patient("ana"), consent("ana-consent", "ana")), client="riverside-ehr")
        check(gateway.hie.wait(1), "the consent")
        protected = condition("ana-oud", "ana", recorder={"reference": "Organization/riverside"})
        ben = dict(patient("ben"), name=[{"family": "Stone", "given": ["Ben"]}])
        status = gateway.push(bundle(patient("ana"), protected, ben, observation("ben-a1c", "ben"),
                                     observation("ben-b", "ben")))[0]
        check(status == 200, status)
        check(gateway.hie.wait(2), "not delivered")
        check(b"F11.20" in gateway.hie.bodies()[1] and b"ben-a1c" in gateway.hie.bodies()[1], "both left")
        disclosures, _ = gateway.export()
        release = to_hie(disclosures)[-1]
        check([p["patientId"] for p in release["patients"]] == ["Patient/ana", "Patient/ben"], release)
        of_ana, text_ana = accounting(gateway, "ana")
        of_ben, text_ben = accounting(gateway, "ben")
        check([r["eventId"] for r in to_hie(of_ana)][-1] == release["eventId"], "ana's misses it")
        check([r["eventId"] for r in to_hie(of_ben)] == [release["eventId"]], "ben's misses it")
        mine = to_hie(of_ben)[0]
        check([(i["type"], i["id"]) for i in mine["itemsReleased"]]
              == [("Patient", "ben"), ("Observation", "ben-a1c"), ("Observation", "ben-b")], mine)
        check(mine["patientNameAtTime"] == "Ben Stone" and not mine["inPart2Accounting"], mine)
        check(all(word not in text_ben for word in ("ana-", "Patient/ana", "Rivera", "Condition", "consentId", "R-01", "R-02")),
              text_ben)
        check("ben" not in text_ana and "Ben" not in text_ana and "Observation" not in text_ana, text_ana)
        check(to_hie(accounting(gateway, "ben", "--scope", "part2")[0]) == [], "a Part 2 disclosure of somebody else's")
        part2 = to_hie(accounting(gateway, "ana", "--scope", "part2")[0])
        check([r["eventId"] for r in part2][-1] == release["eventId"], "ana's part2")
        check("ben" not in gateway.cli("accounting", "-c", gateway.config, "Patient/ana").stdout.decode(), "text form")
        check(gateway.stop() == 0, "stop")           # the index is in the file now
        check(to_hie(accounting(gateway, "ben")[0]) == [mine], "after a stop")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
    finally:
        gateway.close()


def who_is_withheld_is_not_accounted_for():
    gateway = Gateway().start()
    try:
        protected = condition("ana-oud", "ana", recorder={"reference": "Organization/riverside"})
        check(gateway.push(bundle(protected, patient("ben"), observation("ben-a1c", "ben")))[0] == 200, "push")
        check(gateway.hie.wait(1), "not delivered")
        check(b"F11.20" not in gateway.hie.bodies()[0], "protected data left")
        check(accounting(gateway, "ana")[0] == [], "an accounting of what did not leave")
        disclosures, denials = gateway.export()
        check({r["patientId"] for r in disclosures} == {"Patient/ben"}, disclosures)
        check({r["patientId"] for r in denials} == {"Patient/ana"}, denials)
        check(all("ana" not in json.dumps(r) for r in disclosures), "a release tells what was kept back")
    finally:
        gateway.close()


def all_may_be_withheld_from_several():
    gateway = Gateway().start()
    try:
        status = gateway.push(bundle(patient("ana"), observation("ana-a1c", "ana"), patient("ben"),
                                     observation("ben-a1c", "ben")), client="riverside-ehr")[0]
        check(status == 200, status)
        disclosures, denials = gateway.export()
        check(disclosures == [] and gateway.hie.bodies() == [], "something of the program left without consent")
        check({tuple(p["patientId"] for p in r["patients"]) for r in denials} == {("Patient/ana", "Patient/ben")}, denials)
    finally:
        gateway.close()


def three_hundred_patients_are_each_told_their_own():
    gateway = Gateway().start()
    try:
        people = [f"p{n:03}" for n in range(300)]
        parts = [r for p in people for r in (patient(p), observation(f"o-{p}", p))]
        check(gateway.push(bundle(*parts))[0] == 200, "push")
        check(gateway.hie.wait(1), "not delivered")
        for p in (people[0], people[1], people[150], people[299]):
            records, text = accounting(gateway, p)
            mine = to_hie(records)
            check(len(mine) == 1, f"{p}: {len(mine)}")
            check([i["id"] for i in mine[0]["itemsReleased"]] == [p, f"o-{p}"], mine)
            check(all(f'"{q}"' not in text and f"/{q}" not in text for q in people if q != p), text)
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        gateway.kill()                               # the index is made again from the rows
        gateway.start()
        check(len(to_hie(accounting(gateway, people[299])[0])) == 1, "after a crash")
        check(gateway.stop() == 0, "stop")
        check(len(to_hie(accounting(gateway, people[299])[0])) == 1, "after a stop")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify after a stop")
    finally:
        gateway.close()


def every_consent_of_a_release_is_named():
    gateway = Gateway().start()
    try:
        gateway.push(bundle(patient("ana"), consent("ana-consent", "ana"), patient("ben"), consent("ben-consent", "ben")),
                     client="riverside-ehr")
        check(gateway.hie.wait(1), "the consents")
        riverside = {"reference": "Organization/riverside"}
        status = gateway.push(bundle(patient("ana"), condition("ana-oud", "ana", recorder=riverside),
                                     patient("ben"), condition("ben-oud", "ben", recorder=riverside)),
                              client="riverside-ehr")[0]
        check(status == 200 and gateway.hie.wait(2), status)
        release = to_hie(gateway.export()[0])[-1]
        check(release["consentId"] == "Consent/ana-consent", release)
        check([c["consentId"] for c in release["otherConsents"]] == ["Consent/ben-consent"], release)
        for who, other in (("ana", "ben"), ("ben", "ana")):
            mine, text = accounting(gateway, who, "--scope", "part2")
            check(to_hie(mine)[-1]["consentId"] == f"Consent/{who}-consent", mine)
            check(f"{other}-consent" not in text and "otherConsents" not in text, "it tells of the other's consent")
    finally:
        gateway.close()


def each_law_has_its_own_list():
    """45 CFR 164.528 leaves out treatment, payment and operations; 42 CFR 2.24 is for intermediaries."""
    gateway = Gateway(extra="""
site { any-purpose = true }
recipient "study" { url = "http://127.0.0.1:1/fhir"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000004" }
    class = { "CE_PROVIDER" }  purpose = { "HRESCH" } }
route "study" { from = { "valley-ehr" }  to = { "study" } }""").start()
    try:
        check(gateway.push(bundle(patient("ana"), observation("a1c", "ana")))[0] == 200, "push")
        check(gateway.hie.wait(1) and gateway.clinic.wait(1), "not delivered")
        everything, _ = accounting(gateway, "ana")
        hipaa, _ = accounting(gateway, "ana", "--scope", "hipaa")
        check({r["recipient"]["name"] for r in everything} == {"county-hie", "lakeside-clinic", "study"}, everything)
        check({r["recipient"]["name"] for r in hipaa} == {"study"}, hipaa)
        check(accounting(gateway, "ana", "--scope", "intermediary")[0] == [], "nobody is an intermediary")
        check("dueBy" not in accounting(gateway, "ana")[1], "the clock of 2.25 is off")
        with open(gateway.config, "a", encoding="utf-8") as f:
            f.write("site { accounting-clock = true }\n")
        due = json.loads(accounting(gateway, "ana")[1])["dueBy"]
        check(due == time.strftime("%Y-%m-%d", time.gmtime(time.time() + 60 * 86400)), due)
    finally:
        gateway.close()


def a_scope_looks_back_as_far_as_its_law():
    """42 CFR 2.25(a) and 2.24 three years, 45 CFR 164.528(a)(1) six; who says --since gets that."""
    gateway = Gateway().start()
    try:
        gateway.push(bundle(patient("ana"), consent("k", "ana"), condition("c", "ana")), client="riverside-ehr")
        check(gateway.hie.wait(1), "not delivered")
        today = time.gmtime()
        for scope, years in (("part2", 3), ("intermediary", 3), ("hipaa", 6)):
            day = 28 if (today.tm_mon, today.tm_mday) == (2, 29) else today.tm_mday
            want = f"{today.tm_year - years:04}-{today.tm_mon:02}-{day:02}"
            check(json.loads(accounting(gateway, "ana", "--scope", scope)[1])["from"] == want, (scope, want))
            for form in ("text", "html"):
                said = gateway.cli("accounting", "-c", gateway.config, "Patient/ana", "--scope", scope, "--format", form).stdout.decode()
                check(f"from {want} on" in said, said)
        check(len(to_hie(accounting(gateway, "ana", "--scope", "part2")[0])) == 1, "it is in the window")
        none, said = accounting(gateway, "ana", "--scope", "part2", "--since", f"{today.tm_year + 1}-01-01")
        check(none == [] and json.loads(said)["from"] == f"{today.tm_year + 1}-01-01", said)
        check("from" not in json.loads(accounting(gateway, "ana")[1]), "without a scope, everything")
    finally:
        gateway.close()


def a_void_is_one_for_each():
    gateway = Gateway(attempts=2)
    gateway.hie.close()                              # nobody listens there
    gateway.start()
    try:
        check(gateway.push(bundle(patient("ana"), observation("a", "ana"), patient("ben"), observation("b", "ben")))[0]
              == 200, "push")
        until, kinds = time.time() + 20, []
        while time.time() < until and "void" not in kinds:
            time.sleep(0.5)
            kinds = [r["kind"] for r in gateway.export()[0]]
        check("void" in kinds, kinds)
        for who in ("ana", "ben"):
            check(to_hie(accounting(gateway, who)[0]) == [], f"{who} is told of a release that was none")
            check(len(accounting(gateway, who)[0]) == 1, f"{who}: what the other recipient got")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        check(gateway.stop() == 0, "stop")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify after a stop")
        check(to_hie(accounting(gateway, "ben")[0]) == [], "after a stop")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([two_patients_are_each_told_their_own, who_is_withheld_is_not_accounted_for, all_may_be_withheld_from_several,
          three_hundred_patients_are_each_told_their_own, every_consent_of_a_release_is_named,
          each_law_has_its_own_list, a_scope_looks_back_as_far_as_its_law,
          a_void_is_one_for_each])

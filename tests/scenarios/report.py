"""The numbers of a period are those of the log, and nobody's record is in them."""
import collections
import json

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main, until

EXTRA = """
recipient "gone" { url = "http://127.0.0.1:1/fhir"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000004" }  class = { "CE_PROVIDER" }  purpose = { "TREAT" }  attempts = 1 }
route "gone" { from = { "valley-ehr" }  to = { "gone" } }
"""
PROGRAM = {"recorder": {"reference": "Organization/riverside"}}


def report(gateway, *options):
    done = gateway.cli("report", "-c", gateway.config, "--json", *options)
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def counted(listed):
    return {one["what"]: one["count"] for one in listed}


def it_says_what_the_records_say():
    gateway = Gateway()
    with open(gateway.config, "a", encoding="utf-8") as f:
        f.write(EXTRA)
    gateway.start()
    try:
        for n in range(12):
            who = f"p{n}"
            parts = (patient(who), condition(f"c{n}", who, **PROGRAM), observation(f"o{n}", who), *([consent(f"k{n}", who)] if n % 3 else []))
            check(gateway.push(bundle(*parts), client="riverside-ehr" if n % 2 else "valley-ehr")[0] == 200, "push")
        gateway.settled()
        until(lambda: "void" in [r["kind"] for r in gateway.export()[0]], "a void")
        check(gateway.cli("accounting", "-c", gateway.config, "Patient/p1").returncode == 0, "a look")
        disclosures, denials = gateway.export()
        back = {r["voids"] for r in disclosures if r["kind"] == "void"}
        releases = [r for r in disclosures if r["kind"] == "disclosure" and r["eventId"] not in back]
        held = [r for r in denials if r["kind"] == "denial"]
        said = report(gateway)
        check(said["disclosures"] == len(releases) > 10 and said["takenBack"] == len(back) > 0, said)
        check(said["withConsent"] == sum("consentId" in r for r in releases) > 0, said)
        check(counted(said["byBasis"]) == collections.Counter(r["basis"] for r in releases), said["byBasis"])
        check(counted(said["byRecipient"]) == collections.Counter(r["recipient"]["name"] for r in releases), said["byRecipient"])
        check(counted(said["byMonth"]) == collections.Counter(r["tRelease"][:7] for r in releases), said["byMonth"])
        check(counted(said["byPurpose"]) == collections.Counter(p for r in releases for p in r["purpose"].split()), said["byPurpose"])
        check(said["denials"] == len(held) > 0 and said["withheld"] == sum(r["withheldCount"] for r in held), said)
        check(counted(said["withheldByReason"]) == collections.Counter(f"{w['rule']} {w['citation']}" for r in held for w in r["withheldReasons"]), said)
        check(said["readings"] == 1 and len(said["readingsBy"]) == 1, said)
        check([one["count"] for one in said["byRecipient"]] == sorted((one["count"] for one in said["byRecipient"]), reverse=True), "the most first")
        check(all(said["exceptions"][name]["count"] == 0 for name in said["exceptions"]), said["exceptions"])
        text = gateway.cli("report", "-c", gateway.config).stdout.decode()
        check(f"{len(releases)}  disclosures" in text and "county-hie" in text and said["checkpoint"].split("\n")[2] in text, text)
        for word in ("Patient/", "Rivera", "Condition", "F11"):
            check(word not in text and word not in json.dumps(said), word)
        middle = releases[len(releases) // 2]["tRelease"]
        check(report(gateway, "--since", middle)["disclosures"] == sum(r["tRelease"] >= middle for r in releases), "since")
        check(report(gateway, "--until", middle)["disclosures"] == sum(r["tRelease"] <= middle for r in releases), "until")
        check(report(gateway, "--since", "2999")["disclosures"] == 0 and report(gateway, "--since", "2999")["byBasis"] == [], "nothing")
        check(gateway.cli("report", "-c", gateway.config, "--since", "soon").returncode == 2, "usage")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([it_says_what_the_records_say])

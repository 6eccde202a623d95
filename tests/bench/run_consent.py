#!/usr/bin/python3
"""What labelling, deciding, closing and redacting costs, beside @asushares/core in the same run.

    cmake --build build --target bench-consent          or
    tests/bench/run_consent.py [--build build] [--rounds 7] [--only PART] [--json FILE]

The peer is an npm package pinned in tests/bench/peers (scripts/bootstrap --bench).  Both take turns on the same Bundle; CPU
seconds of one thread each, medians over rounds.  Parts:

    peer       a Bundle of 100 entries, 37 kB, about 190 codings: milliseconds and the ratio
    slope      1 to 10,000 entries, and 1 to 1,000 consents of the patient; of each the slope of log cost over log size

The Bundle is a visit's: vital signs, conditions, prescriptions, procedures, a report and a plan that refer to them.  Some
of it tells of substance use, some of it comes from a program, some of it is of mental health.  The consent of the patient names
the recipient for treatment and leaves mental health out, so some entries leave, some do not, and what refers to these is edited.
The peer looks codes up and drops whole resources; it follows no reference, reads no text and no source, and decides over all
entries alike.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
TARGET_MS, TARGET_RATIO = 0.5, 50
ICD, SNOMED, RXNORM, LOINC = ("http://hl7.org/fhir/sid/icd-10-cm", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm",
                             "http://loinc.org")
EXTENSION = "https://sluice.example/fhir/StructureDefinition/consent-statement-"


# ---- payload ---------------------------------------------------------------------------------------------------------

def concept(system, code, display):
    return {"coding": [{"system": system, "code": code, "display": display}]}


CONDITIONS = ((ICD, "I10", "Essential hypertension"), (ICD, "F11.20", "Opioid dependence, uncomplicated"), (ICD, "E11.9", "Type 2 diabetes"),
              (ICD, "F33.1", "Major depressive disorder, recurrent, moderate"), (ICD, "J45.20", "Mild intermittent asthma"))
VITALS = (("8867-4", "Heart rate", "/min"), ("9279-1", "Respiratory rate", "/min"), ("8310-5", "Body temperature", "Cel"),
          ("29463-7", "Body weight", "kg"))
DRUGS = ((RXNORM, "1819", "Buprenorphine"), (RXNORM, "29046", "Lisinopril"), (RXNORM, "6809", "Metformin"))


def resource(n):
    """The n-th of a visit: every tenth is a condition, a prescription, a procedure, a report or a plan."""
    about = {"subject": {"reference": "Patient/p"}, **({"encounter": {"reference": f"Encounter/e{n // 100}"}} if n % 10 < 5 else {})}
    ten, kind = n // 10, n % 10
    if n == 0:
        return {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1971-05-20", "name": [{"family": "Example", "given": ["Sample"]}]}
    if n % 100 == 1 or (n == 1):
        return {"resourceType": "Encounter", "id": f"e{n // 100}", "status": "finished", "subject": {"reference": "Patient/p"},
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                "diagnosis": [{"condition": {"reference": f"Condition/r{n // 100 * 100 + 10 * i + 2}"}} for i in range(5)]}
    if kind == 2:
        made = {"resourceType": "Condition", "code": concept(*CONDITIONS[ten % 5]), "recordedDate": "2026-03-02"}
    elif kind == 3:
        made = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": concept(*DRUGS[ten % 3]),
                "reasonReference": [{"reference": f"Condition/r{10 * ten + 2}", "display": CONDITIONS[ten % 5][2]}]}
    elif kind == 4 and ten % 2 == 0:
        made = {"resourceType": "Procedure", "status": "completed", "code": concept(SNOMED, "430193006", "Medication reconciliation"),
                "reasonReference": [{"reference": f"Condition/r{10 * ten + 2}"}]}
        if ten % 4 == 0:
            made["performer"] = [{"actor": {"reference": "Organization/willow"}}]
    elif kind == 4:
        made = {"resourceType": "DiagnosticReport", "status": "final", "code": concept(LOINC, "85353-1", "Vital signs panel"),
                "result": [{"reference": f"Observation/r{10 * ten + i}"} for i in (5, 6, 7)]}
    else:
        code = VITALS[n % 4]
        made = {"resourceType": "Observation", "status": "final", "effectiveDateTime": f"2026-03-{1 + ten % 28:02}",
                "code": {"coding": [{"system": LOINC, "code": code[0]}], "text": code[1]}, "valueQuantity": {"value": 60 + n % 40, "unit": code[2]}}
        made["code"]["coding"].append({"system": SNOMED, "code": "61746007"})
        if n % 7 == 0:
            made["category"] = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}]
    return {**made, "id": f"r{n}", **about}


def bundle(entries):
    made = []
    for n in range(entries):
        one = resource(n)
        made.append({"fullUrl": f"https://ehr.example/{one['resourceType']}/{one['id']}", "resource": one})
    return {"resourceType": "Bundle", "type": "collection", "entry": made}


def consent(n, recipient):
    """Complete by 42 CFR 2.31(a); the last one signed is the recipient's, and leaves mental health out."""
    provision = {"type": "permit", "actor": [{"role": concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "recipient"),
                                              "reference": {"reference": recipient}}],
                 "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code} for code in ("TREAT", "HPAYMT", "HOPERAT")],
                 "provision": [{"type": "deny", "securityLabel": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]}]}
    return {"resourceType": "Consent", "id": f"c{n}", "status": "active",
            "extension": [{"url": EXTENSION + name, "valueBoolean": True} for name in ("revocation", "hipaa", "redisclosure", "refusal")],
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [concept(LOINC, "59284-0", "Consent Document")], "patient": {"reference": "Patient/p"},
            "dateTime": f"2026-{1 + n % 10:02}-{1 + n % 28:02}T10:00:00Z", "performer": [{"reference": "Patient/p"}],
            "organization": [{"reference": "Organization/willow"}], "policy": [{"uri": "https://willow.example.org/forms/release-2026"}],
            "provision": provision}


def facts(consents):
    programs = [{"reference": "Organization/willow", "name": "Willow Bridge Recovery", "source": "https://willow.example.org/fhir",
                 "identifier": [{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1740000017"}]}]
    others = [consent(n, f"Organization/other-{n}") for n in range(consents - 1)]
    return {"at": "2026-11-22T15:00:00Z", "patient": "Patient/p", "purpose": ["TREAT"], "programs": programs,
            "actor": {"reference": "Organization/lakeside", "class": ["CE_PROVIDER"]}, "source": {"part2": "unknown"},
            "consents": others + [consent(consents, "Organization/lakeside")]}


def written(path, value):
    with open(path, "w") as f:
        json.dump(value, f, separators=(",", ":"))
    return path


# ---- parts -----------------------------------------------------------------------------------------------------------

def sluice(o, facts_file, file, rounds, times):
    done = subprocess.run([f"{o.build}/tests/bench/bench_consent", "--rounds", str(rounds), "--times", str(times), facts_file, file],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


class Peer:
    def __init__(self, *args):
        self.process = subprocess.Popen(["node", str(HERE / "peers/consent.mjs"), *args], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise SystemExit("the peer did not start; scripts/bootstrap --bench installs it")

    def round(self):
        self.process.stdin.write("round\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def codings(value):
    if isinstance(value, list):
        return sum(codings(one) for one in value)
    if not isinstance(value, dict):
        return 0
    return ("system" in value and "code" in value) + sum(codings(one) for one in value.values())


def part_peer(o, d):
    whole = bundle(100)
    file, asked = written(f"{d}/100.json", whole), written(f"{d}/facts.json", facts(1))
    theirs = written(f"{d}/consents.json", [{"resourceType": "Consent", "status": "active", "decision": "deny", "provision": [{}]}])
    peer, ours, others = Peer("10", file, theirs), [], []
    for _ in range(o.rounds):
        ours.append(sluice(o, asked, file, 5, 40))
        others.append(peer.round())
    peer.end()
    rounds = [one for run in ours for one in run["rounds"]]
    part   = {name: statistics.median(one[name] for one in rounds) * 1e3 for name in rounds[0]}
    alone, every = part["label"] + part["release"], sum(part.values())
    decide, parse = (statistics.median(one[name] for one in others) * 1e3 for name in ("decide", "parse"))
    about = ours[0]
    print(f"{about['entries']} entries, {about['bytes']:,} bytes, {codings(whole)} codings; {about['outcome']}, {about['leaves']:,} bytes leave; "
          f"CPU of one thread, ms a Bundle, medians of {o.rounds} rounds\n")
    for name, spent in part.items():
        print(f"  sluice, {name:30} {spent:8.3f}")
    print(f"  {'sluice, label + release':38} {alone:8.3f}   under {TARGET_MS} wanted\n  {'sluice, from bytes to bytes':38} {every:8.3f}")
    print(f"  {'@asushares/core, its engine':38} {decide:8.3f}   ({others[0]['codes']:,} codes, {others[0]['kept']} entries kept)\n"
          f"  {'@asushares/core, from bytes to bytes':38} {decide + parse:8.3f}\n")
    ratios = {"alone": decide / alone, "all": (decide + parse) / every}
    print(f"  {ratios['alone']:.0f} times faster; from bytes to bytes {ratios['all']:.0f} times; at least {TARGET_RATIO} wanted")
    return {"ms": part, "alone": alone, "all": every, "peer": {"engine": decide, "parse": parse}, "ratios": ratios}


def slope(points):
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mx, my = (statistics.mean(v) for v in zip(*logs))
    return sum((x - mx) * (y - my) for x, y in logs) / sum((x - mx) ** 2 for x, _ in logs)


def cost(o, facts_file, file, times):
    """Label and release; the least of the rounds, which others disturb least."""
    made = sluice(o, facts_file, file, 9, times)
    return min(one["label"] + one["release"] for one in made["rounds"])


def part_slope(o, d):
    asked, entries, consents = written(f"{d}/facts.json", facts(1)), [], []
    for n in (1, 10, 100, 1000, 3000, 10000):
        entries.append((n, cost(o, asked, written(f"{d}/{n}.json", bundle(n)), max(1, 2000 // n))))
    file = written(f"{d}/100.json", bundle(100))
    for n in (1, 3, 10, 30, 100, 300, 1000):
        consents.append((n, cost(o, written(f"{d}/facts-{n}.json", facts(n)), file, max(2, 100 // n))))
    of_entries = slope(entries[2:])
    print("us an entry: " + ", ".join(f"{n:,}: {spent / n * 1e6:.2f}" for n, spent in entries) + f"; slope from 100 on {of_entries:.3f}")
    base = consents[0][1]
    print("us of 100 entries by consents: " + ", ".join(f"{n:,}: {spent * 1e6:.0f}" for n, spent in consents)
          + "; of each consent more: " + ", ".join(f"{n:,}: {(spent - base) / (n - 1) * 1e6:.2f}" for n, spent in consents[1:])
          + f"; slope from 100 on {slope(consents[4:]):.3f}")
    return {"entries": entries, "consents": consents, "slope": of_entries}


PARTS = {"peer": part_peer, "slope": part_slope}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--json", help="write all figures here")
    o = parser.parse_args()
    o.build = os.path.abspath(o.build)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir="/var/tmp") as d:
        for name in o.only or PARTS:
            figures[name] = PARTS[name](o, d)
            print(flush=True)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(figures, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())

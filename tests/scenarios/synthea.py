"""The Synthea patients of ../shared/data through a running gateway to two recipients.

First from a known non-program, without consents: everything is permitted and
arrives byte for byte.  Then from a sender of whom it is not known whether it is
a Part 2 program, with each patient's consent for the one recipient and none for
the other: what is substance use treatment by its codes reaches the one and not
the other; everything else reaches both, every resource as the exact substring
of what was sent unless something inside it had to go.
"""
import glob
import json
import os
import re
import sys
import time

from harness import SHARED, Gateway, check, main

HIE = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1000000002"}
ITEM = re.compile(r'[,\s]*\{')
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]')


def patients():
    return sorted(glob.glob(os.path.join(SHARED, "data", "synthea", "*.json")))


def value_end(text, at):
    """Where the JSON value that begins at `at` ends."""
    depth = 0
    for token in TOKEN.finditer(text, at):
        kind = token.group()
        depth += (kind in "[{") - (kind in "]}")
        if depth == 0 and (kind in "]}" or kind[0] == '"'):
            return token.end()
    raise ValueError("not a JSON value")


def resources_of(text):
    """Type/id -> the bytes of the resource, of each entry of a Bundle."""
    found, at = {}, text.index("[", text.index('"entry"')) + 1
    while (item := ITEM.match(text, at)) is not None:
        at = item.end() - 1
        end = value_end(text, at)
        start = text.index("{", text.index('"resource"', at))
        raw = text[start:value_end(text, start)]
        resource = json.loads(raw)
        found[f"{resource['resourceType']}/{resource.get('id')}"] = raw
        at = end
    return found


def consent_for(patient):
    return {"resourceType": "Consent", "id": f"c-{patient}", "status": "active",
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "INFA"}]}],
            "patient": {"reference": f"Patient/{patient}"}, "dateTime": "2024-01-01",
            "organization": [{"reference": "Organization/riverside"}],   # who may disclose (docs/decisions/0019)
            "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "42CFRPart2"}]},
            "provision": {"type": "permit", "period": {"start": "2024-01-01", "end": "2035-01-01"},
                          "actor": [{"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                                          "code": "IRCP"}]},
                                     "reference": {"identifier": HIE}}],
                          "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]}}


def everything_permitted_arrives_byte_for_byte():
    files = patients()
    gateway = Gateway().start()
    try:
        total = 0
        begun = time.time()
        for path in files:
            body = open(path, "rb").read()
            status, _, answer = gateway.push(body)
            check(status == 200, (os.path.basename(path), status, answer[:600]))
            total += len(json.loads(body)["entry"])
        for sink in (gateway.hie, gateway.clinic):
            check(sink.wait(len(files), 60), f"{len(sink.received)} of {len(files)} Bundles came")
        sent = {open(path, "rb").read() for path in files}
        whole = sum(1 for body in gateway.hie.bodies() if body in sent)
        same = sum(1 for body in gateway.clinic.bodies() if body in sent)
        print(f"      {len(files)} Bundles, {total} resources, {sum(map(len, sent)) / 1e6:.1f} MB;"
              f" {whole} and {same} Bundles arrived byte for byte in {time.time() - begun:.1f} s", flush=True)
        check(whole == same == len(files), "a permitted Bundle was changed")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        disclosures, denials = gateway.export()
        check(len(disclosures) == 2 * len(files) and not denials, (len(disclosures), len(denials)))
    finally:
        gateway.close()


def arrived(sink, marker):
    """What came of the Bundle that names this patient; {} when nothing did."""
    until = time.time() + 30
    while time.time() < until:
        for body in sink.bodies():
            if marker in body:
                return resources_of(body.decode())
        time.sleep(0.02)
    return {}


def what_is_withheld_from_one_reaches_the_other():
    counts = {"sent": 0, "hie": 0, "hie cut": 0, "clinic": 0, "clinic cut": 0}
    gateway = Gateway().start()
    try:
        for path in patients():
            text = open(path, encoding="utf-8").read()
            sent = resources_of(text)
            patient = next((name.split("/")[1] for name in sent if name.startswith("Patient/")), None)
            if patient is None:              # a file of organizations or practitioners
                continue
            status, _, answer = gateway.push({"resourceType": "Bundle", "type": "transaction", "entry": [
                {"resource": consent_for(patient), "request": {"method": "PUT", "url": f"Consent/c-{patient}"}}]},
                client="unknown-ehr")
            check(status == 200, (status, answer[:600]))
            status, _, answer = gateway.push(text.encode(), client="unknown-ehr")
            check(status == 200, (os.path.basename(path), status, answer[:600]))
            count(gateway, sent, patient, counts)
        print(f"      {counts['sent']} resources; with consent {counts['hie']} arrived ({counts['hie cut']} with something cut),"
              f" without {counts['clinic']} ({counts['clinic cut']} with something cut)", flush=True)
        check(counts["hie"] == counts["sent"] and counts["hie cut"] == 0, "the consent permits everything")
        check(0 < counts["clinic"] < counts["sent"], "without a consent some of it stays")
        check(100 * counts["clinic cut"] < counts["clinic"], "what is not about it keeps its times, places and people")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
    finally:
        gateway.close()


def count(gateway, sent, patient, counts):
    marker = f'"{patient}"'.encode()
    counts["sent"] += len(sent)
    for name, sink in (("hie", gateway.hie), ("clinic", gateway.clinic)):
        for resource, raw in arrived(sink, marker).items():
            if resource in sent:
                counts[name] += 1
                counts[f"{name} cut"] += raw != sent[resource]


if __name__ == "__main__":
    if not patients():
        print("no ../shared/data/synthea: skipped")
        sys.exit(0)
    main([everything_permitted_arrives_byte_for_byte, what_is_withheld_from_one_reaches_the_other])

"""Many disclosures through a running gateway: what its log, its accountings and its AuditEvents say is what the recipients got.

300 pushes to two recipients; SLUICE_LONG=1: 7,000, which are more than 10,000 disclosures.  SLUICE_SEED another beginning.  Recipients fail now and then.
"""
import concurrent.futures
import hashlib
import json
import os
import random
import subprocess
import sys
import threading

from audit_api import CLIENTS, NAMES, walked
from audit_events import standing, validated
from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main

LONG = os.environ.get("SLUICE_LONG") == "1"
SEED = int(os.environ.get("SLUICE_SEED", "1"))
PUSHES, PEOPLE, THREADS = (7000, 400, 16) if LONG else (300, 40, 8)
PROGRAM = {"recorder": {"reference": "Organization/riverside"}}


def a_push(n):
    """(bundle, client): one patient or two, of a program or not, with a consent or without."""
    draw = random.Random(SEED * 1_000_003 + n)
    people = draw.sample(range(PEOPLE), 1 if draw.random() < 0.8 else 2)
    parts = []
    for p in people:
        who = f"p{p}"
        parts.append(patient(who))
        if draw.random() < 0.3:
            parts.append(consent(f"k{p}", who))
        if draw.random() < 0.5:
            parts.append(condition(f"c{n}-{p}", who, **PROGRAM))
        parts += [observation(f"o{n}-{p}-{i}", who) for i in range(draw.randrange(1, 4))]
    return bundle(*parts), "riverside-ehr" if draw.random() < 0.4 else "valley-ehr"


def pushed(gateway):
    local = threading.local()

    def push(n):
        body, client = a_push(n)
        connections = local.__dict__.setdefault("connections", {})
        if client not in connections:
            connections[client] = gateway.connect(client, timeout=120)
        for _ in range(20):              # 503: a consent of theirs was written meanwhile, nothing was kept
            status, _, answer = gateway.push(body, client=client, connection=connections[client])
            if status != 503:
                break
        check(status == 200, (n, status, answer[:300]))

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(push, range(PUSHES)))


def patients_of(body):
    """Whom a recipient was told of."""
    found = set()
    for entry in json.loads(body)["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Patient":
            found.add("Patient/" + resource["id"])
        for member in ("subject", "patient"):
            found.add(resource.get(member, {}).get("reference"))
    return found - {None}


def received(gateway):
    """(recipient, key) -> body: a try again has the same bytes."""
    got = {}
    for name, sink in (("county-hie", gateway.hie), ("lakeside-clinic", gateway.clinic)):
        for headers, body, _ in list(sink.received):
            key = next(v for k, v in headers.items() if k.lower() == "idempotency-key")
            check(got.setdefault((name, key), body) == body, "another body under the same key")
    return got


def accounting(gateway, who):
    done = gateway.cli("accounting", "-c", gateway.config, who, "--json")
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)["disclosures"]


def verified(gateway):
    folder = gateway.at("export")
    check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "log verify -c")
    check(gateway.cli("log", "export", "-c", gateway.config, "--dir", folder).returncode == 0, "log export")
    check(gateway.cli("log", "verify", "--dir", folder, "--key", gateway.at("ledger.pub")).returncode == 0, "log verify --dir")
    done = subprocess.run(["/usr/bin/python3", os.path.join(folder, "verify.py"), gateway.at("ledger.pub")], capture_output=True, cwd=folder)
    check(done.returncode == 0, done.stdout + done.stderr)


def the_log_is_what_the_recipients_got():
    gateway = Gateway(extra="limits { asks-a-minute = 1000000 }\n" + CLIENTS, clients=NAMES).start()
    try:
        gateway.hie.answer = lambda n: 503 if n % 97 == 5 else 200
        gateway.clinic.answer = lambda n: 503 if n % 89 == 7 else 200
        pushed(gateway)
        gateway.settled(600)
        got, records = received(gateway), standing(gateway)
        check(len(records) == len(got) > PUSHES, (len(records), len(got)))
        said = {(r["recipient"]["name"], r["idempotencyKey"]): r for r in records}
        check(said.keys() == got.keys(), "releases that nobody got, or deliveries without a record")
        for key, body in got.items():
            check(said[key]["payloadSha256"] == hashlib.sha256(body).hexdigest() and said[key]["payloadBytes"] == len(body), key)
        of = {}
        for key, body in got.items():
            for who in patients_of(body):
                of.setdefault(who, set()).add(key)
        for n in range(PEOPLE):
            who = f"Patient/p{n}"
            mine = accounting(gateway, who)
            check({(r["recipient"]["name"], r["idempotencyKey"]) for r in mine} == of.get(who, set()) and len(mine) == len(of.get(who, ())), who)
            check(all(r["patientId"] == who and "patients" not in r for r in mine), who)
        verified(gateway)
        events = walked(gateway, "subtype=disclose&_count=200", most=10_000)
        check(sorted(e["id"] for e in events) == sorted(r["eventId"] for r in records), "an AuditEvent for each, and no more")
        wrong = [errors for errors in validated(gateway, events) if errors]
        check(wrong == [], wrong[:3])
        print(f"      {len(got)} disclosures of {len(of)} patients, {sum(map(len, of.values()))} lines in their accountings, "
              f"{len(events)} AuditEvents valid", flush=True)
    finally:
        gateway.close()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main([the_log_is_what_the_recipients_got])

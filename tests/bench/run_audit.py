#!/usr/bin/python3
"""GET /fhir/AuditEvent over a large log, beside the same over a small one: what a page costs must not grow with the log.

    tests/bench/run_audit.py [--build build] [--records 1000000]

Through the whole gateway: TLS with a client certificate, one connection, each look recorded durably before it is answered.  Prints milliseconds at the
50th and 95th percentile, and the ratio of the medians to a log of 1,000 records.  Records have times a millisecond apart.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SMALL, FIRST_MS = 1000, 1795359600000


def asks(records):
    middle = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime((FIRST_MS + records // 2) / 1000))
    return (("first page", ""), ("releases alone", "subtype=disclose"), ("of a patient", f"patient=Patient/{records // 20}"), ("before a time", f"date=lt{middle}"),
            ("to a rare recipient", "agent-name=oak-clinic"), ("to nobody", "agent-name=nobody"), ("by an entity", f"entity=Observation/o-{records // 2}-0"))


def measured(gateway, query, rounds):
    connection, took = gateway.connect("auditor"), []
    for _ in range(rounds):
        began = time.perf_counter()
        status, _, body = gateway.request("GET", "/fhir/AuditEvent?_count=50&" + query, client="auditor", connection=connection)
        took.append((time.perf_counter() - began) * 1000)
        if status != 200:
            sys.exit(f"{query}: {status} {body[:200]}")
    connection.close()
    return statistics.median(took), sorted(took)[int(len(took) * 0.95)]


def run(build, records, rounds):
    os.environ["SLUICE"] = str(build / "sluice")
    sys.path.insert(0, str(ROOT / "tests/scenarios"))
    from harness import Gateway
    gateway = Gateway(extra='limits { asks-a-minute = 1000000 }\nclient "auditor" { certificate-cn = "auditor"  scopes = { "system/AuditEvent.rs" } }\n', ledger='origin = "test.example/log"',
                      clients=("auditor",))
    with tempfile.TemporaryDirectory(dir=gateway.folder) as made:
        subprocess.run([build / "tests/bench/bench_ledger", str(records), made], check=True)
        for name in ("sluice.db", "ledger.key"):
            os.replace(os.path.join(made, name), gateway.at(name))
    gateway.start()
    try:
        return [(name, *measured(gateway, query, rounds)) for name, query in asks(records)]
    finally:
        gateway.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default=str(ROOT / "build"))
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=60)
    given = options.parse_args()
    build = pathlib.Path(given.build).resolve()
    small, large = run(build, SMALL, given.rounds), run(build, given.records, given.rounds)
    print(f"{'50 a page':22} {SMALL:>9,} records      {given.records:>9,} records     ratio\n{'':22} {'p50':>9} {'p95':>9}  {'p50':>9} {'p95':>9}")
    for (name, p50, p95), (_, large50, large95) in zip(small, large):
        print(f"{name:22} {p50:8.2f}  {p95:8.2f}   {large50:8.2f}  {large95:8.2f}  {large50 / p50:7.2f}")


if __name__ == "__main__":
    main()

"""What is withheld and what never was there look the same from outside: answers, deliveries, sizes; and how long they take.

Status, headers and bodies are compared exactly, but for the id of the request, the key of the delivery and the moment.  Times are measured in
pairs, drawn in random order over one connection, and compared with the Mann-Whitney test: |z| and Cliff's delta (how much more often one is
slower than the other, from -1 to 1) are printed.  They are asserted with SLUICE_LONG=1 only: different is |z| > 5 (p < 6e-7) together with
|delta| > 0.33, below which an effect is called small (Romano et al. 2006), and medians that are more than 0.2 ms apart: a smaller shift is
measured here, on loopback, and is less than what a network adds (docs/status.md has the figure; `limits { asks-a-minute }` bounds the samples).
"""
import json
import math
import os
import random
import statistics
import time

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main

EXTRA = """
client "elm-ehr" { certificate-cn = "elm-ehr"  scopes = { "system/*.c", "system/Consent.rs" }  part2 = "not-program" }
client "oak-ehr" { certificate-cn = "oak-ehr"  scopes = { "system/*.cud", "system/Consent.rs" }  part2 = "program"
    reference = "Organization/riverside"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000009" } }
limits { asks-a-minute = 1000000 }
"""
LONG = os.environ.get("SLUICE_LONG") == "1"
PAIRS = 1500 if LONG else 60
SEED = int(os.environ.get("SLUICE_SEED", "3"))
MOST_Z, MOST_DELTA, MOST_SHIFT = 5, 0.33, 200e-6
OF_THE_MOMENT = ("X-Request-Id", "Idempotency-Key", "Date")

draw = random.Random(SEED)
gateway = Gateway(extra=EXTRA, clients=("elm-ehr", "oak-ehr")).start()


def same(headers):
    return {k: v for k, v in headers.items() if k not in OF_THE_MOMENT}


def mann_whitney(one, other):
    """(z, Cliff's delta), ties with their mean rank (Mann and Whitney 1947)."""
    ranked = sorted([(v, 0) for v in one] + [(v, 1) for v in other])
    ranks, i = [0.0, 0.0], 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        for k in range(i, j):
            ranks[ranked[k][1]] += (i + j + 1) / 2
        i = j
    n, m = len(one), len(other)
    u = ranks[0] - n * (n + 1) / 2
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12), 2 * u / (n * m) - 1


def the_test_finds_a_difference_and_finds_none():
    twins = [[draw.gauss(100, 10) for _ in range(1500)] for _ in range(2)]
    z, delta = mann_whitney(*twins)
    check(abs(z) < MOST_Z and abs(delta) < MOST_DELTA, (z, delta))
    z, delta = mann_whitney(twins[0], [v + 10 for v in twins[1]])
    check(abs(z) > MOST_Z and abs(delta) > MOST_DELTA, (z, delta))


def alike(what, ask_one, ask_other):
    """Both ask the same of what is denied and of what is absent."""
    times = ([], [])
    for i in range(PAIRS):
        answers = [None, None]
        for which in draw.sample((0, 1), 2):
            began = time.perf_counter()
            answers[which] = (ask_one, ask_other)[which](i)
            times[which].append(time.perf_counter() - began)
        (status, headers, body), (status2, headers2, body2) = answers
        check((status, same(headers), body) == (status2, same(headers2), body2), (what, answers))
    z, delta = mann_whitney(*times)
    print(f"      {what}: {PAIRS} pairs alike; median {statistics.median(times[0]) * 1e6:.0f} and {statistics.median(times[1]) * 1e6:.0f} us, z {z:.1f}, delta {delta:.2f}")
    shift = abs(statistics.median(times[0]) - statistics.median(times[1]))
    if LONG:
        check(not (abs(z) > MOST_Z and abs(delta) > MOST_DELTA and shift > MOST_SHIFT), f"{what}: the times differ by {shift}, z {z}, delta {delta}")


def a_consent_that_is_another_s_answers_as_one_that_never_was():
    for i in range(20):
        gateway.request("PUT", f"/fhir/Consent/own{i}", consent(f"own{i}", f"po{i}"), client="oak-ehr")
    connection = gateway.connect("elm-ehr")
    ask = lambda method, path, body=None: gateway.request(method, path, body, connection=connection)
    alike("GET Consent/id", lambda i: ask("GET", f"/fhir/Consent/own{i % 20}"), lambda i: ask("GET", f"/fhir/Consent/non{i % 20}"))
    alike("GET Consent/id/_history", lambda i: ask("GET", f"/fhir/Consent/own{i % 20}/_history"), lambda i: ask("GET", f"/fhir/Consent/non{i % 20}/_history"))
    revocation = {"resourceType": "Parameters", "parameter": [{"name": "form", "valueCode": "written"}]}
    alike("POST Consent/id/$revoke", lambda i: ask("POST", f"/fhir/Consent/own{i % 20}/$revoke", revocation),
          lambda i: ask("POST", f"/fhir/Consent/non{i % 20}/$revoke", revocation))


def searches_for_what_is_another_s_are_as_empty():
    connection = gateway.connect("elm-ehr")

    def search(name):
        status, headers, body = gateway.request("GET", f"/fhir/Consent?_id={name}", connection=connection)
        answer = json.loads(body)
        for link in answer.get("link", []):
            link["url"] = link["url"].replace(name, "NAME")
        for moment in ("id", "timestamp"):
            answer.pop(moment, None)
        answer.get("meta", {}).pop("lastUpdated", None)
        return status, headers, json.dumps(answer).encode()
    alike("GET Consent?_id", lambda i: search(f"own{i % 20}"), lambda i: search(f"non{i % 20}"))


def reads_of_what_no_one_may_read_are_alike():
    gateway.push(bundle(patient("pz"), observation("there", "pz")))
    connection = gateway.connect("reader")
    ask = lambda path: gateway.request("GET", path, connection=connection)
    alike("GET Observation/id", lambda i: ask("/fhir/Observation/there"), lambda i: ask("/fhir/Observation/never"))


def a_delivery_with_something_withheld_is_its_twin():
    before = gateway.settled()
    for i in range(PAIRS):
        protected = condition(f"oud{i}", f"pw{i}", recorder={"reference": "Organization/riverside"})
        kept = [patient(f"pw{i}"), observation(f"ob{i}", f"pw{i}", value=f"6.{i % 90 + 10}")]
        for entries in (kept[:1] + [protected] + kept[1:], kept):
            check(gateway.push(bundle(*entries))[0] == 200, "not taken")
        if i % 50 == 49:
            gateway.settled()
    gateway.settled()
    check(len(gateway.hie.bodies()) == before + 2 * PAIRS, "not all were delivered")
    by_body = {}
    for headers, body, _ in gateway.hie.received[before:]:
        by_body.setdefault(body, []).append(same(headers))
    check(len(by_body) == PAIRS, "a Bundle and its twin were delivered differently")
    for headers in by_body.values():
        check(len(headers) == 2 and headers[0] == headers[1], headers)
    print(f"      {PAIRS} pairs of deliveries alike: body, headers, size")


def what_is_withheld_whole_is_not_delivered_at_all():
    before = gateway.settled()
    clinic = len(gateway.clinic.bodies())
    for i in range(10):
        check(gateway.push(bundle(patient(f"pn{i}"), condition(f"on{i}", f"pn{i}")), client="riverside-ehr")[0] == 200, "not taken")
    gateway.push(bundle(patient("plast"), observation("olast", "plast")))
    check(gateway.hie.wait(before + 1), "not delivered")
    gateway.settled()
    check(len(gateway.hie.bodies()) == before + 1 and len(gateway.clinic.bodies()) == clinic + 1, "something was sent in the place of nothing")


if __name__ == "__main__":
    try:
        print(f"      seed {SEED}")
        main([the_test_finds_a_difference_and_finds_none, a_consent_that_is_another_s_answers_as_one_that_never_was,
              searches_for_what_is_another_s_are_as_empty, reads_of_what_no_one_may_read_are_alike,
              a_delivery_with_something_withheld_is_its_twin, what_is_withheld_whole_is_not_delivered_at_all])
    finally:
        gateway.close()

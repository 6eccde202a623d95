"""$validate under load that means ill: nothing ends but the asker, memory is bounded, pushes go on.

Askers at once: right resources, resources that are wrong everywhere, deep and huge ones, profiles by names that nobody
knows, a body that comes a byte at a time, a body that never comes, and askers that hang up in the middle.  Meanwhile another client pushes, and
every push is delivered.
"""
import http.client
import json
import os
import random
import ssl
import threading
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main

LONG = os.environ.get("SLUICE_LONG") == "1"
SANITIZED = os.environ.get("SLUICE_SANITIZED", "") != ""
SECONDS = 60 if LONG else 8
ASKERS = 24 if LONG else 12
MEGABYTES = 6000 if SANITIZED else 1500
REFUSED = (400, 408, 413, 415, 422, 429, 503)
gateway = Gateway(extra="").start()
stop = threading.Event()
counts, trouble = {}, []
lock = threading.Lock()


def megabytes(field):
    for line in open(f"/proc/{gateway.process.pid}/status"):
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    return 0


def note(what):
    with lock:
        counts[what] = counts.get(what, 0) + 1


def ask(body, target="/fhir/$validate", statuses=(200,), connection=None):
    status, _, said = gateway.request("POST", target, body, connection=connection)
    check(status in (*statuses, 503), (target, status, said[:300]))
    outcome = json.loads(said)
    check(outcome["resourceType"] == "OperationOutcome" and outcome["issue"], outcome)
    return status, outcome


WRONG = {"resourceType": "Patient", "id": "w", "name": [{"family": i, "given": [None], "foo": {}} for i in range(3000)]}
HUGE = {"resourceType": "Bundle", "type": "collection", "entry": [
    {"fullUrl": f"http://x.example/Observation/{i}", "resource": {**observation(str(i)), "note": [{"text": "x" * 400}]}} for i in range(6000)]}
LINKED = {"resourceType": "Bundle", "type": "document", "entry": [
    {"fullUrl": f"http://x.example/Patient/{i}", "resource": {**patient(str(i)), "link": [
        {"type": "seealso", "other": {"reference": f"Patient/{j}"}} for j in range(150)]}} for i in range(150)]}


def deep(levels):
    return b'{"resourceType":"Patient","extension":' + b'[{"url":"http://x","extension":' * levels + b"[]" + b"}]" * levels + b"}"


def right(n):
    check(not [one for one in ask(observation(f"r{n}"))[1]["issue"] if one["severity"] in ("error", "fatal")], "a right one")


def wrong(n):
    status, outcome = ask(WRONG, random.choice(("/fhir/$validate", "/fhir/Patient/$validate")))
    check(status == 503 or outcome["issue"][0]["severity"] in ("error", "fatal"), outcome)


def huge(n):
    ask(random.choice((HUGE, LINKED)), statuses=(200, 413))


def deeper(n):
    ask(deep(random.choice((20, 60, 1000, 100000))), statuses=(200, 400, 413, 422))


def profiles(n):
    names = "&".join(f"profile=http://nobody.example/{n}-{i}-" + "x" * random.choice((1, 100)) for i in range(random.choice((1, 20))))
    ask(patient(), f"/fhir/Patient/$validate?mode=profile&{names}", statuses=(200, 400, 414, 431))
    ask({"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient()}] + [
        {"name": "profile", "valueUri": f"http://nobody.example/{i}"} for i in range(500)]}, statuses=(200, 400))


def broken(n):
    ask(os.urandom(20000), statuses=(400, 200, 422))
    ask(b"", statuses=(400, 411, 422, 200))
    ask(b'{"resourceType":"Patient"', "/fhir/Nothing/$validate", statuses=(400, 404, 200, 422))


def connected():
    connection = gateway.connect(timeout=20)
    connection.connect()
    return connection


def hangs_up(n):
    """Before the body, in the middle of it, and before the answer."""
    body = json.dumps(HUGE).encode()
    for part in (0, len(body) // 3, len(body)):
        connection = connected()
        connection.sock.sendall(b"POST /fhir/$validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
                                % len(body))
        try:
            connection.sock.sendall(body[:part])
        except OSError:
            pass                         # it may have said no by then
        connection.sock.close()


def slow(n):
    """A byte at a time; whether it is heard to the end is the gateway's choice."""
    body = json.dumps(patient()).encode()
    connection = connected()
    try:
        connection.sock.sendall(b"POST /fhir/$validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n"
                                % len(body))
        for i in range(len(body)):
            if stop.is_set():
                return
            connection.sock.sendall(body[i:i + 1])
            time.sleep(0.02)
        answer = http.client.HTTPResponse(connection.sock)
        answer.begin()
        check(answer.status in (200, *REFUSED), answer.status)
    finally:
        connection.sock.close()


def asker(kind, seed):
    n = seed * 100000
    while not stop.is_set():
        n += 1
        try:
            kind(n)
            note(kind.__name__)
        except (ConnectionError, http.client.HTTPException, ssl.SSLError, TimeoutError, BrokenPipeError) as e:
            note(f"{kind.__name__} cut off: {type(e).__name__}")
        except Exception as e:
            with lock:
                trouble.append((kind.__name__, repr(e)[:500]))
            return


def pushes_go_on_while_others_ask():
    kinds = [right, wrong, huge, deeper, profiles, broken, hangs_up, slow]
    threads = [threading.Thread(target=asker, args=(kinds[i % len(kinds)], i), daemon=True) for i in range(ASKERS)]
    for thread in threads:
        thread.start()
    began, pushed, worst = time.time(), 0, 0.0
    while time.time() < began + SECONDS:
        before = time.time()
        status, _, said = gateway.push(bundle(patient(f"p{pushed}"), observation(f"o{pushed}", f"p{pushed}")))
        check(status == 200, (status, said[:300]))
        worst = max(worst, time.time() - before)
        pushed += 1
    stop.set()
    for thread in threads:
        thread.join(timeout=60)
    check(not trouble, trouble[:3])
    check(pushed > 3, pushed)
    check(gateway.settled(120) == pushed, "every push is delivered")
    print(f"      {counts}")
    print(f"      {pushed} pushes, the slowest {worst:.2f} s; {megabytes('VmRSS')} MB now, {megabytes('VmHWM')} MB at most")
    check(megabytes("VmHWM") < MEGABYTES, "memory")


def it_is_as_it_was():
    for kind in ("right", "wrong", "broken"):
        check(counts.get(kind, 0) > 0, (kind, counts))
    stop.clear()
    right(1)
    log = open(gateway.at("log"), errors="replace").read()
    for bad in ("ERROR: AddressSanitizer", "WARNING: ThreadSanitizer", "runtime error", "Assertion"):
        check(bad not in log, log[log.find(bad):][:3000])
    check(gateway.stop() == 0, "it ends well")


if __name__ == "__main__":
    try:
        main([pushes_go_on_while_others_ask, it_is_as_it_was])
    finally:
        gateway.close()

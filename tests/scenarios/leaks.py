"""Findings hold no text of what was sent: tokens in every position, searched for in everything that is said.

Two families of documents, of the right examples of our package and the Bundles of tests/fhir/mutations.py:

    broken     each broken in a known way, every string and narrative of it with a token
    misplaced  one value of it, of whatever type, is a token: a date, a code, an id, a URL, a reference, a type, a name

No token may be in what `sluice validate` prints (text, JSON, SARIF, JUnit), in answers of $validate and of a push, in the log at
its most talkative, in metrics and in what the admin port says.  What is no token may be said: names of elements, types, and codes that a code
system has (docs/validation.md, "Codes").
"""
import copy
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fhir"))
DEFINITIONS = ROOT / "definitions/node_modules"

import mutants                           # noqa: E402 -- from the folder above
import mutations                         # noqa: E402
from harness import SLUICE, Gateway, check, main                # noqa: E402
from r4_elements import Definitions, Raw, at, decimals, written  # noqa: E402

TOKEN = "Zq7xKw"
LONG = os.environ.get("SLUICE_LONG") == "1"
SEED = int(os.environ.get("SLUICE_SEED", "7"))
draw = random.Random(SEED)
scratch = pathlib.Path(tempfile.mkdtemp(prefix="sluice-leaks-"))
files = []                               # (path, what)
SAID_AS = ("text", "json", "sarif", "junit")


def sources(definitions):
    named = [(path.stem, decimals(path.read_text())) for path in sorted(mutations.PACKAGE.glob("example/*-valid.json"))]
    return [mutants.Source(name, document, definitions) for name, document in named + list(mutations.own_bundles())]


def keep(document, what):
    path = scratch / f"{len(files):05}.json"
    path.write_bytes(written(document)[0].encode("utf-8", "surrogatepass"))
    files.append((path, what))


def with_tokens(document, definitions):
    """A token behind every text of people."""
    document = copy.deepcopy(document)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        return document
    for n in list(definitions.walk(document)):
        if not isinstance(n.value, str) or isinstance(n.value, Raw):
            continue
        if n.type in ("string", "markdown") and n.element.name not in ("linkId", "reference"):
            at(document, n.pointer[:-1])[n.pointer[-1]] = f"{n.value} {TOKEN}{len(files)}"
        elif n.type == "xhtml":
            at(document, n.pointer[:-1])[n.pointer[-1]] = n.value.replace("</div>", f"<i title='{TOKEN}'>{TOKEN}</i></div>")
    return document


def make(definitions):
    all_sources = sources(definitions)
    for kind in mutants.KINDS:
        if kind == "not json":
            continue
        several = [one for source in all_sources for one in mutants.mutants_of(kind, source)]
        for mutant in draw.sample(several, min(len(several), 200 if LONG else 25)):
            keep(with_tokens(mutant.document(), definitions), f"broken: {kind}: {mutant.note}")
    places = [(source, n) for source in all_sources for n in source.nodes if n.below is None]
    for source, n in draw.sample(places, min(len(places), 8000 if LONG else 1200)):
        for wrong in ("%s" % TOKEN, f"{TOKEN} with spaces", f"http://{TOKEN}.example/{TOKEN}|{TOKEN}", f"#{TOKEN}", f"Patient/{TOKEN}",
                      f"2020-01-01T{TOKEN}", f"<div xmlns='http://www.w3.org/1999/xhtml'><{TOKEN} x='{TOKEN}'/></div>")[:7 if LONG else 3]:
            document = copy.deepcopy(source.document)
            at(document, n.pointer[:-1])[n.pointer[-1]] = wrong
            keep(document, f"misplaced: {n.element.path}: {wrong}")
    for source in all_sources:
        pointer, _ = draw.choice(source.objects)
        for name in (f"{TOKEN} Doe", f"{TOKEN}-1", f"né {TOKEN}", "x" * 80 + TOKEN):
            document = copy.deepcopy(source.document)
            at(document, pointer)[name] = TOKEN
            keep(document, f"misplaced: a name: {name[:30]}")
        document = copy.deepcopy(source.document)
        document.setdefault("extension", []).append({"url": f"http://{TOKEN}.example/x", "valueCodeableConcept": {
            "coding": [{"system": f"http://{TOKEN}.example", "code": TOKEN, "display": TOKEN}], "text": TOKEN}})
        keep(document, "misplaced: an extension")


def text_of(lines, prefix=160):
    spots = [line for line in lines.splitlines() if TOKEN.lower() in line.lower()]
    i = spots[0].lower().find(TOKEN.lower()) if spots else 0
    return spots[0][max(0, i - prefix):i + 60] if spots else ""


def what_is_printed_holds_no_token():
    for said_as in SAID_AS:
        done = subprocess.run([SLUICE, "validate", "--format", said_as, "--package", str(mutations.PACKAGE), "--known-extensions", str(scratch)],
                              capture_output=True, text=True, timeout=600, check=False)
        check(done.returncode == 1 and done.stdout, (said_as, done.returncode, done.stderr[-500:]))
        out = done.stdout + done.stderr
        check(TOKEN.lower() not in out.lower(), (said_as, text_of(out)))
    print(f"      seed {SEED}: {len(files)} documents, {len(SAID_AS)} forms")


def what_a_gateway_says_holds_no_token():
    gateway = Gateway(extra='log { level = "debug" }').start()
    try:
        connection = gateway.connect()
        for path, what in draw.sample(files, min(len(files), 3000 if LONG else 300)):
            body = path.read_bytes()
            type = json.loads(body).get("resourceType")
            targets = ["/fhir/$validate"] + ([f"/fhir/{type}/$validate"] if isinstance(type, str) and type.isalnum() and TOKEN not in type else [])
            for method, target in [("POST", one) for one in targets] + [("POST", "/fhir"), ("PUT", "/fhir/Patient/p")]:
                status, headers, said = gateway.request(method, target, body, connection=connection)
                out = repr(headers) + said.decode("utf-8", "replace")
                if status == 200 and "MessageHeader.event" in what:
                    continue             # what answers a message repeats its event (messaging.html)
                check(status < 500 and TOKEN.lower() not in out.lower(), (what, target, status, text_of(out)))
                if headers.get("Connection", "").lower() == "close":
                    connection.close()
        gateway.settled()
        for path in ("/metrics", "/livez", "/readyz"):
            check(TOKEN.lower().encode() not in gateway.get_admin(path)[1].lower(), path)
        gateway.stop()
        log = open(gateway.at("log"), errors="replace").read()
        check(log and TOKEN.lower() not in log.lower(), text_of(log))
    finally:
        gateway.close()


if __name__ == "__main__":
    if not DEFINITIONS.exists():
        print("the definitions are not here; skipped")
        sys.exit(77)
    make(Definitions(DEFINITIONS))
    main([what_is_printed_holds_no_token, what_a_gateway_says_holds_no_token])

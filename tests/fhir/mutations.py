"""Does the validator refuse what is wrong: right resources, each broken in one known way.

    mutations.py --sluice build/sluice --definitions definitions/node_modules [--seed N] [--kind NAME] [--list] [--long]

Sources are the right examples of our own package, the Bundles below, and where ../shared is the instances there that the
validator accepts (Synthea's as single resources and as small Bundles).  A source is accepted before it is broken; the mutant has
to be refused by a rule that says what was broken, at the expression, line and column of the broken value.

    refused    with any error: sensitivity, by kind
    rule       one of the rules that mean this defect
    place      ... at that expression, line and column (a dash: the kind leaves the place open)

All three have to be whole.  --list shows what is not, with the text of the mutant in a folder that is kept.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import mutants
import mutants_profiles  # noqa: F401 -- registers its kinds
from mutant_values import CODE, DATATYPES, INVARIANTS
from r4_elements import Definitions, decimals, expression, written

HERE = pathlib.Path(__file__).resolve()
ROOT = HERE.parents[2]
SHARED = ROOT.parent / "shared/data"
PACKAGE = ROOT / "packages/sluice.behavioral-health"
LARGEST = 30000                          # a source is cut out of larger documents
UUID = "urn:uuid:c757873d-ec9a-4326-a141-%012d"


# ---- sources -------------------------------------------------------------------------------


def entry(resource, **more):
    return {"fullUrl": "http://site.example/%s/%s" % (resource["resourceType"], resource["id"]), "resource": resource, **more}


def own_bundles():
    """A Bundle of most types, of resources that refer to each other."""
    patient = {"resourceType": "Patient", "id": "p", "gender": "other", "name": [{"family": "x", "given": ["y", "z"]}]}
    seen = {"resourceType": "Observation", "id": "o", "status": "final", "code": CODE, "subject": {"reference": "Patient/p"},
            "valueQuantity": {"value": 1, "unit": "mg"}, "performer": [{"reference": "#me"}],
            "contained": [{"resourceType": "Practitioner", "id": "me", "name": [{"family": "x"}]}]}
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'}
    paper = {"resourceType": "Composition", "id": "c", "status": "final", "type": CODE, "date": "2020-01-01", "author": [{"reference": "Patient/p"}],
             "title": "x", "subject": {"reference": "Patient/p"}, "section": [{"title": "x", "text": text, "entry": [{"reference": "Observation/o"}]}]}
    put = {"request": {"method": "PUT", "url": "%s"}}
    asked = lambda one: {"request": {**put["request"], "url": f"{one['resourceType']}/{one['id']}"}}
    yield "collection", {"resourceType": "Bundle", "type": "collection", "entry": [entry(patient), entry(seen)]}
    for type in ("transaction", "batch"):
        yield type, {"resourceType": "Bundle", "type": type, "entry": [entry(one, **asked(one)) for one in (patient, seen)]}
    yield "searchset", {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": [{"relation": "self", "url": "http://site.example/Observation"}],
                        "entry": [entry(seen, search={"mode": "match"}), entry(patient, search={"mode": "include"})]}
    yield "history", {"resourceType": "Bundle", "type": "history", "total": 1, "entry": [
        entry(patient, **asked(patient), response={"status": "200", "lastModified": "2020-01-01T00:00:00Z"})]}
    yield "document", {"resourceType": "Bundle", "type": "document", "identifier": {"system": "urn:ietf:rfc:3986", "value": UUID % 1},
                       "timestamp": "2020-01-01T00:00:00Z", "entry": [entry(paper), entry(patient), entry(seen)]}
    yield "message", {"resourceType": "Bundle", "type": "message", "entry": [
        entry({"resourceType": "MessageHeader", "id": "m", "eventUri": "http://site.example/event", "source": {"endpoint": "http://site.example"},
               "focus": [{"reference": "Observation/o"}]}), entry(seen), entry(patient)]}


def own_resources():
    """The right halves of the tables, so that each of them has to pass."""
    for number, (rule, good, *_) in enumerate(INVARIANTS):
        yield f"{number}-{rule}", {key: value for key, value in good.items() if value is not None}
    for number, (type, good, *_) in enumerate(DATATYPES):
        yield f"{number}-{type}", {"resourceType": "Basic", "code": CODE, "extension": [{"url": mutants.PLANTED, "value" + type: good}]}
    goods = [{"url": mutants.PLANTED, "value" + mutants.capital(type): good} for type, good in mutants.GOOD_PRIMITIVES.items()]
    yield mutants.ONCE, {"resourceType": "Basic", "code": CODE, "extension": goods}


def pieces(name, document):
    """A document that is small enough, or entries of it: each alone, and some together."""
    if len(json.dumps(document)) <= LARGEST:
        yield name, document
        return
    entries = [one for one in document.get("entry", []) if "resource" in one]
    for i, one in enumerate(entries):
        yield f"{name}#{i}", one["resource"]
    yield f"{name}#some", {**document, "entry": entries[:8]}


def shared_sources(draw, most, long):
    """Instances of ../shared, drawn so that every type of resource has its share."""
    by_type = collections.defaultdict(list)
    folders = [SHARED / "bh-examples" / one for one in ("balp", "consent-pcf", "opioid-cpg", "r4-spec", "us-bh", "us-core", "ips")]
    synthea = sorted((SHARED / "synthea").glob("*.json"), key=lambda path: path.stat().st_size)
    for path in sorted(path for folder in folders for path in folder.rglob("*.json")) + (synthea if long else synthea[:4]):
        document = decimals(path.read_text())
        if not isinstance(document, dict) or "resourceType" not in document:
            continue
        for name, piece in pieces(path.stem[:40], document):
            by_type[piece["resourceType"]].append((name, piece))
    for type in sorted(by_type):
        draw.shuffle(by_type[type])
        yield from by_type[type][:most]


def all_sources(draw, long):
    ours = [(path.stem, decimals(path.read_text())) for path in sorted(PACKAGE.glob("example/*-valid.json"))]
    for name, document in ours + list(own_bundles()) + list(own_resources()):
        yield True, name, document
    if SHARED.exists():
        for name, document in shared_sources(draw, 40 if long else 3, long):
            yield False, name, document


# ---- asking ---------------------------------------------------------------------------------


def ask(sluice, folder):
    """{file name: (valid, issues)}; nothing may be left out."""
    done = subprocess.run([sluice, "validate", "--json", "--package", str(PACKAGE), str(folder)], capture_output=True, text=True,
                          timeout=600, check=False)
    answers = {}
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        answers[pathlib.Path(answer["file"]).stem] = (answer["valid"], answer["outcome"]["issue"])
    if done.returncode not in (0, 1) or len(answers) != len(os.listdir(folder)):
        raise SystemExit(f"sluice validate: exit {done.returncode}, {len(answers)} answers for {len(os.listdir(folder))} files\n"
                         + done.stderr[-2000:])
    return answers


def accepted(sluice, definitions, named, scratch):
    """Those of the sources that are right; our own all have to be."""
    folder = scratch / "sources"
    folder.mkdir()
    named = [(f"{i:05}", *one) for i, one in enumerate(named)]
    for key, _, _, document in named:
        (folder / f"{key}.json").write_text(written(document)[0])
    answers = ask(sluice, folder)
    right = [mutants.Source(name, document, definitions) for key, _, name, document in named if answers[key][0]]
    wrong = [f"{name}: {answers[key][1][0]['details']['text']}" for key, ours, name, _ in named if ours and not answers[key][0]]
    for line in wrong:
        print(f"a right source is refused: {line}")
    return right, len(wrong)


# ---- what is found ----------------------------------------------------------------------------


def rule_of(issue):
    return issue.get("diagnostics", "").removeprefix("rule ")


def place_of(issue):
    at = {one["url"].rsplit("-", 1)[-1]: one["valueInteger"] for one in issue.get("extension", [])}
    return (issue.get("expression") or [""])[0], at.get("line"), at.get("col")


def judge(mutant, document, places, answer):
    """What is missing of refused, rule, place."""
    valid, issues = answer
    errors = [one for one in issues if one["severity"] in ("error", "fatal")]
    if valid or not errors:
        return "refused"
    right = [one for one in errors if None in mutant.rules or rule_of(one) in mutant.rules]
    if not right:
        return "rule"
    if mutant.pointer is None:
        return None
    wanted = (expression(document, mutant.pointer), *places[mutant.pointer])
    return None if wanted in [place_of(one) for one in right] else "place"


def chosen(sources, draw, each, only):
    """Up to `each` mutants of each kind, spread over sources and over what is broken."""
    for kind in mutants.KINDS:
        if only and only not in kind:
            continue
        by_note = collections.defaultdict(list)
        for source in sources:
            for mutant in mutants.mutants_of(kind, source):
                by_note[mutant.note].append(mutant)
        for several in by_note.values():
            draw.shuffle(several)
        notes = sorted(by_note)
        draw.shuffle(notes)
        left = each
        while left > 0 and notes:
            for note in notes[:left]:
                yield kind, by_note[note].pop()
            left -= len(notes[:left])
            notes = [note for note in notes if by_note[note]]


def run(options, draw, scratch):
    definitions = Definitions(options.definitions)
    sources, bad = accepted(options.sluice, definitions, all_sources(draw, options.long), scratch)
    folder = scratch / "mutants"
    folder.mkdir()
    kept = {}
    for kind, mutant in chosen(sources, draw, 4000 if options.long else 120, options.kind):
        document = mutant.document()
        text, places = written(document)
        key = f"{len(kept):06}"
        (folder / f"{key}.json").write_text(mutant.damage(text) if mutant.damage else text)
        kept[key] = (kind, mutant, document, places)
    answers = ask(options.sluice, folder)
    table = collections.defaultdict(collections.Counter)
    for key, (kind, mutant, document, places) in kept.items():
        lacks = judge(mutant, document, places, answers[key])
        table[kind]["all"] += 1
        table[kind]["open"] += mutant.pointer is None
        if lacks:
            table[kind][lacks] += 1
            if options.list or table[kind][lacks] <= 3:
                print(f"{kind}: no {lacks}: {mutant.source.name} {mutant.note}  {folder / (key + '.json')}")
                print(f"    want {'|'.join(map(str, mutant.rules))} at "
                      + (f"{expression(document, mutant.pointer)} {places[mutant.pointer]}" if mutant.pointer is not None else "-"))
                for one in answers[key][1][:4]:
                    print(f"    have {one['severity']} {place_of(one)} {one['details']['text'][:160]}")
    return report(table, len(sources)) + bad


def report(table, sources):
    wrong = 0
    print(f"{'kind':36} {'mutants':>8} {'refused':>8} {'rule':>8} {'place':>8}")
    total = collections.Counter()
    for kind, row in table.items():
        total.update(row)
    for kind, row in [*table.items(), ("all", total)]:
        refused = row["all"] - row["refused"]
        ruled = refused - row["rule"]
        closed = row["all"] - row["open"]
        placed = ruled - row["open"] - row["place"] if closed else "-"
        print(f"{kind:36} {row['all']:>8} {refused:>8} {ruled:>8} {placed if closed else '-':>8}" + (f" of {closed}" if closed != row["all"] else ""))
    wrong = total["refused"] + total["rule"] + total["place"]
    print(f"{sources} sources; sensitivity {(total['all'] - total['refused']) / max(1, total['all']):.4f}")
    return wrong


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sluice", required=True)
    options.add_argument("--definitions", default=str(ROOT / "definitions/node_modules"))
    options.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_SEED", "3")))
    options.add_argument("--kind")
    options.add_argument("--list", action="store_true", help="every mutant that was not found, and keep them")
    options.add_argument("--long", action="store_true", default=os.environ.get("SLUICE_LONG") == "1")
    chosen_options = options.parse_args()
    chosen_options.sluice = os.path.abspath(chosen_options.sluice)
    if not pathlib.Path(chosen_options.definitions).exists():
        print("the definitions are not here; skipped")
        return 77
    print(f"seed {chosen_options.seed}")
    draw = random.Random(chosen_options.seed)
    if chosen_options.list:
        return 1 if run(chosen_options, draw, pathlib.Path(tempfile.mkdtemp(prefix="mutants-"))) else 0
    with tempfile.TemporaryDirectory() as scratch:
        return 1 if run(chosen_options, draw, pathlib.Path(scratch)) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Agreement with the official validator on HL7's public test cases.

    validator_cases.py --sluice build/sluice [--cases DIR] [--list] [--feature NAME] [--json]

Each case is an instance, the folder of definitions that it needs, profiles, and
the official validator's verdict.  `sluice validate --json` is asked; cases that
share definitions and profiles are asked in one process.  Prints

    sensitivity   share of the invalid that were refused
    specificity   share of the valid that were accepted
    places        share of refused cases in which a finding of ours stands where
                  one of theirs does (and: of their places that we have too)

and fails below the floors, which only ever rise.  --list prints every case that
differs, by feature, with the places or findings; it is what to work from.  The
cases are data of others and stay where they are; without them nothing is run.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FLOOR = {"sensitivity": 0.98, "specificity": 0.99}
ENOUGH_SECONDS = 120


def package_of(folder, scratch):
    """A FHIR package of a bare folder of definitions: package.json beside them."""
    place = scratch / folder.name
    place.mkdir(exist_ok=True)
    manifest = {"name": "cases." + folder.name, "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": {}}
    (place / "package.json").write_text(json.dumps(manifest))
    for file in sorted(folder.glob("*.json")):
        shutil.copy(file, place / file.name)
    return place


def ask(sluice, group, cases, root, scratch):
    """One process for cases of the same definitions and profiles: {id: (valid, issues)} and notes."""
    pack, profiles = group
    wanted = [option for url in profiles for option in ("--profile", url)]
    package = ["--package", str(package_of(root / pack, scratch))] if pack else []
    files = [str(root / case["instance"]) for case in cases]
    notes = []
    for extra in (package + wanted, package, []):
        done = subprocess.run([sluice, "validate", "--json", "--known-extensions", *extra, *files], capture_output=True, text=True,
                              timeout=ENOUGH_SECONDS, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if len(lines) == len(files):
            break
        notes.append((" ".join(extra[:2]), done.stderr.strip().splitlines()[-1:] or ["exit %d" % done.returncode]))
    answers = {line["file"]: line for line in lines}
    out = {}
    for case, file in zip(cases, files):
        answer = answers.get(file)
        issues = (answer or {}).get("outcome", {}).get("issue", [])
        out[case["id"]] = (answer["valid"] if answer else None, issues)
    return out, notes


def ask_all(sluice, cases, root, jobs):
    groups = collections.defaultdict(list)
    for case in cases:
        groups[(case["pack"], tuple(case["profiles"]))].append(case)
    answers, notes = {}, []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        work = [pool.submit(ask, sluice, group, members, root, pathlib.Path(scratch))
                for group, members in groups.items()]
        for done in work:
            some, said = done.result()
            answers.update(some)
            notes += said
    return answers, notes


def place_of(text):
    """The official validator's path, or ours, in one spelling: valueQuantity, no comments, no filters."""
    text = re.sub(r"/\*.*?\*/", "", text or "")
    text = re.sub(r"\[(url|x)[^\]]*\]", "", text)
    return re.sub(r"\.ofType\((\w)(\w*)\)", lambda m: m.group(1).upper() + m.group(2), text)


def errors_of(issues):
    return [one for one in issues if one["severity"] in ("fatal", "error")]


def places_of(issues):
    return {place_of(path) for one in errors_of(issues) for path in one.get("expression", [])}


def share(part, whole):
    return part / whole if whole else 1.0


def measure(cases, answers):
    right = collections.Counter()
    total = collections.Counter()
    same_case = refused = same_place = places = 0
    for case in cases:
        valid, issues = answers[case["id"]]
        total[case["valid"]] += 1
        right[case["valid"]] += valid == case["valid"]
        if case["valid"] or valid is not False:
            continue
        theirs = {place_of(path) for path in case["errorsAt"] if path}
        ours = places_of(issues)
        if theirs:
            refused += 1
            same_case += bool(theirs & ours)
            places += len(theirs)
            same_place += len(theirs & ours)
    return {"sensitivity": share(right[False], total[False]), "specificity": share(right[True], total[True]),
            "refused": right[False], "invalid": total[False], "accepted": right[True], "valid": total[True],
            "same_case": share(same_case, refused), "same_place": share(same_place, places)}


def print_list(cases, answers):
    for case in sorted(cases, key=lambda one: (one["feature"], one["valid"], one["id"])):
        valid, issues = answers[case["id"]]
        if valid == case["valid"]:
            continue
        kind = "gave no answer to" if valid is None else "accepted, theirs invalid" if valid else "refused, theirs valid"
        print(f"{case['feature']}: {case['id']}: {kind}  {case['instance']}"
              + (f"  {case['pack']}" if case["pack"] else "") + "".join(f"  {url}" for url in case["profiles"]))
        for path in dict.fromkeys(case["errorsAt"][:8] if valid else []):
            print(f"    theirs at {path}")
        for one in errors_of(issues)[:8]:
            print(f"    ours at {', '.join(one.get('expression', ['-']))}: {one['details']['text']}")


def print_features(cases, answers):
    table = collections.defaultdict(lambda: [0, 0, 0, 0])
    for case in cases:
        row = table[case["feature"]]
        right = answers[case["id"]][0] == case["valid"]
        row[2 * case["valid"]] += right
        row[2 * case["valid"] + 1] += 1
    print(f"{'feature':24} {'refused':>8} {'accepted':>9}")
    for feature, row in sorted(table.items()):
        print(f"{feature:24} {row[0]:>4}/{row[1]:<3} {row[2]:>5}/{row[3]}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sluice", required=True)
    options.add_argument("--cases", default=str(pathlib.Path(__file__).resolve().parents[3] / "shared/cases/validator"))
    options.add_argument("--list", action="store_true")
    options.add_argument("--feature")
    options.add_argument("--json", action="store_true", help="every finding of every case, a line each")
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args()
    root = pathlib.Path(chosen.cases)
    if not (root / "cases.json").exists():
        print("the cases are not here; skipped")
        return 77
    cases = json.loads((root / "cases.json").read_text())
    if chosen.feature:
        cases = [case for case in cases if case["feature"] == chosen.feature]
    answers, notes = ask_all(os.path.abspath(chosen.sluice), cases, root, chosen.jobs)
    if chosen.json:
        for case in cases:
            valid, issues = answers[case["id"]]
            print(json.dumps({**case, "have": valid, "issues": issues}))
        return 0
    if chosen.list:
        print_list(cases, answers)
    for (what, how), times in collections.Counter((what, how[0]) for what, how in notes).most_common(5):
        print(f"note: {what or 'plain'}: {how}" + (f" ({times} times)" if times > 1 else ""))
    print_features(cases, answers)
    have = measure(cases, answers)
    print("sensitivity {sensitivity:.3f} ({refused}/{invalid})  specificity {specificity:.3f} ({accepted}/{valid})  "
          "places {same_case:.2f} of cases, {same_place:.2f} of places".format(**have))
    low = [name for name, floor in FLOOR.items() if have[name] < floor] if not chosen.feature else []
    for name in low:
        print(f"{name} is below its floor of {FLOOR[name]}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())

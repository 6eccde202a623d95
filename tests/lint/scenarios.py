#!/usr/bin/python3
"""Every scenario of tests/consent/scenarios/ids.tsv stands where the list says.

    scenarios.py ROOT          checks
    scenarios.py --self-check  plants mistakes and wants each of them found

A scenario that runs or waits has a file whose name begins with its id; one that does not says
why, one that is shown elsewhere names a file that is there. No id is missing, none is double, and
no file is without one.
"""
import json
import os
import re
import sys
import tempfile

GROUPS = {"CV": 28, "RM": 12, "IN": 6, "CN": 7, "LP": 14, "CJ": 4, "EM": 8, "NB": 16, "MI": 5, "CP": 2, "DE": 3, "PA": 3,
          "SG": 48, "RD": 11, "RS": 3, "LG": 5, "BR": 3, "ST": 3,
          "MP": 10, "KC": 3}                                          # ours, beside the 181
STATES = ("runs", "waiting", "elsewhere", "outside", "open")


def scenario_files(folder, complain):
    """The ids that have a file here; each file is named as its id says."""
    found = set()
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(folder, name), encoding="utf-8") as text:
                case = json.load(text)
        except ValueError as error:
            complain(f"{name}: {error}")
            continue
        found.add(name[:5])
        if case.get("id") != name[:-5]:
            complain(f"{name}: its id is {case.get('id')}")
        for member in ("citation", "words"):
            if not case.get(member):
                complain(f"{name}: it has no {member}")
    return found


def check_row(root, row, runs, waits, complain):
    number, citation, state, note = row
    if not re.match(r"4[25] CFR \d", citation):
        complain(f"{number}: no citation")
    if state not in STATES:
        complain(f"{number}: the state {state} is none")
    if state == "runs" and number not in runs:
        complain(f"{number}: it runs, and has no file")
    if state == "waiting" and (number not in waits or number in runs):
        complain(f"{number}: it waits, and has no file in waiting/ or one that runs")
    if state not in ("runs", "waiting"):
        if number in runs | waits:
            complain(f"{number}: it is {state}, and has a file")
        if not note:
            complain(f"{number}: it is {state}, and does not say why")
    if state == "elsewhere":
        paths = [p for p in re.findall(r"`([^`]+)`", note) if "/" in p]
        if not paths or not all(os.path.exists(os.path.join(root, p)) for p in paths):
            complain(f"{number}: shown elsewhere, by nothing that is there")


def check(root):
    mistakes = []
    folder = os.path.join(root, "tests/consent/scenarios")
    runs = scenario_files(folder, mistakes.append)
    waits = scenario_files(os.path.join(folder, "waiting"), mistakes.append)
    rows = {}
    with open(os.path.join(folder, "ids.tsv"), encoding="utf-8") as text:
        for line in text:
            row = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                continue
            if len(row) != 4 or row[0] in rows:
                mistakes.append(f"ids.tsv: {row[0]}: four columns, each id once")
                continue
            rows[row[0]] = row
            check_row(root, row, runs, waits, mistakes.append)
    wanted = {f"{group}-{n:02}" for group, count in GROUPS.items() for n in range(1, count + 1)}
    mistakes += [f"{number}: it is not in ids.tsv" for number in sorted(wanted - set(rows))]
    mistakes += [f"{number}: there is no such id" for number in sorted((set(rows) | runs | waits) - wanted)]
    return mistakes


def self_check():
    planted = {
        "no citation": ("CV-01", "", "runs", ""), "the state done is none": ("CV-02", "42 CFR 2.31", "done", ""),
        "CV-03: it runs, and has no file": ("CV-03", "42 CFR 2.31", "runs", ""),
        "CV-04: it waits": ("CV-04", "42 CFR 2.31", "waiting", ""),
        "CV-05: it is open, and does not say why": ("CV-05", "42 CFR 2.31", "open", ""),
        "CV-06: it is outside, and has a file": ("CV-06", "42 CFR 2.31", "outside", "because"),
        "CV-07: shown elsewhere": ("CV-07", "42 CFR 2.31", "elsewhere", "`tests/none.c`"),
        "CV-99: there is no such id": ("CV-99", "42 CFR 2.31", "open", "because"),
    }
    with tempfile.TemporaryDirectory() as root:
        folder = os.path.join(root, "tests/consent/scenarios")
        os.makedirs(folder)
        with open(os.path.join(folder, "ids.tsv"), "w", encoding="utf-8") as out:
            out.writelines("\t".join(row) + "\n" for row in planted.values())
        for name, text in (("CV-01-a.json", '{"id":"CV-01-a","citation":"x","words":"y"}'), ("CV-06-a.json", '{"id":"other","words":"y"}'),
                           ("CV-08-a.json", "{")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
                out.write(text)
        found = "\n".join(check(root))
    for want in [*planted, "CV-06-a.json: its id is other", "CV-06-a.json: it has no citation", "CV-08-a.json: ",
                 "ST-03: it is not in ids.tsv"]:
        if want not in found:
            print(f"not found: {want}")
            return 1
    print(f"{len(planted) + 4} planted mistakes found")
    return 0


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    mistakes = check(sys.argv[1])
    print("\n".join(mistakes) if mistakes else "every scenario stands where ids.tsv says")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Writes the table of rules of docs/consent-rules.md from consent/rules.def (no
argument), says whether it is up to date and whether a test names each scenario
(--check, exit 1 when not), or shows that it would notice (--self-check)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/consent-rules.md"
BEGIN, END = "<!-- begin rules: written by tests/lint/consent_rules.py -->", "<!-- end rules -->"
TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(r'^RULE\((\w+),\s*%s,\s*(\d+),\s*%s,\s*%s,\s*%s,\s*%s\)' % (TEXT, TEXT, TEXT, TEXT, TEXT), re.M)


def rows(text):
    names = ("name", "number", "step", "citation", "words", "example", "scenarios")
    return [dict(zip(names, (part.replace('\\"', '"') for part in m))) for m in ROW.findall(text)]


def table(all_rows):
    out = ["| step | rule | source | words | example | scenarios |", "|---|---|---|---|---|---|"]
    for r in sorted(all_rows, key=lambda r: int(r["step"]) or 99):
        step = r["step"] if r["step"] != "0" else "–"
        out.append("| %s | %s | %s | %s | %s | %s |" % (step, r["number"], r["citation"], r["words"], r["example"],
                                                      r["scenarios"].replace(" ", ", ")))
    return out


def written(page, all_rows):
    head, rest = page.split(BEGIN)
    return head + BEGIN + "\n" + "\n".join(table(all_rows)) + "\n" + END + rest.split(END)[1]


def findings(page, text, tests):
    all_rows = rows(text)
    found = []
    if len(all_rows) != len(re.findall(r"^RULE\(", text, re.M)):
        found.append("a row of rules.def cannot be read")
    if written(page, all_rows) != page:
        found.append("docs/consent-rules.md is not what rules.def says; run tests/lint/consent_rules.py")
    for r in all_rows:
        found += ["%s: no test names %s" % (r["number"], s) for s in r["scenarios"].split()
                  if not re.search(r"\b%s\b" % re.escape(s), tests)]
    return found


def self_check():
    text = 'RULE(A, "R-01", 8, "42 CFR 2", "words",\n     "example", "CV-01")\n'
    page = BEGIN + "\n" + "\n".join(table(rows(text))) + "\n" + END
    assert findings(page, text, '"CV-01 so"') == []
    assert findings(page.replace("words |", "other |"), text, "CV-01") != []
    assert findings(page, text, "CV-011") != []
    assert findings(page, text + "RULE(B)\n", "CV-01") != []


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    text = (ROOT / "consent/rules.def").read_text()
    page = PAGE.read_text()
    tests = "\n".join(p.read_text() for p in sorted((ROOT / "tests/consent").glob("*.c")))
    tests += "\n".join(p.name for p in sorted((ROOT / "tests/consent").glob("scenarios/*.json")))
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(written(page, rows(text)))
        return
    found = findings(page, text, tests)
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()

#!/usr/bin/python3
"""Writes the tables of rules and of switches of docs/consent-rules.md from
consent/rules.def and consent/switches.def (no argument), says whether they are up to
date, whether a test names each scenario and whether a scenario turns each switch
(--check, exit 1 when not), or shows that it would notice (--self-check)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/consent-rules.md"
BEGIN, END = "<!-- begin rules: written by tests/lint/consent_rules.py -->", "<!-- end rules -->"
TEXT = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(r'^RULE\((\w+),\s*%s,\s*(\d+),\s*%s,\s*%s,\s*%s,\s*%s\)' % (TEXT, TEXT, TEXT, TEXT, TEXT), re.M)

SWITCHES = ("<!-- begin switches: written by tests/lint/consent_rules.py -->", "<!-- end switches -->")
SWITCH_ROW = re.compile(r'^(SWITCH|CHOICE)\((.*?)\)$', re.M | re.S)
# No decision: shown by the scenario of the whole gateway that is named.
ELSEWHERE = {"accountingClock": "tests/scenarios/accounting.py"}


def switches(text):
    out = []
    for kind, inside in SWITCH_ROW.findall(text):
        texts = re.findall(TEXT, inside)
        if kind == "SWITCH":
            number, fact, option, citation, question, words = texts
            out.append(dict(number=number, fact=fact, option=option, default="off", citation=citation, question=question,
                            words=words, positions=["true"]))
        else:
            number, fact, option, positions, citation, question, words = texts
            out.append(dict(number=number, fact=fact, option=option, default=positions.split("|")[0], citation=citation,
                            question=question, words=words, positions=positions.split("|")[1:]))
    return out


def switch_table(all_switches):
    out = ["| | question | source | `site { … }` | fact | default | what the other position does |", "|---|---|---|---|---|---|---|"]
    for s in all_switches:
        code = ["`%s`" % s[name] if s[name] else "–" for name in ("option", "fact")]
        out.append("| %s | %s | %s | %s | %s | %s | %s |" % (s["number"], s["question"], s["citation"], *code, s["default"],
                                                            s["words"]))
    return out


def turned(switch, cases):
    """Whether a scenario states a position that is not the default; the default is that of a step that says nothing."""
    fact = re.escape(switch["fact"])
    return any(re.search(r'"%s":\s*("?)%s\1' % (fact, re.escape(p)), cases) for p in switch["positions"])


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


def between(page, begin, end, lines):
    head, rest = page.split(begin)
    return head + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1]


def written(page, all_rows, all_switches):
    return between(between(page, BEGIN, END, table(all_rows)), *SWITCHES, switch_table(all_switches))


def findings(page, text, switch_text, tests, cases):
    all_rows, all_switches = rows(text), switches(switch_text)
    found = []
    if len(all_switches) != len(re.findall(r"^(?:SWITCH|CHOICE)\(", switch_text, re.M)):
        found.append("a row of switches.def cannot be read")
    found += ["%s: no scenario turns %s" % (s["number"], s["fact"]) for s in all_switches
              if s["fact"] and s["fact"] not in ELSEWHERE and not turned(s, cases)]
    if len(all_rows) != len(re.findall(r"^RULE\(", text, re.M)):
        found.append("a row of rules.def cannot be read")
    if written(page, all_rows, all_switches) != page:
        found.append("docs/consent-rules.md is not what rules.def and switches.def say; run tests/lint/consent_rules.py")
    for r in all_rows:
        found += ["%s: no test names %s" % (r["number"], s) for s in r["scenarios"].split()
                  if not re.search(r"\b%s\b" % re.escape(s), tests)]
    return found


def self_check():
    text = 'RULE(A, "R-01", 8, "42 CFR 2", "words",\n     "example", "CV-01")\n'
    switch = 'SWITCH("H-1", a, "aFact", "an-option", "42 CFR 2",\n       "so?", "so")\n'
    page = BEGIN + "\n" + "\n".join(table(rows(text))) + "\n" + END
    page += SWITCHES[0] + "\n" + "\n".join(switch_table(switches(switch))) + "\n" + SWITCHES[1]
    case = '{"site": {"aFact": true}}'
    assert findings(page, text, switch, '"CV-01 so"', case) == []
    assert findings(page.replace("words |", "other |"), text, switch, "CV-01", case) != []
    assert findings(page.replace("so? |", "no? |"), text, switch, "CV-01", case) != []
    assert findings(page, text, switch, "CV-011", case) != []
    assert findings(page, text, switch, "CV-01", '{"site": {"aFact": false}}') != []
    assert findings(page, text + "RULE(B)\n", switch, "CV-01", case) != []
    assert findings(page, text, switch + "SWITCH(B\n", "CV-01", case) != []


def main():
    if sys.argv[1:] == ["--self-check"]:
        return self_check()
    text, switch_text = (ROOT / "consent/rules.def").read_text(), (ROOT / "consent/switches.def").read_text()
    page = PAGE.read_text()
    files = sorted((ROOT / "tests/consent").glob("scenarios/*.json"))
    tests = "\n".join(p.read_text() for p in sorted((ROOT / "tests/consent").glob("*.c")))
    tests += "\n".join(p.name for p in files)
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(written(page, rows(text), switches(switch_text)))
        return
    found = findings(page, text, switch_text, tests, "\n".join(p.read_text() for p in files))
    found += ["%s: %s does not name it" % (path, fact) for fact, path in ELSEWHERE.items()
              if fact not in (ROOT / path).read_text() and re.sub("([A-Z])", r"-\1", fact).lower() not in (ROOT / path).read_text()]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()

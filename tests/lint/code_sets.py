#!/usr/bin/python3
"""Writes the tables of docs/code-sets.md from consent/codes.facts (no argument), says whether
they are up to date (--check, exit 1 when not), or shows that it would notice (--self-check).
What is wrong with a row tools/codes.c says, when it builds: code_facts.py; that its day has come is asked here,
because a build depends on no clock."""
import datetime
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/code-sets.md"
BEGIN, END = "<!-- begin %s: written by tests/lint/code_sets.py -->", "<!-- end %s -->"
SYSTEMS = {"icd-10": "ICD-10-CM, ICD-10", "icd-10-pcs": "ICD-10-PCS", "icd-9": "ICD-9-CM", "ms-drg": "MS-DRG",
           "snomed": "SNOMED CT", "rxnorm": "RxNorm", "atc": "ATC", "loinc": "LOINC", "hcpcs": "HCPCS, CPT",
           "modifier": "HCPCS modifiers", "place": "place of service", "revenue": "revenue codes",
           "specialty": "CMS specialty", "nucc": "NUCC taxonomy"}
COLUMNS = ("table", "code", "tier", "label", "kind", "state", "source", "checked", "day", "words", "because")


def lines(name):
    for line in (ROOT / "consent" / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            yield [field.strip() for field in line.split("|")]


def sources():
    return list(lines("code_sources.facts"))


def everything():
    return [dict(zip(COLUMNS, fields + [""])) for fields in lines("codes.facts")]


def counts(all_rows):
    out = ["| system | T1 | T2 | T3 | not | context | off |", "|---|---|---|---|---|---|---|"]
    total = [0] * 6
    for table, name in SYSTEMS.items():
        mine = [r for r in all_rows if r["table"] == table]
        on = [r for r in mine if r["state"] == "on"]
        cells = [sum(r["tier"] == t for r in on) for t in ("T1", "T2", "T3", "NOT", "CONTEXT")] + [len(mine) - len(on)]
        total = [a + b for a, b in zip(total, cells)]
        out.append("| %s | %s |" % (name, " | ".join(str(c or "") for c in cells)))
    out.append("| all | %s |" % " | ".join(map(str, total)))
    return out


def cited(all_rows):
    out = ["| source | rows | on | compared by | last | what it is |", "|---|---|---|---|---|---|"]
    for name, checked, short, full in sources():
        mine = [r for r in all_rows if r["source"] == name]
        on = sum(r["state"] == "on" for r in mine)
        out.append("| %s | %d | %s | %s | %s | %s |" % (short, len(mine), on or "", checked, max(r["day"] for r in mine), full))
    return out


def off(all_rows):
    out = ["| system | codes | what they mean | why |", "|---|---|---|---|"]
    groups = {}
    for r in all_rows:
        if r["state"] == "off":
            groups.setdefault((r["table"], r["words"], r["because"]), []).append(r["code"].rstrip("*"))
    for (table, words, because), codes in groups.items():
        out.append("| %s | %s | %s | %s |" % (SYSTEMS[table], ", ".join(codes), words, because or "no source"))
    return out


def page(text, all_rows):
    for name, make in (("counts", counts), ("sources", cited), ("off", off)):
        begin, end = BEGIN % name, END % name
        before, rest = text.split(begin)
        text = before + begin + "\n" + "\n".join(make(all_rows)) + "\n" + end + rest.split(end)[1]
    return text


def to_come(all_rows):
    """Compared on a day that is yet to come; a day ahead is let go, for all time zones."""
    last = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%d")
    return [r["code"] for r in all_rows if r["day"] != "-" and r["day"] > last]


def main():
    text = PAGE.read_text()
    all_rows = everything()
    if "--self-check" in sys.argv:
        all_rows[0] = dict(all_rows[0], state="off" if all_rows[0]["state"] == "on" else "on")
        if page(text, all_rows) == text:
            print("a row that was switched is not noticed")
            return 1
        if to_come([dict(all_rows[0], day="2099-12-31"), all_rows[1]]) != [all_rows[0]["code"]]:
            print("a day that is to come is not noticed")
            return 1
        return 0
    wanted = page(text, all_rows)
    if "--check" in sys.argv:
        if wanted != text:
            print("docs/code-sets.md is older than consent/codes.facts: run tests/lint/code_sets.py")
            return 1
        for code in to_come(all_rows):
            print(f"consent/codes.facts: {code} was compared on a day that has not come yet")
            return 1
        return 0
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())

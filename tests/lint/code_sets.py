#!/usr/bin/python3
"""Writes the tables of docs/code-sets.md from consent/codes_*.def (no argument),
says whether they are up to date and every code has the shape and the check digit of
its system (--check, exit 1 when not), or shows that it would notice (--self-check)."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/code-sets.md"
FILES = ["diagnosis", "snomed", "drug", "loinc", "claim"]
BEGIN, END = "<!-- begin %s: written by tests/lint/code_sets.py -->", "<!-- end %s -->"
SYSTEMS = {"ICD10": "ICD-10-CM, ICD-10", "ICD10PCS": "ICD-10-PCS", "ICD9": "ICD-9-CM", "DRG": "MS-DRG",
           "SNOMED": "SNOMED CT", "RXNORM": "RxNorm", "ATC": "ATC", "LOINC": "LOINC", "HCPCS": "HCPCS, CPT",
           "MODIFIER": "HCPCS modifiers", "PLACE": "place of service", "REVENUE": "revenue codes",
           "SPECIALTY": "CMS specialty", "NUCC": "NUCC taxonomy"}
TOKEN = re.compile(r'ROW_(\w+)\("([^"]+)",\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*(\w+),\s*"([^"]*)"\)')


def rows(text):
    return [dict(zip(("table", "code", "match", "tier", "label", "kind", "state", "source", "words"), m))
            for m in TOKEN.findall(text)]


def sources():
    text = (ROOT / "consent/code_sources.def").read_text()
    return re.findall(r'SOURCE\((\w+),\s*"([^"]*)",\s*"([^"]*)"\)', text)


def everything():
    return [r for f in FILES for r in rows((ROOT / ("consent/codes_%s.def" % f)).read_text())]


def counts(all_rows):
    out = ["| system | T1 | T2 | T3 | not | context | off |", "|---|---|---|---|---|---|---|"]
    total = [0] * 6
    for table, name in SYSTEMS.items():
        mine = [r for r in all_rows if r["table"] == table]
        on = [r for r in mine if r["state"] == "ON"]
        cells = [sum(r["tier"] == t for r in on) for t in ("T1", "T2", "T3", "NOT", "CONTEXT")] + [len(mine) - len(on)]
        total = [a + b for a, b in zip(total, cells)]
        out.append("| %s | %s |" % (name, " | ".join(str(c or "") for c in cells)))
    out.append("| all | %s |" % " | ".join(map(str, total)))
    return out


def cited(all_rows):
    out = ["| source | rows | what it is |", "|---|---|---|"]
    for name, short, full in sources():
        n = sum(r["source"] == name for r in all_rows)
        out.append("| %s | %d | %s |" % (short, n, full))
    return out


def off(all_rows):
    out = ["| system | codes | what they mean |", "|---|---|---|"]
    groups = {}
    for r in all_rows:
        if r["state"] == "OFF":
            groups.setdefault((r["table"], r["words"]), []).append(r["code"])
    for (table, words), codes in groups.items():
        out.append("| %s | %s | %s |" % (SYSTEMS[table], ", ".join(codes), words))
    return out


def luhn(digits):
    """The check digit of LOINC (Mod 10)."""
    total = 0
    for i, d in enumerate(reversed([int(d) for d in digits])):
        total += d if i % 2 else (2 * d if d < 5 else 2 * d - 9)
    return str(-total % 10)


def verhoeff(digits):
    """Whether the last digit is that of SNOMED CT (Verhoeff): multiplication in the group of a pentagon."""
    def times(a, b):
        turn, mirror = a % 5, a // 5
        return (turn + (b if not mirror else -b) if b < 5 else turn + (b - 5 if not mirror else 5 - b)) % 5 + 5 * (mirror ^ (b // 5))
    step, check = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4], 0
    for i, d in enumerate(reversed(digits)):
        d = int(d)
        for _ in range(i % 8):
            d = step[d]
        check = times(check, d)
    return check == 0


SHAPES = {"ICD10": r"[A-Z]\d[0-9A-Z.]{0,6}", "HCPCS": r"[0-9A-Z]\d{3}[0-9A-Z]", "RXNORM": r"\d{2,8}", "DRG": r"\d{3}",
          "NUCC": r"[0-9A-Z]{9}X", "PLACE": r"\d{2}"}


def mistake(row):
    """What is wrong with the code of a row; None: nothing."""
    code, table = row["code"], row["table"]
    if row["match"] != "EXACT":
        return None
    if table == "LOINC":
        body, _, check = code.partition("-")
        fine = re.fullmatch(r"(LP)?\d{1,7}-\d", code) and luhn(re.sub(r"\D", "", body)) == check
        return None if fine else "LOINC has no such check digit"
    if table == "SNOMED":
        return None if re.fullmatch(r"\d{6,18}", code) and verhoeff(code) else "SNOMED CT has no such check digit"
    return None if re.fullmatch(SHAPES.get(table, ".*"), code) else "this is no code of its system"


def mistakes(all_rows):
    return ["%s %s: %s" % (r["table"], r["code"], mistake(r)) for r in all_rows if mistake(r)]


def page(text, all_rows):
    for name, make in (("counts", counts), ("sources", cited), ("off", off)):
        begin, end = BEGIN % name, END % name
        before, rest = text.split(begin)
        text = before + begin + "\n" + "\n".join(make(all_rows)) + "\n" + end + rest.split(end)[1]
    return text


def main():
    text = PAGE.read_text()
    all_rows = everything()
    if "--self-check" in sys.argv:
        planted = [("LOINC", "684345"), ("LOINC", "3414-1"), ("SNOMED", "15167004"), ("SNOMED", "151670050"), ("HCPCS", "H020"),
                   ("ICD10", "11.20"), ("DRG", "0897")]
        for table, code in planted:
            if mistake({"table": table, "code": code, "match": "EXACT"}) is None:
                print("%s %s is not noticed" % (table, code))
                return 1
        all_rows[0] = dict(all_rows[0], state="OFF" if all_rows[0]["state"] == "ON" else "ON")
        if page(text, all_rows) == text:
            print("a row that was switched is not noticed")
            return 1
        return 0
    wanted = page(text, all_rows)
    if "--check" in sys.argv:
        if mistakes(all_rows):
            print("\n".join(mistakes(all_rows)))
            return 1
        if wanted != text:
            print("docs/code-sets.md is older than consent/codes_*.def: run tests/lint/code_sets.py")
            return 1
        return 0
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""lint/terms-finds -- what tools/terms.c refuses, and what it makes of a pattern.

    terms.py CC ROOT

Builds the tool over planted terms, one after the other, and wants each refused for its reason with
nothing written; and one good list written as it should be.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

GOOD = 'TERM(SUD, DISORDER, ANY, "(drug|meth) (addict|users)[ of[ many] years]")\nTERM(SUD, DRUG, CAPS, "sud")\nWORDS(OR, "or|nor")\n'
PHRASES = {"drug addict", "drug user", "meth addict", "meth user", "sud",
           *(f"{a} {b} of {m}year" for a in ("drug", "meth") for b in ("addict", "user") for m in ("", "many "))}
BAD = [
    ('TERM(SUD, DISORDER, ANY, "(drug|meth user")', "not closed"),
    ('TERM(SUD, DISORDER, ANY, "drug[ use")', "not closed"),
    ('TERM(SUD, DISORDER, ANY, "(drug|) user")', "empty alternative"),
    ('TERM(SUD, DISORDER, ANY, "")', "no words"),
    ('TERM(SUD, DISORDER, ANY, "Heroin")', "small letters"),
    ('TERM(SUD, DISORDER, ANY, "co-caine")', "small letters"),
    ('TERM(SUD, DISORDER, ANY, "%s")' % ("a" * 32), "too long"),
    ('TERM(SUD, DISORDER, ANY, "a b c d e f g")', "too many words"),
    ('TERM(SUD, DISORDER, LOUD, "heroin")', "flag"),
    ('TERM(SUD, DISORDER, ANY, "%s")' % ("a " * 600), "too long"),
    ('TERM(SUD, DISORDER, ANY, "heroin")\nTERM(PSY, DISORDER, ANY, "heroin")', "another meaning"),
    ('TERM(SUD, DISORDER, ANY, "heroins")\nTERM(SUD, DISORDER, CAPS, "heroin")', "another meaning"),
    ('WORDS(AND, "and||plus")', "small letters"),
    ('WORDS(AND, "")', "small letters"),
]


def build(cc, root, folder, text):
    """(exit code, what was said, what was written or None)"""
    (folder / "planted.def").write_text(text)
    subprocess.run([cc, "-std=gnu17", f"-I{root}", f"-I{folder}", '-DTERMS_DEF="planted.def"', "-o", folder / "terms",
                    root / "tools/terms.c"], check=True)
    out = folder / "out.def"
    out.unlink(missing_ok=True)
    done = subprocess.run([folder / "terms", out], capture_output=True, text=True)
    return done.returncode, done.stderr, out.read_text() if out.exists() else None


def phrases_of(table):
    words = re.findall(r'^\{ "(\w*)"', table, re.M)
    return {" ".join(words[int(n)] for n in row.split(",") if n.strip()) for row in re.findall(r"^\{ \{ ([\d, ]+)\}", table, re.M)}


def main():
    cc, root = sys.argv[1], pathlib.Path(sys.argv[2])
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        code, said, table = build(cc, root, folder, GOOD)
        if code != 0 or phrases_of(table) != PHRASES:
            wrong.append(f"good terms: {code} {said} {sorted(phrases_of(table or '') ^ PHRASES)}")
        for planted, reason in BAD:
            code, said, table = build(cc, root, folder, GOOD + planted + "\n")
            if code != 1 or reason not in said or table is not None:
                wrong.append(f"{planted[:60]}: exit {code}, said {said.strip()[:200]!r}, wanted {reason!r}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

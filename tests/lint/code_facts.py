#!/usr/bin/python3
"""lint/code_facts -- every kind of bad row is refused when the code tables are built.

    code_facts.py TOOL ROOT

Plants one bad row after the other into the facts, runs tools/codes.c over them, and wants each
refused at its line for its reason, with nothing written; and the facts as they are taken.
"""
import pathlib
import subprocess
import sys
import tempfile

GOOD = "snomed | 15167005 | T1 | ETHUD | DISORDER | on | LEAP | name | 2026-11-22 | alcohol abuse"
COLUMN = {name: i for i, name in enumerate(
    ("system", "code", "tier", "label", "kind", "state", "source", "checked", "day", "words", "because"))}
FREE = {"system": "snomed", "code": "73211009"}           # a concept that no row has, its check digit right


def row(**changes):
    fields = [f.strip() for f in GOOD.split("|")] + [""]
    for name, value in {**FREE, **changes}.items():
        fields[COLUMN[name]] = value
    return " | ".join(fields).rstrip(" |") if not fields[-1] else " | ".join(fields)


# (planted row, a word of the reason)
BAD_ROWS = [
    (row(system="loinc", code="684345"), "check digit"),                       # a spreadsheet's 3773-9 (SG-46)
    (row(system="loinc", code="3414-1"), "check digit"),
    (row(code="73211008"), "check digit"),
    (row(code="12345"), "check digit"),
    (row(code="1819"), "check digit"),                                         # an RxNorm number as SNOMED CT
    (row(system="rxnorm", code="73211009012"), "shape"),
    (row(system="hcpcs", code="H020"), "shape"),
    (row(system="hcpcs", code="HF"), "shape"),                                 # a modifier among the codes
    (row(system="modifier", code="H0020"), "shape"),
    (row(system="icd-10", code="1120"), "shape"),
    (row(system="icd-9", code="F1120"), "shape"),                              # ICD-10 among ICD-9
    (row(system="ms-drg", code="0897"), "shape"),
    (row(system="revenue", code="126"), "plain form"),
    (row(system="place", code="5"), "shape"),
    (row(system="nucc", code="261QM2800"), "shape"),
    (row(system="specialty", code="D50"), "shape"),
    (row(system="icd-10", code="F11.20"), "plain form"),
    (row(system="icd-10", code="f1120"), "plain form"),
    (row(code="7321100973211009732110097321100973211009"), "plain form"),
    (row(code="7321*"), "no prefix"),
    (row(system="icd-10", code="F*"), "begins"),
    (row(system="icd-10", code="*"), "missing|begins|plain"),
    (row(system="icd-9", code="3*"), "begins"),
    (row(system="atc", code="N*"), "begins"),
    (row(system="icd-10", code="F1120", label="OPIOIDUD"), "prefix says the same"),
    (row(code="15167005"), "there already"),
    (row(code="15167005", tier="T3", kind="TEST"), "there already"),           # in another tier
    (row(system="icd-10", code="F11", label="OPIOIDUD"), "there already"),     # as itself beside the prefix
    (row(system="icd-11"), "system is not known"),
    (row(tier="T4"), "the tier"),
    (row(label="ALCOHOL"), "the label"),
    (row(kind="ILLNESS"), "the kind"),
    (row(state="maybe"), "the state"),
    (row(checked="heard"), "checked is"),
    (row(source="WIKIPEDIA"), "in no row of the sources"),
    (row(source="MEMORY", checked="none", day="-"), "cannot be on"),
    (row(source="MEMORY"), "does not compare"),
    (row(source="LEAP", checked="none", day="-"), "does not compare"),
    (row(checked="list"), "does not compare"),
    (row(day="2026-02-30"), "the day"),
    (row(day="yesterday"), "the day"),
    (row(day="-"), "the day"),
    (row(day="2099-02-30"), "the day is none"),
    (row(system="icd-10", code="F1123", tier="T3", label="OPIOIDUD"), "weaker than a prefix"),
    (row(system="icd-10", code="F1123*", tier="T2", label="OPIOIDUD"), "weaker than a prefix"),
    (row(system="icd-10", code="F112", tier="NOT", label="NONE", source="CMS_OMITS", checked="absence"), "weaker than a prefix"),
    (row(state="off", source="MEMORY", checked="none"), "by nobody"),
    (row(state="off"), "does not say why"),
    (row(because="nobody likes it"), "says why it is off"),
    (row(tier="NOT"), "labels nothing, and a label"),
    (row(label="NONE"), "and no label"),
    (row(tier="CONTEXT", label="NONE"), "pain and weight"),
    (row(kind="PAIN"), "pain and weight"),
    (row(source="CMS_OMITS", checked="absence"), "no reason to label"),
    (row(words=""), "a field is missing"),
    (row(words='the "bad" one'), "no place here"),
    (row(words="ends the string\\"), "no place here"),
    (row(words="caf\u00e9"), "no place here"),
    (row(because="a | b"), "too many"),
    (row(words="x" * 600), "too long"),
]
BAD_SOURCES = [
    ("LEAP | name | again | the same name twice", "there already"),
    ("FRIEND | name | a friend | told me", "no row is of this source"),
    ("LEAP2 | heard | LEAP | read aloud", "checked is"),
    ("LEAP2 | name | LEAP", "a field is missing"),
]


def build(tool, folder, codes, sources):
    (folder / "codes.facts").write_text(codes)
    (folder / "code_sources.facts").write_text(sources)
    out = [folder / "rows.def", folder / "sources.def"]
    for path in out:
        path.unlink(missing_ok=True)
    done = subprocess.run([tool, folder / "codes.facts", folder / "code_sources.facts", *out], capture_output=True, text=True)
    return done, [path.exists() for path in out]


def main():
    tool, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    codes = (root / "consent/codes.facts").read_text()
    sources = (root / "consent/code_sources.facts").read_text()
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done, written = build(tool, folder, codes, sources)
        if done.returncode != 0 or written != [True, True]:
            wrong.append("the facts as they are: " + done.stderr)
        done, written = build(tool, folder, codes + row() + "\n", sources)
        if done.returncode != 0 or '"73211009"' not in (folder / "rows.def").read_text():
            wrong.append("a good row is refused: " + done.stderr)
        at = {"codes": codes.count("\n") + 1, "sources": sources.count("\n") + 1}
        for which, planted in (("codes", BAD_ROWS), ("sources", BAD_SOURCES)):
            for line, reasons in planted:
                done, written = build(tool, folder, codes + (line + "\n" if which == "codes" else ""),
                                      sources + (line + "\n" if which == "sources" else ""))
                said = [s for s in done.stderr.splitlines() if f".facts:{at[which]}: " in s]
                if done.returncode != 1 or any(written):
                    wrong.append(f"taken: {line}")
                elif not any(reason in s for s in said for reason in reasons.split("|")):
                    wrong.append(f"not for the reason {reasons!r}: {line}\n  {done.stderr}")
    for line in wrong:
        print(line)
    print(f"{len(BAD_ROWS) + len(BAD_SOURCES)} bad rows planted, {len(wrong)} not refused as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

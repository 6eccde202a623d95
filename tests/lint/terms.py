#!/usr/bin/python3
"""Writes consent/terms_table.def from consent/terms.def (no argument), says
whether it is up to date (--check, exit 1 when it is not), or shows that it
would notice (--self-check)."""
import itertools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "consent/terms.def"
TABLE = ROOT / "consent/terms_table.def"
SLOTS = 2048                      # open addressing, about a quarter full


def fold(word):
    """A plural s goes, as in consent/text.c word_fold()."""
    word = word.lower()
    if len(word) > 3 and word.endswith("s") and word[-2] not in "siu":
        word = word[:-1]
    return word


def fnv(word):
    h = 2166136261
    for byte in word.encode():
        h = ((h ^ byte) * 16777619) & 0xFFFFFFFF
    return h


def split_top(pattern):
    """Splits at | outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(pattern):
        depth += c in "(["
        depth -= c in ")]"
        if c == "|" and depth == 0:
            parts.append(pattern[start:i])
            start = i + 1
    return parts + [pattern[start:]]


def expand(pattern):
    """All phrases of a pattern."""
    alternatives = split_top(pattern)
    if len(alternatives) > 1:
        return [p for a in alternatives for p in expand(a)]
    pieces, i = [], 0
    while i < len(pattern):
        if pattern[i] in "([":
            depth, j = 1, i + 1
            while depth:
                depth += pattern[j] in "(["
                depth -= pattern[j] in ")]"
                j += 1
            inner = expand(pattern[i + 1:j - 1])
            pieces.append(inner + [""] if pattern[i] == "[" else inner)
            i = j
        else:
            j = i
            while j < len(pattern) and pattern[j] not in "([":
                j += 1
            pieces.append([pattern[i:j]])
            i = j
    return [" ".join("".join(p).split()) for p in itertools.product(*pieces)]


def read(more=""):
    text = re.sub(r"/\*.*?\*/", "", SOURCE.read_text(), flags=re.S) + more
    terms, sets = {}, {}
    for label, cls, flag, pattern in re.findall(r'TERM\((\w+),\s*(\w+),\s*(\w+),\s*"([^"]*)"\)', text):
        for phrase in expand(pattern):
            words = tuple(fold(w) for w in phrase.split())
            terms.setdefault(words, (label, cls, flag))
    for name, words in re.findall(r'WORDS\((\w+),\s*"([^"]*)"\)', text):
        sets[name] = [fold(w) for w in words.split("|")]
    return terms, sets


def rows_of(cells, width):
    return ["    " + " ".join(cells[i:i + width]) for i in range(0, len(cells), width)]


def table(more=""):
    terms, sets = read(more)
    vocabulary = sorted({w for t in terms for w in t} | {w for s in sets.values() for w in s})
    number = {w: i + 1 for i, w in enumerate(vocabulary)}
    slots = [0] * SLOTS
    for w in vocabulary:
        at = fnv(w) % SLOTS
        while slots[at]:
            at = (at + 1) % SLOTS
        slots[at] = number[w]
    # Grouped by last word, longest first: a phrase is looked for when its last word arrives.
    rows = sorted(terms.items(), key=lambda t: (number[t[0][-1]], -len(t[0]), t[0]))
    first = {}
    for i, (words, _) in enumerate(rows):
        first.setdefault(words[-1], i)
    count = {}
    for words, _ in rows:
        count[words[-1]] = count.get(words[-1], 0) + 1
    out = ["/* consent/terms_table.def -- written by tests/lint/terms.py from consent/terms.def.",
           " *",
           " * Words with their sets and where the phrases that end in them begin; phrases",
           " * as word numbers; a hash table of the words (FNV-1a 32).  Do not edit.",
           " */",
           "enum word_set {"]
    for i, name in enumerate(sets):
        out.append("    SET_%s = 1 << %d," % (name, i))
    out += ["};", "", "#define WORD_SLOTS %d" % SLOTS, "#define PHRASE_WORDS %d" % max(len(t) for t in terms), "",
            "static const struct { const char *text; uint32_t sets; uint16_t phrase, phrases; } words[] = {",
            '    { "", 0, 0, 0 },']
    cells = []
    for w in vocabulary:
        bits = sum(1 << i for i, s in enumerate(sets.values()) if w in s)
        cells.append('{ "%s", 0x%x, %d, %d },' % (w, bits, first.get(w, 0), count.get(w, 0)))
    out += rows_of(cells, 3)
    out += ["};", "", "static const struct phrase phrases[] = {"]
    out += rows_of(["{ { %s }, %d, LABEL_%s, TERM_%s, %d },"
                    % (", ".join(str(number[w]) for w in words), len(words), label, cls, flag == "CAPS")
                    for words, (label, cls, flag) in rows], 2)
    out += ["};", "", "static const uint16_t word_slots[WORD_SLOTS] = {"]
    out += rows_of(["%d," % n for n in slots], 20)
    out += ["};", ""]
    return "\n".join(out)


def main():
    if "--self-check" in sys.argv:
        if table('TERM(SUD, DISORDER, ANY, "planted phrase")') == TABLE.read_text():
            print("a phrase that was added is not noticed")
            return 1
        return 0
    wanted = table()
    if "--check" in sys.argv:
        if not TABLE.exists() or TABLE.read_text() != wanted:
            print("consent/terms_table.def is not what consent/terms.def says: run tests/lint/terms.py")
            return 1
        return 0
    TABLE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Verifies an export of a Sluice ledger with nothing of Sluice.

    python3 verify.py PUBLIC-KEY.pem [FOLDER] [--checkpoint FILE]...

FOLDER is the one that this file is in, when none is named.  Take the key from whoever keeps the ledger, on another
way than this folder; --checkpoint names one that you kept, older or newer; --strict: README.  Exit status: 0 it holds, 1 it does not,
2 it cannot be read.  Needs Python 3.8 and `cryptography`.  Memory does not grow with the log.  README says what each
step is; docs/verify-the-log.md why.
"""
import argparse
import base64
import bisect
import hashlib
import json
import os
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

LINE = re.compile(rb'\{"index":(0|[1-9][0-9]*),(?:"salt":"([0-9a-f]{64})","record":(\{[^\n]*\})|"commitment":"([0-9a-f]{64})")\}\n')
RECORD = re.compile(rb'(\{"prevHash":"([0-9a-f]{64})"[^\n]*),"hash":"([0-9a-f]{64})"\}')
SIGNED = re.compile("\u2014 ([^ +\n]+) ([A-Za-z0-9+/]{8,}={0,2})")
SHREDDING = b'"kind":"shredding"'
LONGEST = 4 << 20
TILE = 256


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(subtrees):
    """subtrees: (size, hash) from left to right, each size a power of two and smaller than the one before."""
    root = None
    for _, one in reversed(subtrees):
        root = one if root is None else sha(b"\1", one, root)
    return sha() if root is None else root


def grow(subtrees, one):
    """A leaf more: two of one size become one, as in adding one to a binary number."""
    subtrees.append((1, one))
    while len(subtrees) > 1 and subtrees[-1][0] == subtrees[-2][0]:
        (size, right), (_, left) = subtrees.pop(), subtrees.pop()
        subtrees.append((2 * size, sha(b"\1", left, right)))


def tile_name(level, number, width):
    name, rest = "%03d" % (number % 1000), number // 1000
    while rest:
        name, rest = "x%03d/" % (rest % 1000) + name, rest // 1000
    return "tiles/%d/%s%s" % (level, name, "" if width == TILE else ".p/%d" % width)


def is_tile(name, size):
    """Whether a tree of so many leaves has a tile of this name."""
    form = re.fullmatch(r"tiles/([0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/[0-9]+)?", name)
    if form is None:
        return False
    number, hashes = int(re.sub("[x/]", "", form[2])), size >> (8 * int(form[1]))
    width = min(TILE, hashes - number * TILE)
    return width > 0 and name == tile_name(int(form[1]), number, width)


def checkpoint(note, key):
    """(origin, size, root) of a note that the key signed; ValueError says what is wrong with it."""
    text, empty, signatures = note.rpartition("\n\n")
    lines, signed = text.split("\n"), signatures.split("\n")
    if not empty or len(lines) < 3 or signed.pop() or not signed or not all(map(SIGNED.fullmatch, signed)):
        raise ValueError("it is no signed note")
    origin, size, root = lines[:3]
    if not origin or not re.fullmatch("0|[1-9][0-9]*", size) or base64.b64encode(base64.b64decode(root)).decode() != root:
        raise ValueError("it is no checkpoint")
    whose = [(m[1], m[2][:5]) for m in map(SIGNED.fullmatch, signed)]
    if len(set(whose)) != len(whose):
        raise ValueError("a key signed twice")
    public = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id, ours = sha(origin.encode(), b"\n\1", public)[:4], 0
    for name, blob in (SIGNED.fullmatch(line).groups() for line in signed):
        raw = base64.b64decode(blob)
        if name != origin or raw[:4] != key_id or len(raw) != 68 or base64.b64encode(raw).decode() != blob:
            continue
        try:
            key.verify(raw[4:], (text + "\n").encode())
        except InvalidSignature:
            raise ValueError("the signature is wrong") from None
        ours += 1
    if not ours:
        raise ValueError("this key did not sign it")
    return origin, int(size), base64.b64decode(root)


def shredded(folder):
    """The runs of leaves that the log of denials says were destroyed, of each log, in order."""
    runs = {"": [], "denials/": []}
    try:
        with open(os.path.join(folder, "denials", "records.ndjson"), "rb") as file:
            for text in iter(lambda: file.readline(LONGEST), b""):
                form = LINE.fullmatch(text) if SHREDDING in text else None
                record = json.loads(form[3]) if form is not None and form[3] is not None else {}
                if record.get("kind") == "shredding":
                    for below, name in (("", "disclosures"), ("denials/", "denials")):
                        runs[below] += [tuple(map(int, run.split("-"))) for run in record["leaves"][name]]
    except (OSError, ValueError, KeyError):
        pass                             # what is wrong with it is told where it stands
    return {below: sorted(of) for below, of in runs.items()}


class Log:
    """One of the two logs of a folder, read once from its first leaf to its last."""

    def __init__(self, folder, below, key, others, runs=()):
        self.folder, self.below, self.key, self.runs, self.unrecorded = folder, below, key, runs, 0
        self.subtrees, self.tiles, self.size, self.destroyed = [], [], 0, 0
        self.chain, self.problems, self.first = b"0" * 64, [], None
        try:
            note = open(os.path.join(folder, below, "checkpoint"), encoding="utf-8", newline="").read(1 << 16)
            self.origin, self.wanted, self.root = checkpoint(note, key)
        except (OSError, ValueError) as why:
            self.origin, self.wanted, self.root = None, None, None
            self.problem("checkpoint: %s" % why)
        self.marks = sorted((size, root) for origin, size, root in others if origin == self.origin)

    def problem(self, text):
        self.problems.append(self.below + text)

    def read(self, name):
        try:
            with open(os.path.join(self.folder, self.below, name), "rb") as file:
                return file.read(TILE * 32 + 1)
        except OSError:
            return None

    def compare(self, level, number, hashes):
        name = tile_name(level, number, len(hashes))
        there = self.read(name)
        if there != b"".join(hashes):
            self.problem(name + (" is missing" if there is None else " is not the tile of these leaves"))

    def leaf(self, one):
        grow(self.subtrees, one)
        self.size += 1
        while self.marks and self.marks[0][0] == self.size:
            self.mark()
        level, full = 0, one
        while full is not None:
            if level == len(self.tiles):
                self.tiles.append([0, []])
            tile = self.tiles[level]
            tile[1].append(full)
            full = None
            if len(tile[1]) == TILE:
                self.compare(level, tile[0], tile[1])
                above = []
                for part in tile[1]:
                    grow(above, part)
                self.tiles[level], full, level = [tile[0] + 1, []], root_of(above), level + 1

    def mark(self):
        size, root = self.marks.pop(0)
        if root != root_of(self.subtrees):
            self.problem("the other checkpoint of size %d does not fit: something before leaf %d was changed" % (size, size))

    def said(self, index):
        """What the tile says that the leaf is, to name a leaf and not only the tree."""
        number = index // TILE
        width = TILE if self.wanted is None or number < self.wanted // TILE else self.wanted % TILE
        if getattr(self, "at_hand", (None,))[0] != number:
            self.at_hand = number, self.read(tile_name(0, number, width or 1)) or b""
        at = index % TILE * 32
        return self.at_hand[1][at:at + 32]

    def record(self, where, salt, bytes_of_it):
        form = RECORD.fullmatch(bytes_of_it)
        if form is None:
            self.problem(where + "its record has no chain")
        elif self.chain not in (None, form[2]):
            self.problem(where + "its prevHash is not the hash of the record before it")
        elif sha(salt, form[1]).hex().encode() != form[3]:
            self.problem(where + "its hash is not its own")
        self.chain = form and form[3]

    def line(self, number, text):
        where = "records.ndjson line %d: " % number
        form = LINE.fullmatch(text)
        if form is None:
            self.problem(where + "it is not written as an export writes it")
            return
        index, salt, record, commitment = form.groups()
        index = int(index)
        if index != self.size:
            self.problem(where + "leaf %d stands where leaf %d has to be" % (index, self.size))
        at = bisect.bisect_right(self.runs, (index, float("inf"))) - 1
        recorded = at >= 0 and self.runs[at][1] >= index
        if record is None and not recorded:
            self.unrecorded, self.first = self.unrecorded + 1, self.first if self.unrecorded else index
        if record is not None and recorded:
            self.problem(where + "leaf %d: a record says that it was destroyed, and it is here" % index)
        if record is None:
            self.destroyed += 1
            one = sha(b"\0", bytes.fromhex(commitment.decode()))
        else:
            salt = bytes.fromhex(salt.decode())
            one = sha(b"\0", sha(salt, record))
        sound = self.said(index) in (b"", one)
        if not sound:
            self.problem(where + "leaf %d does not fit its tile: the record, its salt or the tile was changed" % index)
        if record is None or not sound:
            self.chain = None
        else:
            self.record(where, salt, record)
        self.leaf(one)

    def verify(self):
        while self.marks and self.marks[0][0] == 0:
            self.mark()
        try:
            with open(os.path.join(self.folder, self.below, "records.ndjson"), "rb") as file:
                for number, text in enumerate(iter(lambda: file.readline(LONGEST), b""), 1):
                    self.line(number, text)
        except OSError as why:
            self.problem("records.ndjson: %s" % why)
        for level, (number, hashes) in enumerate(self.tiles):
            if hashes:
                self.compare(level, number, hashes)
        above = os.path.join(self.folder, self.below)
        for at, _, names in os.walk(os.path.join(above, "tiles")):
            for name in (os.path.relpath(os.path.join(at, name), above).replace(os.sep, "/") for name in names):
                if not is_tile(name, self.size):
                    self.problem("%s does not belong there" % name)
        if self.wanted is not None and self.size != self.wanted:
            self.problem("there are %d leaves, the checkpoint says %d" % (self.size, self.wanted))
        elif self.root is not None and root_of(self.subtrees) != self.root:
            self.problem("the root computed from the leaves is not the checkpoint's")
        for size, _ in self.marks:
            self.problem("the other checkpoint has %d leaves, this log ends at %d: the log was rolled back" % (size, self.size))


def verify(folder, key, others=()):
    """The logs of the folder with what is wrong with each; `others`: what checkpoint() gave."""
    runs = shredded(folder)
    logs = [Log(folder, below, key, others, runs[below]) for below in ("", "denials/")]
    for origin in sorted({o for o, _, _ in others} - {log.origin for log in logs}):
        logs[0].problem("the other checkpoint is of another log, %s" % origin)
    for log in logs:
        log.verify()
    if None not in (logs[0].origin, logs[1].origin) and logs[1].origin != logs[0].origin + "/denials":
        logs[1].problem("checkpoint: it is of another ledger")
    return logs


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("key", metavar="PUBLIC-KEY.pem")
    asked.add_argument("folder", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    asked.add_argument("--checkpoint", action="append", default=[])
    asked.add_argument("--strict", action="store_true", help="a record that was destroyed, and no record says so, is a problem")
    asked = asked.parse_args()
    try:
        key = load_pem_public_key(open(asked.key, "rb").read())
        others = [checkpoint(open(path, encoding="utf-8", newline="").read(1 << 16), key) for path in asked.checkpoint]
    except (OSError, ValueError) as why:
        print("cannot verify: %s" % why, file=sys.stderr)
        return 2
    logs = verify(asked.folder, key, others)
    for log in logs:
        print("%s: %d records, %d of them destroyed" % (log.origin or log.below + "checkpoint", log.size, log.destroyed))
        if log.unrecorded:
            print("  of the destroyed %d are in no record; the first is leaf %d" % (log.unrecorded, log.first))
        print("".join("  %s\n" % problem for problem in log.problems[:20]), end="")
    holds = not any(log.problems or (asked.strict and log.unrecorded) for log in logs)
    print("verified" if holds else "NOT verified")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())

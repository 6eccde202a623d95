"""An export is tampered with at random: `log verify --dir` and the verifier in the export both find it and say where.

300 times; SLUICE_LONG=1: 10,000, SLUICE_SEED another beginning.  A change that cannot be seen in the bytes (two lines that
are the same, swapped) is drawn again.
"""
import importlib.util
import os
import random
import shutil
import sys

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main, run

sys.dont_write_bytecode = True           # beside an export
SLUICE = os.environ.get("SLUICE", "build/sluice")
LONG = os.environ.get("SLUICE_LONG") == "1"
SEED = int(os.environ.get("SLUICE_SEED", "1"))
RECORDS = ("records.ndjson", "denials/records.ndjson")

gateway = Gateway().start()


def exported(name):
    folder = gateway.at(name)
    done = gateway.cli("log", "export", "-c", gateway.config, "--dir", folder)
    check(done.returncode == 0, done.stderr)
    return folder


def files_of(folder):
    found = (os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)
    return sorted(f for f in found if f.startswith(("tiles", "denials")) or f in ("records.ndjson", "checkpoint"))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


class Export:
    """A folder, its verifiers, and what the bytes were."""

    def __init__(self, folder, key):
        self.folder, self.key = folder, key
        self.was = {name: read(os.path.join(folder, name)) for name in files_of(folder)}
        spec = importlib.util.spec_from_file_location("verify", os.path.join(folder, "verify.py"))
        self.verifier = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.verifier)
        self.public = self.verifier.load_pem_public_key(read(key))

    def ours(self, *more):
        done = run(SLUICE, "log", "verify", "--dir", self.folder, "--key", self.key, *more)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def theirs(self, *notes):
        others = [self.verifier.checkpoint(note, self.public) for note in notes]
        problems = [p for log in self.verifier.verify(self.folder, self.public, others) for p in log.problems]
        return 1 if problems else 0, "\n".join(problems)

    def restore(self):
        for name in set(files_of(self.folder)) - set(self.was):
            os.remove(os.path.join(self.folder, name))
        for name, data in self.was.items():
            path = os.path.join(self.folder, name)
            if not os.path.exists(path) or read(path) != data:
                write(path, data)


# ---- kinds of tampering: each gives {file: bytes, or None to take it away} ------------------------------------------

def at_random(draw, was):
    name = draw.choice(sorted(was))
    return name, bytearray(was[name])


def flip(draw, was):
    name, data = at_random(draw, was)
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return {name: data}


def set_bytes(draw, was):
    name, data = at_random(draw, was)
    at = draw.randrange(len(data))
    data[at:at + draw.randrange(1, 9)] = draw.randbytes(draw.randrange(0, 9))
    return {name: data}


def truncate(draw, was):
    name, data = at_random(draw, was)
    return {name: data[:draw.randrange(len(data))]}


def append(draw, was):
    name, data = at_random(draw, was)
    at = draw.randrange(len(data))
    return {name: data + draw.choice([b"\n", b"x", bytes(data[at:at + 64]), bytes(data)])}


def take_away(draw, was):
    return {draw.choice(sorted(was)): None}


def swap_files(draw, was):
    a, b = draw.sample(sorted(was), 2)
    return {a: was[b], b: was[a]}


def put_in(draw, was):
    name = draw.choice(["", "denials/"]) + draw.choice(["tiles/0/%03d" % draw.randrange(900, 999), "tiles/3/000",
                                                        "tiles/0/001.p/%d" % draw.randrange(1, 256), "tiles/x/y"])
    return {name: draw.randbytes(32)} if name not in was else {name: None}


def of_lines(change):
    def tamper(draw, was):
        name = draw.choice(RECORDS)
        lines = was[name].splitlines(keepends=True)
        change(draw, lines)
        return {name: b"".join(lines)}
    tamper.__name__ = change.__name__
    return tamper


@of_lines
def delete_lines(draw, lines):
    at = draw.randrange(len(lines))
    del lines[at:at + draw.choice([1, 1, 2, 10])]


@of_lines
def repeat_a_line(draw, lines):
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines))


@of_lines
def reorder(draw, lines):
    a, b = draw.sample(range(len(lines)), 2)
    lines[a], lines[b] = lines[b], lines[a]


@of_lines
def reverse_some(draw, lines):
    at = draw.randrange(len(lines) - 1)
    lines[at:at + 8] = reversed(lines[at:at + 8])


@of_lines
def empty_line(draw, lines):
    lines.insert(draw.randrange(len(lines) + 1), b"\n")


@of_lines
def another_index(draw, lines):
    at = draw.randrange(len(lines))
    lines[at] = lines[at].replace(b'"index":%d,' % at, b'"index":%d,' % (at + draw.choice([-1, 1, 256, 10 ** 18])), 1)


@of_lines
def another_commitment(draw, lines):
    at = draw.randrange(len(lines))
    lines[at] = b'{"index":%d,"commitment":"%s"}\n' % (at, draw.randbytes(32).hex().encode())


def another_word(draw, was):
    """A value inside a record, as one would who wants another story told."""
    name = draw.choice(RECORDS)
    was_there = draw.choice([w for w in (b"Patient/p1", b"2026", b"TREAT", b"county-hie", b"permit", b"deny", b"R-01", b"42 CFR") if w in was[name]])
    places = was[name].split(was_there)
    at = draw.randrange(1, len(places))
    return {name: was_there.join(places[:at]) + was_there[:-1] + b"9" + was_there.join(places[at:])}


def forged(draw, was):
    """All of it made anew by somebody who has everything but the key: record, chain, tiles; the root is another."""
    name = draw.choice(RECORDS)
    lines = was[name].splitlines(keepends=True)
    at = draw.randrange(len(lines))
    import hashlib
    import re
    below, hashes, chain = name[:-len("records.ndjson")], [], "0" * 64
    for n, line in enumerate(lines):
        salt, record = re.fullmatch(rb'\{"index":\d+,"salt":"([0-9a-f]{64})","record":(.*)\}\n', line).groups()
        if n == at:
            record = record.replace(b"e", b"E", 1) if b"e" in record[80:] else record
            record = record[:80] + record[80:].replace(b"2026", b"2025", 1)
        body = b'{"prevHash":"' + chain.encode() + b'"' + record[len('{"prevHash":""') + 64:].rpartition(b',"hash":"')[0]
        chain = hashlib.sha256(bytes.fromhex(salt.decode()) + body).hexdigest()
        record = body + b',"hash":"' + chain.encode() + b'"}'
        lines[n] = b'{"index":%d,"salt":"%s","record":%s}\n' % (n, salt, record)
        hashes.append(hashlib.sha256(b"\0" + hashlib.sha256(bytes.fromhex(salt.decode()) + record).digest()).digest())
    made = {name: b"".join(lines)}
    for n in range(0, len(hashes), 256):
        part = hashes[n:n + 256]
        made[below + "tiles/0/%03d%s" % (n // 256, "" if len(part) == 256 else ".p/%d" % len(part))] = b"".join(part)
    return made


KINDS = [flip, flip, flip, set_bytes, truncate, append, take_away, swap_files, put_in, delete_lines, repeat_a_line, reorder, reverse_some,
         empty_line, another_index, another_commitment, another_word, forged]


# ---- scenarios ----------------------------------------------------------------------------------------------------

def filled():
    gateway.push(bundle(patient("c1"), consent("c-c1", "c1"), condition("oud", "c1")), client="riverside-ehr")
    gateway.push(bundle(patient("c2"), condition("oud2", "c2")), client="riverside-ehr")
    connection = gateway.connect()
    for n in range(140):                 # a tile of the tree is 256 records, and each has two recipients
        check(gateway.request("PUT", "/fhir/Observation/t", observation("t", "p1", value=f"{n}.5"), connection=connection)[0] < 300, n)
    gateway.settled()


def named(text, changed):
    """Whether it says where: a file of those that were changed, a leaf, or the end."""
    return any(name in text for name in changed) or "leaf" in text or "leaves" in text or "checkpoint" in text


def every_tampering_is_found_by_both_and_named():
    filled()
    folder = exported("whole")
    key = gateway.at("trusted.pem")
    shutil.copy(os.path.join(folder, "public-key.pem"), key)
    export, draw = Export(folder, key), random.Random(SEED)
    check(export.ours()[0] == 0 and export.theirs() == (0, ""), (export.ours(), export.theirs()))
    count, done = 10000 if LONG else 300, {}
    while sum(done.values()) < count:
        kind = draw.choice(KINDS)
        changed = {name: data if data is None else bytes(data) for name, data in kind(draw, export.was).items()}
        changed = {name: data for name, data in changed.items() if export.was.get(name) != data}
        if not changed:
            continue
        for name, data in changed.items():
            path = os.path.join(folder, name)
            os.remove(path) if data is None else write(path, data)
        ours, theirs = export.ours(), export.theirs()
        what = (SEED, sum(done.values()), kind.__name__, sorted(changed))
        check(ours[0] == 6 and named(ours[1], changed), (what, "log verify", ours))
        check(theirs[0] == 1 and named(theirs[1], changed), (what, "verify.py", theirs))
        done[kind.__name__] = done.get(kind.__name__, 0) + 1
        export.restore()
    check(export.ours()[0] == 0 and export.theirs() == (0, ""), "as it was")
    print(f"      {sum(done.values())} found: " + ", ".join(f"{n} {k}" for k, n in sorted(done.items())))


def an_export_that_was_rolled_back_is_found_by_a_checkpoint_that_was_kept():
    old = exported("old")
    gateway.push(bundle(patient("late"), observation("late", "late")))
    gateway.settled()
    new = exported("new")
    key = gateway.at("trusted.pem")
    note = read(os.path.join(new, "checkpoint")).decode()
    back = Export(old, key)
    check(back.ours()[0] == 0, "by itself it is whole")
    for code, said in (back.ours("--checkpoint", os.path.join(new, "checkpoint")), back.theirs(note)):
        check(code in (6, 1) and "rolled back" in said, (code, said))
    fine = Export(new, key)
    check(fine.ours("--checkpoint", os.path.join(old, "checkpoint"))[0] == 0, "the older is its beginning")
    check(fine.theirs(read(os.path.join(old, "checkpoint")).decode())[0] == 0, "the older is its beginning")


if __name__ == "__main__":
    main([every_tampering_is_found_by_both_and_named, an_export_that_was_rolled_back_is_found_by_a_checkpoint_that_was_kept])

#!/usr/bin/python3
"""Verifies an export of the ledger with nothing of ours: verify_export.py DIR PUBLIC-KEY.pem
Written from the README of an export; the oracle of tests/gateway/test_ledger_export.c."""
import base64, hashlib, json, os, sys
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def root_of(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root_of(leaves[:k]), root_of(leaves[k:]))

def checkpoint(path, key):
    text, _, signature = open(path, encoding="utf-8").read().rpartition("\n\n")
    origin, size, root = text.split("\n")[:3]
    dash, name, blob = signature.strip().split(" ")
    blob = base64.b64decode(blob)
    public = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert dash == "\u2014" and name == origin and blob[:4] == sha(origin.encode(), b"\n\1", public)[:4], "key id"
    key.verify(blob[4:], (text + "\n").encode())
    return int(size), base64.b64decode(root)

def tiles(hashes, level=0):
    for n in range((len(hashes) + 255) // 256):
        part, name, rest = hashes[n * 256:n * 256 + 256], "%03d" % (n % 1000), n // 1000
        while rest:
            name, rest = "x%03d/" % (rest % 1000) + name, rest // 1000
        yield "tiles/%d/%s%s" % (level, name, "" if len(part) == 256 else ".p/%d" % len(part)), b"".join(part)
    if len(hashes) >= 256:
        yield from tiles([root_of(hashes[i:i + 256]) for i in range(0, len(hashes) - 255, 256)], level + 1)

def verify(folder, key):
    leaves, chain = [], "0" * 64
    for number, line in enumerate(open(os.path.join(folder, "records.ndjson"), "rb")):
        entry = json.loads(line)
        assert entry["index"] == number, "gap at %d" % number
        if "record" in entry:
            salt, record = bytes.fromhex(entry["salt"]), line.split(b'"record":', 1)[1].rstrip(b"\n")[:-1]
            commitment = sha(salt, record)
            assert chain in (None, entry["record"]["prevHash"]), "chain at %d" % number
            chain = sha(salt, record.rpartition(b',"hash":"')[0]).hex()
            assert chain == entry["record"]["hash"], "hash at %d" % number
        else:
            commitment, chain = bytes.fromhex(entry["commitment"]), None
        leaves.append(sha(b"\0", commitment))
    assert (len(leaves), root_of(leaves)) == checkpoint(os.path.join(folder, "checkpoint"), key), "root"
    for name, content in tiles(leaves):
        assert open(os.path.join(folder, name), "rb").read() == content, name
    return len(leaves)

key = load_pem_public_key(open(sys.argv[2], "rb").read())
print("ok", verify(sys.argv[1], key), verify(os.path.join(sys.argv[1], "denials"), key))

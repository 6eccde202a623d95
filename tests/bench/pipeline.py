"""What the stages of a push cost: validation beside receiving and forwarding.  A part of run_validate.py.

A transaction of 100 entries goes through the whole gateway, which has our behavioral-health package and asks twelve of its
profiles; the other resources claim theirs.  TLS with client certificates in, TLS out, the durable log.  Twice:

    instructions   under callgrind, by the functions in which the stages begin (ROWS).  Connections stand already.  The kernel
                   is not seen.  Rows sum up to the total; what no row claims is a row.
    CPU            of a run without valgrind, the kernel too: schedstat of all threads, the round that took least, and what is
                   whose by perf's samples of the CPU clock.  Beside it validation alone, in a thread that does nothing else.

Receiving is everything from the socket to the committed inbox, forwarding everything from the record of the disclosure to the
recorded outcome.  Bare transport is TLS, HTTP and the JSON tape, without store, ledger, digest and answer: a reading that is
stricter than what a gateway can do.
"""
import glob
import hashlib
import json
import pathlib
import re
import signal
import statistics
import subprocess
import tempfile
import time

import callgrind
import run_gateway as gateway

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BEHAVIORAL = ROOT / "packages/sluice.behavioral-health"
BEHAVIORAL_BASE = "https://fhir.sluice.example/behavioral-health/StructureDefinition/"
# One profile of ours for all of a type.  Observations and Conditions have several: each claims its own.
ASKED_OF_ALL = ("bh-patient", "bh-encounter", "bh-condition", "bh-coverage", "bh-goal", "bh-care-plan", "bh-care-team",
                "bh-medication-request", "bh-referral", "bh-referral-task", "bh-screening-response", "bh-clinical-note")

RECEIVING, VALIDATION, DECIDING, FORWARDING, NEITHER = "receiving", "validation", "deciding", "forwarding", "neither"
# (part, row, "file:function" where it begins).  The first that fits; the two bare ones are what is left of TLS and HTTP.
ROWS = (
    (NEITHER, "TLS handshakes", r"http/connection\.c:handshake|http/server\.c:on_acceptable"),
    (RECEIVING, "TLS and HTTP, in", r"http/connection\.c:(on_ready|connection_answer)|http/request\.c:http_respond"),
    (RECEIVING, "JSON tape", r"base/json_read\.c:tape_read"),
    (RECEIVING, "Bundle and references", r"stages/parse\.c:enter"),
    (RECEIVING, "who sends, entries, rows, routing", r"stages/(receive|authenticate|entries|match|form|record|route|commit)\.c:(enter|resume)"),
    (RECEIVING, "answer", r"stages/(respond|keep|response)\.c:"),
    (VALIDATION, "validation", r"stages/(validate|terminology|judge)\.c:(enter|resume)"),
    (DECIDING, "labels", r"stages/label\.c:enter"),
    (DECIDING, "decision, closure, redaction", r"stages/(decide|redact)\.c:"),
    (FORWARDING, "digest of what leaves", r"runtime/identity\.c:sha256_hex"),
    (FORWARDING, "record of the disclosure", r"stages/disclosures\.c:disclosures_author|store/ledger_rows\.c:ledger_rows_(append|sign)"),
    (FORWARDING, "queue, outcome", r"gateway/deliver/|store/queue\.c:"),
    (FORWARDING, "TLS and HTTP, out", r"http/client\.c:"),
    (RECEIVING, "store: what came", r"store/unit\.c:unit_write|store/late\.c:"),
    (RECEIVING, "store: transaction, commit", r"store/sqlite\.c:batch_run"),
    (NEITHER, "memory given back, wiped", r"runtime/exchange\.c:on_end|http/request\.c:on_end"),
)
BARE = ("TLS and HTTP, in", "JSON tape", "TLS and HTTP, out")
# Functions below which a sample is of a part (some in the middle: a stack is not always whole); the digest is forwarding's wherever it is made.
SAMPLED = {VALIDATION: {"validate", "validate_entry", "profile_value", "questionnaires_check"},
           DECIDING: {"label_bundle", "release_make", "consents_attach"}}
COUNTED, TIMED = 24, 200                 # Bundles
CONNECTIONS = 4


# ---- payload ---------------------------------------------------------------------------------------------------------

def bundle_of(entries):
    """As many entries of what the benchmark of the gateway sends, with what bh-encounter asks for."""
    whole = json.loads(gateway.bundle(entries * 1000))
    whole["entry"] = whole["entry"][:entries]
    whole["entry"][1]["resource"]["type"] = [{"text": "Office visit"}]
    return json.dumps(whole, separators=(",", ":"))


def examples():
    """Those of our package that are valid, but for the Consent, which would be enforced. Each claims its profile."""
    for line in (BEHAVIORAL / "examples.tsv").read_text().splitlines()[1:]:
        file, profile, verdict = line.split("\t")[:3]
        if verdict == "valid" and not file.startswith("Consent-"):
            yield profile, (BEHAVIORAL / "example" / file).read_text()


def behavioral_bundle(entries):
    """A transaction of one patient's visits: each time all of the examples again, with names and dates of their own."""
    base, whole, visit = "https://ehr.example.org/fhir/", [], 0
    while len(whole) < entries:
        for _, text in examples():
            resource = json.loads(text)
            if resource["resourceType"] == "Patient" and visit > 0:
                continue
            day = f"2026-{1 + visit % 9:02}-{10 + visit % 18}"
            text = re.sub(r"2026-0[45]-[0-9]{2}", day, json.dumps(resource))
            text = re.sub(r'"reference": "(Patient/[^"]*)"', fr'"reference": "\1-{gateway.MARKER}"', text)
            text = re.sub(r'"reference": "([A-Z][A-Za-z]*/[^"]*-valid)"', fr'"reference": "\1-{visit}-{gateway.MARKER}"', text)
            resource = json.loads(text)
            resource["id"] += f"-{gateway.MARKER}" if resource["resourceType"] == "Patient" else f"-{visit}-{gateway.MARKER}"
            url = f"{resource['resourceType']}/{resource['id']}"
            whole.append({"fullUrl": base + url, "resource": resource, "request": {"method": "PUT", "url": url}})
        visit += 1
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": whole[:entries]}, separators=(",", ":"))


PAYLOADS = (("one patient's visits, every profile of ours", behavioral_bundle), ("vital signs and procedures", bundle_of))


# ---- the gateway -----------------------------------------------------------------------------------------------------

class Place:
    """A folder, ports, and a sink behind nginx, which speaks TLS for it."""

    def __init__(self, build, d, processes):
        self.build, self.d, self.processes = build, d, processes
        gateway.certificates(d)
        sink_port, front, self.port, self.admin = gateway.free_ports(4)
        self.sink = gateway.Sink(build, sink_port)
        processes.append(self.sink.process)
        self.start_front(front, sink_port)
        self.configure(front, sink_port)

    def start_front(self, front, sink_port):
        with open(f"{self.d}/nginx.conf", "w") as f:
            f.write(gateway.nginx_conf(self.d, gateway.free_ports(1)[0], front, sink_port)
                    .replace(f"ssl_client_certificate {self.d}/ca.pem; ssl_verify_client on;", ""))
        nginx = gateway.start(["nginx", "-p", self.d, "-c", f"{self.d}/nginx.conf"], gateway.CPUS[-1], stderr=subprocess.DEVNULL)
        self.processes.append(nginx)
        gateway.wait_for(front, nginx)

    def configure(self, front, sink_port):
        subprocess.run([f"{self.build}/sluice", "package", "add", "--dir", f"{self.d}/packages", str(BEHAVIORAL)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        asked = ", ".join(f'"{BEHAVIORAL_BASE}{name}"' for name in ASKED_OF_ALL)
        conf = gateway.sluice_conf(self.d, self.port, self.admin, sink_port)
        conf = conf.replace(f'url = "http://127.0.0.1:{sink_port}/fhir"', f'url = "https://localhost:{front}/fhir"  ca = "{self.d}/ca.pem"')
        with open(f"{self.d}/sluice.conf", "w") as f:
            f.write(conf + f'packages {{ dir = "{self.d}/packages"  profile = {{ {asked} }} }}\n')

    def serve(self, *before):
        with open(f"{self.d}/sluice.log", "a") as log:
            server = gateway.start([*before, f"{self.build}/sluice", "serve", "-c", f"{self.d}/sluice.conf"], gateway.CPUS[0], stderr=log)
        self.processes.append(server)
        gateway.wait_for(self.port, server)
        return server

    def end(self, server):
        gateway.stop(server)
        self.processes.remove(server)

    def push(self, server, count, at_start=None):
        return gateway.measure(self.build, self.d, server, self.sink, self.port, True, "/fhir", "100", count, CONNECTIONS, at_start)


# ---- instructions ----------------------------------------------------------------------------------------------------

def control(server, what):
    subprocess.run(["callgrind_control", what, str(server.pid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)


def count(place):
    """Instructions a Bundle of each row.  Counting begins when pools are warm and all connections stand."""
    out = tempfile.mkdtemp(dir=place.d) + "/callgrind"
    server = place.serve("valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}")
    place.push(server, 8)
    time.sleep(1)
    place.push(server, COUNTED, lambda: control(server, "--zero"))
    time.sleep(1)                        # outcomes may wait for company
    control(server, "--dump")
    place.end(server)
    rows, rest = {row: 0 for _, row, _ in ROWS}, 0
    for file in glob.glob(f"{out}.1-*"):
        made, left = callgrind.Dump(file).split([(row, pattern) for _, row, pattern in ROWS])
        for row, spent in made.items():
            rows[row] += spent / COUNTED
        rest += left / COUNTED
    rows["unattributed: loop, waiting, rest"] = rest
    return rows


def parts_of(rows):
    """Validation, what it is compared with, and bare transport."""
    part = lambda which: sum(rows[row] for name, row, _ in ROWS if name == which)
    return {"validation": part(VALIDATION), "deciding": part(DECIDING), "receiving": part(RECEIVING), "forwarding": part(FORWARDING),
            "bare": sum(rows[row] for row in BARE), "all": sum(rows.values())}


# ---- CPU -------------------------------------------------------------------------------------------------------------

def digest_us(body):
    begun = time.process_time()
    for _ in range(200):
        hashlib.sha256(body.encode()).digest()
    return (time.process_time() - begun) / 200 * 1e6


def alone_us(place):
    """Of the same definitions, profiles and processor, in a thread whose caches are warm."""
    asked = [word for name in ASKED_OF_ALL for word in ("--profile", BEHAVIORAL_BASE + name)]
    done  = gateway.start([f"{place.build}/tests/bench/bench_validate", "--rounds", "50", *asked, f"{place.d}/packages/site.pack",
                           f"{place.d}/100.json"], gateway.CPUS[0], stdout=subprocess.PIPE, text=True)
    rounds = json.loads(done.communicate()[0])["rounds"]
    return statistics.median(one["profiles"] for one in rounds) * 1e6


def shares(place, server):
    """Of samples by the CPU clock of all threads, those below a part's functions."""
    file, recorder = f"{place.d}/perf.data", []

    def begin():
        recorder.append(subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "--call-graph", "dwarf,32768",
                                          "-p", str(server.pid), "-o", file], stderr=subprocess.DEVNULL))
        time.sleep(1)

    place.push(server, TIMED, begin)
    recorder[0].send_signal(signal.SIGINT)
    recorder[0].wait()
    text = subprocess.run(["perf", "script", "-i", file, "--no-inline", "-F", "ip,sym"], capture_output=True, text=True).stdout
    counts = {VALIDATION: 0, DECIDING: 0, "kernel": 0, "all": 0}
    for sample in text.split("\n\n"):
        frames = [line.split(None, 1) for line in sample.splitlines() if line.strip()]
        names  = {frame[1].split("+")[0].strip() for frame in frames if len(frame) > 1}
        if not frames:
            continue
        counts["all"] += 1
        counts["kernel"] += frames[0][0].startswith("ffff")
        part = next((part for part, below in SAMPLED.items() if names & below), None)
        if part is not None and "sha256_hex" not in names:
            counts[part] += 1
    return counts


def clock(place, body, rounds):
    """Microseconds a Bundle, of the round that took least; and of samples what its parts are."""
    server, least = place.serve(), None
    place.push(server, TIMED)
    for _ in range(rounds):
        spent = place.push(server, TIMED)["cpu_us"]
        least = spent if least is None else min(least, spent)
    counts = shares(place, server)
    place.end(server)
    part = lambda which: least * counts[which] / max(1, counts["all"])
    return {"all": least, VALIDATION: part(VALIDATION), DECIDING: part(DECIDING), "kernel": part("kernel"), "samples": counts["all"],
            "rest": least - part(VALIDATION) - part(DECIDING), "digest": digest_us(body), "alone": alone_us(place)}


# ---- what is printed ---------------------------------------------------------------------------------------------------

def show(name, size, rows, cpu):
    made = parts_of(rows)
    print(f"{name}: 100 entries, {size:,} bytes\n\n{'instructions a Bundle':40} {'':11} {'':>12} {'%':>6}")
    for part, row in [(part, row) for part, row, _ in ROWS] + [("", "unattributed: loop, waiting, rest")]:
        print(f"  {row:38} {part:11} {rows[row]:12,.0f} {100 * rows[row] / made['all']:6.1f}")
    print(f"  {'all':38} {'':11} {made['all']:12,.0f}\n")
    both = made["receiving"] + made["forwarding"]
    lines = (("receiving and forwarding", both), ("the same without the digest", both - rows["digest of what leaves"]),
             ("bare transport: TLS, HTTP, tape", made["bare"]))
    print(f"  validation {made['validation']:,.0f} beside")
    for text, spent in lines:
        print(f"    {text:36} {spent:12,.0f}   validation is {made['validation'] / spent:5.2f} of it")
    if cpu["samples"] > 0:
        print(f"\n  CPU a Bundle, kernel included: {cpu['all']:,.0f} us, of it {cpu['kernel']:,.0f} in the kernel ({cpu['samples']} samples); validation "
              f"{cpu[VALIDATION]:,.0f}, labels to redaction {cpu[DECIDING]:,.0f}, receiving, forwarding and all else {cpu['rest']:,.0f} "
              f"(the digest {cpu['digest']:,.0f}): validation is {cpu[VALIDATION] / cpu['rest']:.2f} of it, without the digest "
              f"{cpu[VALIDATION] / (cpu['rest'] - cpu['digest']):.2f}; alone and warm validation takes {cpu['alone']:,.0f}")
    print(flush=True)
    return {"bytes": size, "instructions": rows, "parts": made, "cpu_us": cpu}


def part_pipeline(o, scratch):
    processes, figures = [], {}
    try:
        place = Place(o.build, scratch, processes)
        for name, make in PAYLOADS:
            body = make(100)
            with open(f"{scratch}/100.json", "w") as f:
                f.write(body)
            figures[name] = show(name, len(body), count(place), clock(place, body, o.rounds))
    finally:
        for process in reversed(processes):
            gateway.stop(process)
    print("wanted: validation below receiving and forwarding, ratio less than 1")
    return figures

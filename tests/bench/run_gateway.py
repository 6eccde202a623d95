#!/usr/bin/python3
"""One go on loopback: a load client, a sink, nginx that forwards the bytes without looking, and the gateway with
every stage on and the durable log.  Prints bundles/s, CPU microseconds a bundle of the server under test (schedstat of
all its threads), p50 and p99, and the CPU of nginx, plain and with TLS, divided by it.

    cmake --build build --target bench_gateway          or
    tests/bench/run_gateway.py [--build build] [--rounds 3] [--json FILE]

The server is pinned to the first processor, client and sink to the last.  CPU time, not wall time, is what is compared:
the machine may be shared.  Rounds of the servers are interleaved and the median is taken.
"""
import argparse, hashlib, json, os, resource, shutil, signal, socket, sqlite3, statistics, struct, subprocess, sys, tempfile, time

MARKER = "BENCHID00000"
CPUS = sorted(os.sched_getaffinity(0))
SIZES = {"5 KB": (5_000, 2000, 32), "100 KB": (100_000, 400, 32), "2 MB": (2_000_000, 40, 8)}
TARGET = {"5 KB": 0.25, "100 KB": 0.25, "2 MB": 0.20}


# ---- payload: our own Bundles, minified ----------------------------------------------------------------------------

def coding(system, code, display):
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def observation(n, patient, encounter):
    code = [("8867-4", "Heart rate", "/min"), ("9279-1", "Respiratory rate", "/min"), ("8310-5", "Body temperature", "Cel"),
            ("29463-7", "Body weight", "kg"), ("8302-2", "Body height", "cm")][n % 5]
    return {"resourceType": "Observation", "id": f"o{n}-{MARKER}", "status": "final",
            "category": [coding("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs")],
            "code": coding("http://loinc.org", code[0], code[1]), "subject": {"reference": patient},
            "encounter": {"reference": encounter}, "effectiveDateTime": f"2026-0{1 + n % 9}-1{n % 10}T08:{n % 60:02d}:00Z",
            "valueQuantity": {"value": round(36.5 + n % 40 / 10, 1), "unit": code[2], "system": "http://unitsofmeasure.org", "code": code[2]}}


def procedure(n, patient, encounter):
    return {"resourceType": "Procedure", "id": f"r{n}-{MARKER}", "status": "completed",
            "code": coding("http://snomed.info/sct", "430193006", "Medication reconciliation"), "subject": {"reference": patient},
            "encounter": {"reference": encounter}, "performedPeriod": {"start": "2026-03-11T08:00:00Z", "end": "2026-03-11T08:15:00Z"}}


def bundle(size):
    base, patient, encounter = "https://ehr.example.org/fhir/", f"Patient/p-{MARKER}", f"Encounter/e-{MARKER}"
    resources = [
        {"resourceType": "Patient", "id": f"p-{MARKER}", "active": True, "gender": "female", "birthDate": "1971-05-20",
         "identifier": [{"system": "urn:oid:2.16.840.1.113883.19.5", "value": MARKER}], "name": [{"family": "Example", "given": ["Sample"]}]},
        {"resourceType": "Encounter", "id": f"e-{MARKER}", "status": "finished", "subject": {"reference": patient},
         "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
         "period": {"start": "2026-03-11T08:00:00Z", "end": "2026-03-11T08:30:00Z"}}]
    entries, total, n = [], 60, 0
    while True:
        resource = resources[n] if n < 2 else (procedure if n % 5 == 0 else observation)(n, patient, encounter)
        path = f"{resource['resourceType']}/{resource['id']}"
        entry = json.dumps({"fullUrl": base + path, "resource": resource, "request": {"method": "PUT", "url": path}}, separators=(",", ":"))
        if total + len(entry) > size:
            break
        entries.append(entry)
        total += len(entry) + 1
        n += 1
    return '{"resourceType":"Bundle","type":"transaction","entry":[' + ",".join(entries) + "]}"


# ---- a place to work, certificates, configuration -------------------------------------------------------------------

def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificates(d):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{d}/ca.key",
            "-out", f"{d}/ca.pem", "-days", "2", "-subj", "/CN=Bench CA")
    for name, extra in (("server", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth"), ("client", "extendedKeyUsage=clientAuth")):
        with open(f"{d}/{name}.ext", "w") as f:
            f.write(extra)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{d}/{name}.key",
                "-out", f"{d}/{name}.csr", "-subj", f"/CN={'bench-ehr' if name == 'client' else 'localhost'}")
        openssl("x509", "-req", "-in", f"{d}/{name}.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key", "-CAcreateserial",
                "-out", f"{d}/{name}.pem", "-days", "2", "-extfile", f"{d}/{name}.ext")
    openssl("genpkey", "-algorithm", "ed25519", "-out", f"{d}/ledger.key")


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def nginx_conf(d, plain, tls, sink):
    common = f"""location / {{ proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_request_buffering off; proxy_buffering off; }}"""
    return f"""worker_processes 1; daemon off; pid {d}/nginx.pid; error_log {d}/nginx.log;
events {{ worker_connections 2048; }}
http {{ access_log off; client_max_body_size 100m; client_body_temp_path {d}; proxy_temp_path {d}; fastcgi_temp_path {d};
  uwsgi_temp_path {d}; scgi_temp_path {d}; keepalive_requests 1000000;
  upstream sink {{ server 127.0.0.1:{sink}; keepalive 128; keepalive_requests 1000000; }}
  server {{ listen 127.0.0.1:{plain}; {common} }}
  server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {d}/server.pem; ssl_certificate_key {d}/server.key;
    ssl_client_certificate {d}/ca.pem; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3; {common} }} }}"""


def sluice_conf(d, port, admin, sink):
    return f"""listen {{ address = "127.0.0.1"  port = {port}  certificate = "{d}/server.pem"  key = "{d}/server.key"  client-ca = "{d}/ca.pem" }}
admin {{ address = "127.0.0.1"  port = {admin} }}
store {{ engine = "sqlite"  path = "{d}/sluice.db" }}
ledger {{ key = "{d}/ledger.key" }}
limits {{ loops = 1 }}
client "bench-ehr" {{ certificate-cn = "bench-ehr"  scopes = {{ "system/*.c" }}  part2 = "not-program" }}
recipient "sink" {{ url = "http://127.0.0.1:{sink}/fhir"  identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000002" }}
  class = {{ "CE_PROVIDER" }}  purpose = {{ "TREAT" }} }}
route "all" {{ from = {{ "bench-ehr" }}  to = {{ "sink" }} }}
"""


# ---- processes -----------------------------------------------------------------------------------------------------

def start(command, cpu, **more):
    return subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}), **more)


def wait_for(port, process, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if process.poll() is not None:
            raise SystemExit(f"{process.args[0]} ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


def descendants(pid):
    found = [pid]
    for child in os.listdir("/proc"):
        try:
            if child.isdigit() and int(open(f"/proc/{child}/stat").read().rsplit(")", 1)[1].split()[1]) == pid:
                found += descendants(int(child))
        except OSError:
            pass
    return found


def cpu_us(process):
    """Of all threads of the process and its children, those that have ended left out, in microseconds."""
    total = 0
    for pid in descendants(process.pid):
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int(open(f"/proc/{pid}/task/{task}/schedstat").read().split()[0])
    return total / 1000


def rss_kib(process):
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1])


def serve(build, d, processes, port, **environment):
    with open(f"{d}/sluice.log", "a") as log:
        gateway = start([f"{build}/sluice", "serve", "-c", f"{d}/sluice.conf"], CPUS[0], stderr=log, env={**os.environ, **environment})
    processes.append(gateway)
    wait_for(port, gateway)
    return gateway


def stop(process):
    process.terminate()
    process.wait(30)


class Sink:
    def __init__(self, build, port):
        self.process = start([f"{build}/tests/bench/gateway_sink", str(port)], CPUS[-1], stdout=subprocess.PIPE, text=True)
        wait_for(port, self.process)

    def count(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())


# ---- rounds --------------------------------------------------------------------------------------------------------

serial = 10


def measure(build, d, server, sink, port, tls, path, size, requests, connections, at_start=None):
    """One round: from the moment that all connections stand until every Bundle has arrived at the sink."""
    global serial
    serial += 1
    command = [f"{build}/tests/bench/gateway_load", "--port", str(port), "--file", f"{d}/{size.replace(' ', '')}.json", "--path", path,
               "--requests", str(requests), "--connections", str(connections), "--first", str(serial)]
    if tls:
        command += ["--ca", f"{d}/ca.pem", "--certificate", f"{d}/client.pem", "--key", f"{d}/client.key"]
    client = start(command, CPUS[-1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client.stdout.readline()
    sent_before = sink.count()["requests"] if sink else 0
    if at_start:
        at_start()
    cpu_before, begun = cpu_us(server), time.time()
    client.stdin.write("go\n")
    client.stdin.close()
    answer = client.stdout.readline()
    if client.wait() != 0:
        raise SystemExit("the load client failed")
    made = json.loads(answer)
    arrived = requests
    while sink:
        arrived = sink.count()["requests"] - sent_before
        if arrived >= requests or time.time() - begun > 300:
            break
        time.sleep(0.02)
    elapsed = time.time() - begun
    if made["ok"] != requests or arrived < requests:
        raise SystemExit(f"{size}: {made['ok']} of {requests} answered 200, {arrived} arrived: {made}")
    return {"cpu_us": (cpu_us(server) - cpu_before) / requests, "per_second": requests / elapsed,
            "p50_us": made["p50_us"], "p99_us": made["p99_us"]}


def least(d, size, requests, connections):
    """CPU microseconds a Bundle of what no gateway that keeps the promises goes without, beside receiving over TLS and
    sending on: the SHA-256 that its record names, and its bytes in a SQLite store, durable, as many in a commit as there
    are connections.  Nothing is read, decided, signed or answered."""
    body = open(f"{d}/{size.replace(' ', '')}.json", "rb").read()
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CPUS[0]})
    begun = time.process_time()
    for _ in range(requests):
        hashlib.sha256(body).digest()
    hashed = time.process_time()
    with tempfile.TemporaryDirectory(dir=d) as folder:
        store = sqlite3.connect(f"{folder}/least.db", isolation_level=None)
        store.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE body(id INTEGER PRIMARY KEY, bytes BLOB)")
        stored = time.process_time()
        for first in range(0, requests, connections):
            store.execute("BEGIN")
            for _ in range(first, min(first + connections, requests)):
                store.execute("INSERT INTO body(bytes) VALUES(?)", (body,))
            store.execute("COMMIT")
        done = time.process_time()
        store.close()
    os.sched_setaffinity(0, affinity)
    return {"sha256_us": (hashed - begun) / requests * 1e6, "store_us": (done - stored) / requests * 1e6}


def heap_table(path):
    """heap_count.c: (library address, program address, calls, name of the object) a slot."""
    with open(path, "rb") as f:
        raw = f.read()
    table = {}
    for at in range(0, len(raw), 64):
        library, program, calls, name = struct.unpack_from("<QQQ40s", raw, at)
        if calls:
            key = (name.split(b"\0")[0].decode(), library, program)
            table[key] = table.get(key, 0) + calls
    return table


def function_at(build, address):
    made = subprocess.run(["addr2line", "-f", "-e", f"{build}/sluice", hex(address)], stdout=subprocess.PIPE, text=True)
    return made.stdout.splitlines()[0] if made.returncode == 0 and address else "-"


def heap_calls(build, d, processes, port, sink, size, requests, connections):
    """malloc, calloc and realloc a Bundle, in steady state, by the library that calls and our function that led there."""
    path = f"{d}/heap-{size.replace(' ', '')}"
    gateway = serve(build, d, processes, port, LD_PRELOAD=f"{build}/tests/bench/libheap_count.so", HEAP_COUNT=path)
    measure(build, d, gateway, sink, port, True, "/fhir", size, requests, connections)
    before = {}
    measure(build, d, gateway, sink, port, True, "/fhir", size, requests, connections, lambda: before.update(heap_table(path)))
    after = heap_table(path)
    stop(gateway)
    libraries, callers = {}, {}
    for key, calls in after.items():
        name, library, program = key
        each = (calls - before.get(key, 0)) / requests
        libraries[name] = libraries.get(name, 0) + each
        if each >= 0.05:
            who = (name, function_at(build, library if name == "sluice" else program))
            callers[who] = callers.get(who, 0) + each
    print(f"\nheap calls a Bundle of {size}: " + ", ".join(f"{name} {n:.1f}" for name, n in sorted(libraries.items(), key=lambda x: -x[1]) if n >= 0.05))
    for (name, function), n in sorted(callers.items(), key=lambda x: -x[1])[:25]:
        print(f"{n:10.1f}  {name:24} {function}")
    sys.stdout.flush()
    return libraries


def instructions(build, d, processes, port, sink, size, requests, connections):
    """Instructions a Bundle by thread, under callgrind: the difference of two runs, so that neither the start nor the handshakes
    count.  Takes fifty times as long, and does not depend on what else the machine does."""
    spent = []
    for times in (1, 3):
        out = f"{d}/callgrind-{size.replace(' ', '')}-{times}"
        with open(f"{d}/sluice.log", "a") as log:
            gateway = start(["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}",
                             f"{build}/sluice", "serve", "-c", f"{d}/sluice.conf"], CPUS[0], stderr=log)
        processes.append(gateway)
        wait_for(port, gateway)
        measure(build, d, gateway, sink, port, True, "/fhir", size, requests * times, connections)
        stop(gateway)
        spent.append(by_thread(d, os.path.basename(out)))
    each = {thread: (spent[1][thread] - spent[0].get(thread, 0)) / (2 * requests) for thread in spent[1]}
    print(f"{size}: " + ", ".join(f"{thread} {n:,.0f}" for thread, n in sorted(each.items()) if n >= 1) + f"; all {sum(each.values()):,.0f}")
    sys.stdout.flush()
    return each


def by_thread(d, name):
    """Threads are numbered as they start: the store, the workers, and the loop last."""
    found = {}
    for file in os.listdir(d):
        if file.startswith(name + "-"):
            for line in open(f"{d}/{file}"):
                if line.startswith("totals:"):
                    found[f"thread {file[len(name) + 1:]}"] = int(line.split()[1])
    return found


def medians(rounds):
    return {key: statistics.median(r[key] for r in rounds) for key in rounds[0]}


def idle_connections(d, port, server, count=1000):
    """RSS with `count` idle TLS connections, client certificate and all, each after one request."""
    import ssl
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    context = ssl.create_default_context(cafile=f"{d}/ca.pem")
    context.load_cert_chain(f"{d}/client.pem", f"{d}/client.key")
    before, held = rss_kib(server), []
    for _ in range(count):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
        s.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.recv(65536)
        held.append(s)
    time.sleep(2)
    after = rss_kib(server)
    for s in held:
        s.close()
    return {"connections": count, "rss_before_kib": before, "rss_kib": after, "each_kib": (after - before) / count}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="requests a round, times this")
    parser.add_argument("--dir", help="keep the working folder here")
    parser.add_argument("--json", help="write all figures here")
    parser.add_argument("--only", help="a size: \"5 KB\"")
    parser.add_argument("--instructions", action="store_true", help="count instructions instead, under callgrind")
    parser.add_argument("--heap", action="store_true", help="count heap calls instead, which is slow")
    parser.add_argument("--without-gateway", action="store_true", help="nginx alone")
    o = parser.parse_args()
    d = o.dir or tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.makedirs(d, exist_ok=True)
    processes = []
    try:
        figures = run(o, os.path.abspath(o.build), os.path.abspath(d), processes)
    finally:
        for p in processes:
            stop(p)
        if not o.dir:
            shutil.rmtree(d)
    if o.json:
        with open(o.json, "w") as f:
            json.dump(figures, f, indent=1)
    return 0


def run(o, build, d, processes):
    certificates(d)
    for size, (length, _, _) in SIZES.items():
        with open(f"{d}/{size.replace(' ', '')}.json", "w") as f:
            f.write(bundle(length))
    sink_port, plain, tls, port, admin = free_ports(5)
    sink = Sink(build, sink_port)
    processes.append(sink.process)
    with open(f"{d}/nginx.conf", "w") as f:
        f.write(nginx_conf(d, plain, tls, sink_port))
    if o.heap or o.instructions:
        count, share, connections = (heap_calls, 10, 8) if o.heap else (instructions, 40, 4)
        with open(f"{d}/sluice.conf", "w") as f:
            f.write(sluice_conf(d, port, admin, sink_port))
        return {size: count(build, d, processes, port, sink, size, max(connections, int(requests * o.scale / share)), connections)
                for size, (_, requests, _) in SIZES.items() if not o.only or o.only == size}
    nginx = start(["nginx", "-p", d, "-c", f"{d}/nginx.conf"], CPUS[0], stderr=subprocess.DEVNULL)
    processes.append(nginx)
    wait_for(tls, nginx)
    figures, servers = {}, {"nginx, plain": (nginx, plain, False), "nginx, TLS": (nginx, tls, True)}
    if not o.without_gateway:
        with open(f"{d}/sluice.conf", "w") as f:
            f.write(sluice_conf(d, port, admin, sink_port))
        idle = serve(build, d, processes, port)
        figures["idle"] = idle_connections(d, port, idle)
        stop(idle)
        gateway = serve(build, d, processes, port)
        servers["sluice"] = (gateway, port, True)
    for size, (_, requests, connections) in SIZES.items():
        if o.only and o.only != size:
            continue
        requests = max(connections, int(requests * o.scale))
        rounds, floor = {name: [] for name in servers}, []
        for name, (server, at, secure) in servers.items():      # connections, pools and caches warm
            measure(build, d, server, sink, at, secure, "/fhir", size, max(connections, requests // 4), connections)
        for _ in range(o.rounds):
            for name, (server, at, secure) in servers.items():
                rounds[name].append(measure(build, d, server, sink, at, secure, "/fhir", size, requests, connections))
            floor.append(least(d, size, requests, connections))
        figures[size] = {name: medians(r) for name, r in rounds.items()}
        show(size, figures[size], connections)
        show_least(figures[size], medians(floor))
    if not o.without_gateway:
        i = figures["idle"]
        i["after_load_kib"] = rss_kib(gateway)
        print(f"\n{i['connections']} idle TLS connections: RSS {i['rss_kib'] / 1024:.1f} MiB (before {i['rss_before_kib'] / 1024:.1f}), "
              f"{i['each_kib']:.1f} KiB each; target 64 MiB.  RSS after the load: {i['after_load_kib'] / 1024:.1f} MiB")
    return figures


def show(size, servers, connections):
    """Both ratios: the target names nginx as a plain streaming proxy; the gateway speaks TLS with client certificates."""
    print(f"\n{size}, {connections} connections\n{'':14}{'bundles/s':>10}{'CPU us':>10}{'p50 us':>10}{'p99 us':>10}{'nginx / this':>16}{'nginx TLS / this':>18}")
    for name, f in servers.items():
        plain, tls = (servers[other]["cpu_us"] / f["cpu_us"] for other in ("nginx, plain", "nginx, TLS"))
        wanted = f"  target {TARGET[size]:.2f}" if name == "sluice" else ""
        print(f"{name:14}{f['per_second']:10.0f}{f['cpu_us']:10.1f}{f['p50_us']:10.0f}{f['p99_us']:10.0f}{plain:16.2f}{tls:18.2f}{wanted}")
    sys.stdout.flush()


def show_least(servers, floor):
    """The highest ratio that can be had here: a gateway that did nothing of its own."""
    tls  = servers["nginx, TLS"]["cpu_us"]
    bare = tls + floor["sha256_us"]
    full = bare + floor["store_us"]
    print(f"nginx, TLS {tls:.0f} us + SHA-256 {floor['sha256_us']:.0f} us = {bare:.0f} us, nginx / this {servers['nginx, plain']['cpu_us'] / bare:.2f}; "
          f"+ the bytes in SQLite {floor['store_us']:.0f} us = {full:.0f} us, nginx / this {servers['nginx, plain']['cpu_us'] / full:.2f}")
    if "sluice" in servers:
        print(f"this / sluice {full / servers['sluice']['cpu_us']:.2f}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""A real gateway, real sinks, real TLS: what the scenarios are made of.

Standard library and the openssl command only.  Everything lives in one
temporary folder that goes with the Gateway object.
"""
import atexit
import http.client
import http.server
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(ROOT, "..", "shared")
SLUICE = os.environ.get("SLUICE", os.path.join(ROOT, "build", "sluice"))


RESERVED = []                            # sockets that hold the ports of this process


def free_port():
    """One that no other scenario takes, also while the gateway is stopped, and that no connection gets by chance: below the
    ephemeral ones.  Gateways listen with SO_REUSEPORT: two of them on one port would share its connections."""
    while True:
        port = random.randrange(20000, 32000)
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind(f"\0sluice-scenario-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            mine.close()
            continue
        RESERVED.append(mine)
        return port


def run(*args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)


def openssl(*args):
    done = run("openssl", *args)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())


def make_pki(folder, names):
    """A CA, a server certificate for 127.0.0.1 and a client certificate a name."""
    at = lambda name: os.path.join(folder, name)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=scenario ca", "-keyout", at("ca.key"), "-out", at("ca.pem"))
    for name in ["server"] + list(names):
        cn = "127.0.0.1" if name == "server" else name
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={cn}",
                "-keyout", at(f"{name}.key"), "-out", at(f"{name}.csr"))
        with open(at("ext"), "w") as f:
            f.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n" if name == "server"
                    else "extendedKeyUsage=clientAuth\n")
        openssl("x509", "-req", "-in", at(f"{name}.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"),
                "-CAcreateserial", "-days", "2", "-extfile", at("ext"), "-out", at(f"{name}.pem"))
    openssl("genpkey", "-algorithm", "ed25519", "-out", at("ledger.key"))
    openssl("pkey", "-in", at("ledger.key"), "-pubout", "-out", at("ledger.pub"))


class Sink:
    """A recipient that only records.  `answer` may be changed while it runs: a
    status, or a function of the request's number."""

    def __init__(self, port=0):
        self.received = []               # (headers as a dict, body bytes, time)
        self.answer = 200
        self.lock = threading.Lock()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                with sink.lock:
                    n = len(sink.received)
                    sink.received.append((dict(self.headers.items()), body, time.time()))
                status = sink.answer(n) if callable(sink.answer) else sink.answer
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass                     # a gateway that was killed resets its connections

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self):
        with self.lock:
            return [body for _, body, _ in self.received]

    def wait(self, count, seconds=20):
        """True when at least that many requests have come."""
        until = time.time() + seconds
        while time.time() < until:
            with self.lock:
                if len(self.received) >= count:
                    return True
            time.sleep(0.02)
        return False

    def close(self):
        self.server.shutdown()
        self.server.server_close()


CONFIG = """
listen {{ address = "127.0.0.1"  port = {port}  certificate = "server.pem"  key = "server.key"  client-ca = "ca.pem" }}
admin  {{ address = "127.0.0.1"  port = {admin} }}
store  {{ engine = "sqlite"  path = "sluice.db" }}
ledger {{ key = "ledger.key" {ledger} }}
program "riverside" {{ identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000009" }}  reference = {{ "Organization/riverside" }} }}
client "valley-ehr" {{ certificate-cn = "valley-ehr"  scopes = {{ "system/*.cud" }}  part2 = "not-program" }}
client "riverside-ehr" {{ certificate-cn = "riverside-ehr"  scopes = {{ "system/*.cud" }}  part2 = "program"
    reference = "Organization/riverside"  identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000009" }} }}
client "unknown-ehr" {{ certificate-cn = "unknown-ehr"  scopes = {{ "system/*.cud" }} }}
client "reader" {{ certificate-cn = "reader"  scopes = {{ "system/*.rs" }} }}
recipient "county-hie" {{ url = "http://127.0.0.1:{hie}/fhir"  identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000002" }}
    reference = "Organization/county-hie"  class = {{ "CE_PROVIDER" }}  purpose = {{ "TREAT" }}  attempts = {attempts} }}
recipient "lakeside-clinic" {{ url = "http://127.0.0.1:{clinic}/fhir"  identifier = {{ "http://hl7.org/fhir/sid/us-npi|1000000003" }}
    reference = "Organization/lakeside"  class = {{ "CE_PROVIDER" }}  purpose = {{ "TREAT" }}  attempts = {attempts} }}
route "all" {{ from = {{ "valley-ehr", "riverside-ehr", "unknown-ehr" }}  to = {{ "county-hie", "lakeside-clinic" }} }}
{extra}
"""


class Gateway:
    CLIENTS = ("valley-ehr", "riverside-ehr", "unknown-ehr", "reader", "stranger")

    def __init__(self, attempts=20, extra="", sinks=None, clients=(), ledger=""):
        self.folder = tempfile.mkdtemp(prefix="sluice-scenario-")
        make_pki(self.folder, self.CLIENTS + tuple(clients))
        self.port, self.admin = free_port(), free_port()
        self.hie, self.clinic = sinks or (Sink(), Sink())
        self.config = os.path.join(self.folder, "sluice.conf")
        with open(self.config, "w") as f:
            f.write(CONFIG.format(port=self.port, admin=self.admin, hie=self.hie.port, clinic=self.clinic.port,
                                  attempts=attempts, extra=extra, ledger=ledger))
        self.process = None
        atexit.register(self.close)      # nothing runs on when a scenario ends, however it does

    def at(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        read, write = os.pipe()
        with open(self.at("log"), "ab") as log:
            self.process = subprocess.Popen([SLUICE, "serve", "-c", self.config, "--ready-fd", str(write)],
                                            stdout=log, stderr=log, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            line = ready.readline()
        if line != "READY=1\n":
            self.process.wait()
            raise RuntimeError("the gateway did not start:\n" + open(self.at("log")).read()[-4000:])
        return self

    def stop(self):
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def worked(self):
        """Seconds of processor that its threads have had: what others on the machine do is not in it."""
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat") as f:
                total += int(f.read().split()[0])
        return total / 1e9

    def close(self):
        atexit.unregister(self.close)
        if self.process is not None:
            self.kill()
        self.hie.close()
        self.clinic.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connect(self, client="valley-ehr", timeout=30):
        context = ssl.create_default_context(cafile=self.at("ca.pem"))
        if client is not None:
            context.load_cert_chain(self.at(f"{client}.pem"), self.at(f"{client}.key"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=timeout)

    def request(self, method, path, body=None, client="valley-ehr", headers=None, connection=None):
        """(status, headers, body bytes)"""
        own = connection is None
        connection = connection or self.connect(client)
        all_headers = {"Content-Type": "application/fhir+json"}
        all_headers.update(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        connection.request(method, path, body=body, headers=all_headers)
        answer = connection.getresponse()
        result = (answer.status, dict(answer.getheaders()), answer.read())
        if own:
            connection.close()
        return result

    def raw(self, line, headers=(), body=b"", client="valley-ehr", type="application/fhir+json", timeout=10):
        """The same for a request written by hand: what http.client would not send."""
        connection = self.connect(client, timeout)
        connection.connect()
        head = [line, "Host: gateway.example", *([f"Content-Type: {type}"] if type else []), *headers]
        if not any(h.lower().startswith(("content-length:", "transfer-encoding:")) for h in head):
            head.append(f"Content-Length: {len(body)}")
        connection.sock.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(connection.sock, method=line.split(" ")[0])
        answer.begin()
        result = (answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return result

    def push(self, bundle, **kw):
        return self.request("POST", "/fhir", bundle, **kw)

    def get_admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        result = (answer.status, answer.read())
        connection.close()
        return result

    def settled(self, seconds=60):
        """Waits until no delivery waits; how many requests the HIE has had by then."""
        until = time.time() + seconds
        while not re.search(rb"^sluice_outbox_waiting 0$", self.get_admin("/metrics")[1], re.M):
            check(time.time() < until, "deliveries wait on and on")
            time.sleep(0.02)
        return len(self.hie.bodies())

    def cli(self, *args, **kw):
        return run(SLUICE, *args, **kw)

    def export(self):
        """Records of both logs, read from an export: (disclosures, denials).  Not those of rows that the store wrote."""
        folder = tempfile.mkdtemp(dir=self.folder)
        done = self.cli("log", "export", "-c", self.config, "--dir", folder)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())

        def records(name):
            path = os.path.join(folder, name)
            if not os.path.exists(path):
                return []
            with open(path) as f:
                return [r for r in (json.loads(line)["record"] for line in f) if r["kind"] != "rows"]
        return records("records.ndjson"), records(os.path.join("denials", "records.ndjson"))


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def until(condition, what, seconds=20):
    end = time.time() + seconds
    while not condition():
        check(time.time() < end, what)
        time.sleep(0.05)


def main(scenarios):
    """Runs functions in order, prints one line each; exit code 1 when one fails."""
    import sys
    import traceback
    failed = 0
    for scenario in scenarios:
        name = scenario.__name__.replace("_", " ")
        begun = time.time()
        try:
            scenario()
            print(f"ok    {name}  ({time.time() - begun:.1f} s)", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {name}", flush=True)
            traceback.print_exc()
    print(f"{len(scenarios) - failed} of {len(scenarios)} scenarios passed")
    sys.exit(1 if failed else 0)

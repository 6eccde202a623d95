"""A site's terminology server: right, wrong, slow, ill, gone, another one (docs/terminology.md, "Asking a server")."""
import datetime
import http.server
import itertools
import json
import os
import re
import socket
import threading
import time
import urllib.parse

from bundles import bundle, observation, patient
from harness import Gateway, check, main

SYSTEM = "http://site.example/codes"
LETTERS = "http://site.example/ValueSet/letters"
PROFILE = "http://site.example/StructureDefinition/lettered"
TOKEN = "a-token-of-the-site"
UNDECIDED, WRONG = "rule binding:undecided", "rule binding"


class Server:
    """A terminology server that says what `answer(code)` says: True, False, or
    (status, headers, body)."""

    def __init__(self):
        self.asked = []                  # (path, parameters, headers)
        self.answer = lambda code: True
        self.lock = threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                path, _, query = self.path.partition("?")
                parameters = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
                with server.lock:
                    server.asked.append((path, parameters, dict(self.headers.items())))
                said = server.answer(parameters["code"])
                status, headers, body = said if isinstance(said, tuple) else (200, {}, parameters_of(said))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.close_connection = "Content-Length" in headers      # one that promised more
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128
            open = []

            def process_request(self, request, client_address):
                self.open.append(request)
                super().process_request(request, client_address)

            def handle_error(self, request, client_address):
                pass

        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.listener.server_address[1]}/r4"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def codes(self):
        with self.lock:
            return [parameters["code"] for _, parameters, _ in self.asked]

    def close(self):
        self.listener.shutdown()
        self.listener.server_close()
        for one in self.listener.open:   # connections that are kept alive would be answered
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def parameters_of(result, *more):
    parameter = [{"name": "result", "valueBoolean": result}, {"name": "message", "valueString": "as it is"}, *more]
    return json.dumps({"resourceType": "Parameters", "parameter": parameter}).encode()


def outcome_of(code):
    return json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}).encode()


class Site(Gateway):
    CLIENTS = Gateway.CLIENTS + ("warned-ehr", "quiet-ehr")


CLIENTS = "".join(f'client "{name}" {{ certificate-cn = "{name}"  scopes = {{ "system/*.cud" }}  part2 = "not-program" }}\n'
                  for name in Site.CLIENTS[-2:])
ROUTES = """
route "warned" { from = { "warned-ehr" }  to = { "county-hie" }  validation = "warn" }
route "quiet"  { from = { "quiet-ehr" }  to = { "county-hie" }  validation = "accept" }
"""
server = Server()
sizes = itertools.count(1000)            # another option is another server to the gateway
gateway = Site(extra=CLIENTS + ROUTES)


def terminology(url, deadline_ms=5000, **more):
    options = "  ".join(f"{name.replace('_', '-')} = {value}" for name, value in {"failure_seconds": 30, **more}.items())
    return f'terminology {{ url = "{url}"  token = "file:token"  deadline-ms = {deadline_ms}  {options} }}\n'


def write(text):
    with open(gateway.config) as f:
        old = f.read().split("packages {")[0]
    with open(gateway.config, "w") as f:
        f.write(old + f'packages {{ dir = "{gateway.at("packages")}"  profile = {{ "{PROFILE}" }} }}\n' + text)


def reload(text):
    write(text)
    done = gateway.cli("reload", "-c", gateway.config)
    check(done.returncode == 0, done.stdout + done.stderr)


def prepare():
    """A profile whose codes are of a system that no package holds."""
    folder = gateway.at("site.letters")
    os.makedirs(os.path.join(folder, "package"))
    element = lambda name, strength: {"id": f"Observation.{name}", "path": f"Observation.{name}",
                                      "binding": {"strength": strength, "valueSet": LETTERS}}
    files = [("package.json", {"name": "site.letters", "version": "1.0.0", "dependencies": {"hl7.fhir.r4.core": "4.0.1"}}),
             ("v.json", {"resourceType": "ValueSet", "url": LETTERS, "version": "1.0.0", "name": "Letters", "status": "active",
                         "compose": {"include": [{"system": SYSTEM}]}}),
             ("p.json", {"resourceType": "StructureDefinition", "url": PROFILE, "version": "1.0.0", "name": "Lettered",
                         "status": "active", "kind": "resource", "abstract": False, "type": "Observation",
                         "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation", "derivation": "constraint",
                         "differential": {"element": [element("code", "required"), element("method", "extensible")]}})]
    for name, content in files:
        with open(os.path.join(folder, "package", name), "w") as f:
            json.dump(content, f)
    done = gateway.cli("package", "add", "--dir", gateway.at("packages"), folder)
    check(done.returncode == 0, done.stdout + done.stderr)
    with open(gateway.at("token"), "w") as f:
        f.write(TOKEN + "\n")
    write(terminology(server.url))
    gateway.start()


def coded(code, id="o1", method=None):
    one = observation(id)
    one["code"] = {"coding": [{"system": SYSTEM, "code": code}]}
    if method is not None:
        one["method"] = {"coding": [{"system": SYSTEM, "code": method}]}
    return one


def found(body):
    """(severity, rule) of every finding, from an OperationOutcome."""
    return [(issue["severity"], issue["diagnostics"]) for issue in json.loads(body)["issue"] if "rule" in issue.get("diagnostics", "")]


def validate(resource):
    status, _, body = gateway.request("POST", "/fhir/$validate", resource)
    check(status == 200, (status, body))
    return found(body)


def metric(name):
    found = re.search(rb"^sluice_" + re.escape(name.encode()) + rb" (\d+)$", gateway.get_admin("/metrics")[1], re.M)
    return int(found.group(1)) if found else 0


def again(**more):
    """The same server with nothing remembered, and up."""
    server.answer = lambda code: True
    reload(terminology(server.url, **more, answers=next(sizes)))


def what_the_server_calls_right_and_wrong():
    server.answer = lambda code: not code.startswith("wrong")
    check(validate(coded("right-1")) == [], "right")
    check(validate(coded("wrong-1")) == [("error", WRONG)], "required and wrong")
    check(validate(coded("right-1", method="wrong-1")) == [("warning", WRONG)], "extensible and wrong")
    check(gateway.push(bundle(patient(), coded("right-1")))[0] == 200, "a push with a right code")
    status, _, body = gateway.push(bundle(patient(), coded("wrong-1")))
    check(status == 422 and found(body) == [("error", WRONG)], (status, body))
    two = coded("wrong-1")
    two["code"]["coding"].append({"system": SYSTEM, "code": "right-2"})
    check(validate(two) == [], "the second coding is right")


def a_question_is_what_r4_says_and_nothing_more():
    path, parameters, headers = server.asked[0]
    check(path == "/r4/ValueSet/$validate-code", path)
    check(parameters == {"url": LETTERS, "system": SYSTEM, "code": "right-1"}, parameters)
    check(headers["Accept"] == "application/fhir+json" and headers["Authorization"] == "Bearer " + TOKEN, headers)
    check(set(headers) == {"Host", "Accept", "Authorization"}, headers)
    shown = gateway.cli("config", "show", "-c", gateway.config).stdout.decode()
    check(TOKEN not in shown and "token" in shown, "the token is printed")


def an_answer_is_remembered():
    check(sorted(server.codes()) == ["right-1", "right-2", "wrong-1"], server.codes())


def what_is_not_a_code_does_not_leave():
    for text in ("Ana Rivera", "x" * 200, "Müller"):
        check(validate(coded(text))[0] == ("information", UNDECIDED), text)
    nameless = coded("a")
    del nameless["code"]["coding"][0]["system"]
    validate(nameless)
    check(len(server.codes()) == 3, server.codes())


def a_route_decides_what_becomes_of_a_wrong_code():
    server.answer = lambda code: not code.startswith("wrong")
    outcomes = lambda body: [[(i["severity"], i["diagnostics"]) for i in e["response"].get("outcome", {}).get("issue", [])]
                             for e in json.loads(body)["entry"]]
    status, _, body = gateway.push(bundle(patient(), coded("wrong-2")), client="warned-ehr")
    check(status == 200 and outcomes(body)[1] == [("warning", WRONG)], (status, body))
    status, _, body = gateway.push(bundle(patient(), coded("wrong-3")), client="quiet-ehr")
    check(status == 200 and outcomes(body)[1] == [], (status, body))
    sent = bundle(patient(), coded("right-4", "o4"), coded("wrong-4", "o5"), type="batch")
    status, _, body = gateway.push(sent)
    check(status == 200 and [e["response"]["status"][:3] for e in json.loads(body)["entry"]][1:] == ["201", "422"], (status, body))


def equal_findings_are_grouped_after_the_answers_as_before():
    server.answer = lambda code: not code.startswith("wrong")
    sent = bundle(patient(), *[coded(f"{word}-g{i}", f"g{i}") for i, word in enumerate(["wrong", "right", "wrong", "right"])])
    status, _, body = gateway.request("POST", "/fhir/$validate", sent)
    issues = [i for i in json.loads(body)["issue"] if i.get("diagnostics") == WRONG]
    check(status == 200 and len(issues) == 1, body)
    check(issues[0]["expression"] == ["Bundle.entry[1].resource.code"], issues)
    check(UNDECIDED not in json.dumps(json.loads(body)), body)


def no_answer_is_no_finding():
    huge = lambda: parameters_of(True, {"name": "display", "valueString": "x" * (1 << 17)})
    unknown = {"name": "issues", "resource": json.loads(outcome_of("not-found"))}
    answers = {
        "500": (500, {}, outcome_of("exception")), "404": (404, {}, outcome_of("not-found")), "garbage": (200, {}, b"<html>"),
        "twice": (200, {}, parameters_of(True, {"name": "result", "valueBoolean": False})), "empty": (200, {}, b""),
        "text": (200, {}, b'{"resourceType":"Parameters","parameter":[{"name":"result","valueString":"true"}]}'),
        "outcome": (200, {}, outcome_of("not-found")), "huge": (200, {}, huge()),
        "redirect": (302, {"Location": server.url + "/elsewhere"}, b""),
        "cut": (200, {"Content-Length": "1000"}, parameters_of(True)),
        "unknown": (200, {}, parameters_of(False, unknown)),
        "unknown-system": (200, {}, parameters_of(False, {"name": "x-caused-by-unknown-system", "valueCanonical": SYSTEM})),
    }
    for name, answer in answers.items():
        server.answer = lambda code: answer
        before = len(server.codes())
        check(validate(coded("no-" + name)) == [("information", UNDECIDED)], name)
        check(len(server.codes()) == before + 1, (name, server.codes()[before:]))
        status, _, body = gateway.push(bundle(patient(), coded("no-" + name)))
        check(status == 200, (name, status, body))
        check(len(server.codes()) == before + 1, "a question without an answer is not asked at once again")
    check(metric("terminology_down") == 0, "never three troubles in a row")


def a_slow_answer_is_not_waited_for_and_is_remembered():
    again(deadline_ms=300)
    before, goes_on = metric('terminology_waits_total{end="deadline"}'), threading.Event()
    server.answer = lambda code: not goes_on.wait(8)
    status, _, body = gateway.push(bundle(patient(), coded("slow-1")))
    check(status == 200 and not goes_on.is_set(), (status, body))
    check(metric('terminology_waits_total{end="deadline"}') - before == 1, "the deadline ended it")
    goes_on.set()
    until = time.time() + 5
    while validate(coded("slow-1")) != [("error", WRONG)]:
        check(time.time() < until, "what came late counts from then on")
        time.sleep(0.05)
    check(server.codes().count("slow-1") == 1, "asked once")
    again()


def it_is_decided_after_the_wait():
    server.answer = lambda code: time.sleep(1) or True
    begun = datetime.datetime.now(datetime.timezone.utc)
    status, _, body = gateway.push(bundle(patient(), coded("waited-for")))
    moments = [datetime.datetime.fromisoformat(e["response"]["lastModified"].replace("Z", "+00:00")) for e in json.loads(body)["entry"]]
    check(status == 200 and all((moment - begun).total_seconds() > 0.9 for moment in moments), (begun, body))


def twenty_connections_ask_once():
    def slow(code):
        time.sleep(0.15)
        return False
    server.answer = slow
    before, answers, all_there = len(server.codes()), [], threading.Barrier(20)

    def one():
        connection = gateway.connect()
        connection.connect()
        all_there.wait()
        status, _, body = gateway.request("POST", "/fhir/$validate", coded("together"), connection=connection)
        answers.append((status, found(body)))
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(answers == [(200, [("error", WRONG)])] * 20, answers)
    check(server.codes()[before:] == ["together"], server.codes()[before:])


def a_hostile_bundle_asks_a_bounded_number():
    server.answer = lambda code: True
    before = len(server.codes())
    sent = bundle(patient(), *[coded(f"many-{i}", f"m{i}") for i in range(600)])
    status, _, body = gateway.push(sent)
    check(status == 200, (status, body[:500]))
    check(len(server.codes()) - before <= 256, len(server.codes()) - before)


def a_large_body_is_asked_about_from_a_worker():
    server.answer = lambda code: not code.startswith("wrong")
    many = [observation(f"w{i}", value="x" * 400) for i in range(600)]
    for one in many:
        one["code"] = {"coding": [{"system": SYSTEM, "code": "right-1"}]}
    sent = bundle(patient(), *many, coded("wrong-large", "last"))
    check(len(json.dumps(sent)) > 262144, "large enough for a worker")
    status, _, body = gateway.push(sent)
    check(status == 422 and found(body) == [("error", WRONG)], (status, body[:500]))
    sent["entry"].pop()
    status, _, body = gateway.push(sent)
    check(status == 200, (status, body[:500]))


def a_server_that_is_ill_is_left_alone():
    again()
    check(validate(coded("right-1")) == [], "remembered from here on")
    server.answer = lambda code: (503, {}, b"")
    before = len(server.codes())
    for i in range(20):
        check(validate(coded(f"ill-{i}")) == [("information", UNDECIDED)], "undecided")
        check(metric("terminology_down") == (i >= 2), "three in a row are enough")
    check(len(server.codes()) - before == 3, server.codes()[before:])
    check(validate(coded("right-1")) == [], "what is remembered counts on")
    check(len(server.codes()) - before == 3, server.codes()[before:])


def it_is_looked_at_again_with_one_question():
    again(failure_seconds=2)
    server.answer = lambda code: (503, {}, b"")
    for i in range(3):
        validate(coded(f"see-{i}"))
    before = len(server.codes())
    time.sleep(2.1)
    validate(bundle(patient(), *[coded(f"see-{i}", f"s{i}") for i in range(3, 20)]))
    check(server.codes()[before:] == ["see-3"], "one question to see")
    check(metric("terminology_down") == 1, "down again")
    time.sleep(2.1)
    server.answer = lambda code: True
    check(validate(coded("see-20")) == [], "the answer to it counts")
    check(metric("terminology_down") == 0 and validate(coded("see-21")) == [], "up again")
    log = open(gateway.at("log")).read()
    check('"ev":"terminology.down"' in log and '"ev":"terminology.up"' in log, "the log tells")
    check("see-" not in log and "site.example" not in log, "codes in the log")


def a_server_that_hangs_costs_three_deadlines_and_no_push():
    again(deadline_ms=300)
    before, hangs = metric('terminology_waits_total{end="deadline"}'), threading.Event()
    server.answer = lambda code: hangs.wait(20)
    for i in range(8):
        check(gateway.push(bundle(patient(), coded(f"hang-{i}")))[0] == 200, "a push is never lost for it")
    check(metric("terminology_down") == 1, "down")
    check(metric('terminology_waits_total{end="deadline"}') - before == 3, "after three deadlines nobody waits")
    hangs.set()
    again()


def a_server_that_is_gone_and_comes_back():
    other = Server()
    reload(terminology(other.url))
    check(validate(coded("gone-0")) == [], "the new server answers")
    other.close()
    time.sleep(0.1)
    waits = metric('terminology_waits_total{end="answered"}')
    for i in range(1, 10):
        check(validate(coded(f"gone-{i}")) == [("information", UNDECIDED)], "undecided")
        check(gateway.push(bundle(patient(), coded(f"gone-{i}")))[0] == 200, "taken")
    check(metric('terminology_waits_total{end="answered"}') - waits == 1, "nobody waits for who is not there")
    check(metric("terminology_down") == 1, "down")
    reload(terminology(server.url))
    check(validate(coded("gone-1")) == [], "another server is asked at once")


def a_reload_changes_the_server():
    other = Server()
    other.answer = lambda code: False
    reload(terminology(server.url))
    server.answer = lambda code: True
    check(validate(coded("reloaded")) == [], "the first says it is right")
    reload(terminology(server.url) + 'log { level = "warn" }\n')
    before = len(server.codes())
    check(validate(coded("reloaded")) == [], "another change of the file forgets nothing")
    check(len(server.codes()) == before, server.codes()[before:])
    reload(terminology(other.url))
    check(validate(coded("reloaded")) == [("error", WRONG)], "the second says it is wrong")
    check(other.codes() == ["reloaded"] and len(server.codes()) == before, (other.codes(), server.codes()[before:]))
    reload(terminology(""))
    check(validate(coded("reloaded")) == [("information", UNDECIDED)], "nobody is asked")
    check(other.codes() == ["reloaded"], other.codes())
    other.close()


def a_reload_gives_up_what_is_out():
    again(deadline_ms=20000)
    goes_on, answers = threading.Event(), []
    server.answer = lambda code: goes_on.wait(20)
    waiting = threading.Thread(target=lambda: answers.append(validate(coded("given-up"))))
    waiting.start()
    while "given-up" not in server.codes():
        time.sleep(0.02)
    reload(terminology(""))
    waiting.join()
    check(not goes_on.is_set() and answers == [[("information", UNDECIDED)]], answers)
    goes_on.set()


def a_bad_configuration_is_refused():
    for text, word in ((terminology("http://tx.example.org/r4"), "https"), ('terminology { deadline-ms = 100 }\n', "no `url`"),
                       (terminology(server.url, certificate='"server.pem"'), "only one of"),
                       (terminology(server.url, ca='"nothing.pem"'), "nothing.pem"),
                       (f'terminology {{ url = "{server.url}"  token = "two words" }}\n', "one word"),
                       (terminology(server.url, deadline_ms=100000), "30000")):
        write(text)
        for command in ("config", "check"), ("reload",):
            done = gateway.cli(*command, "-c", gateway.config)
            check(done.returncode != 0 and word in (done.stdout + done.stderr).decode(), (text, done.stdout, done.stderr))
    reload(terminology(server.url))


def the_command_line_asks_the_same_server():
    server.answer = lambda code: not code.startswith("wrong")
    file = gateway.at("resources.ndjson")
    with open(file, "w") as f:
        f.write("".join(json.dumps(coded(code)) + "\n" for code in ("cli-1", "wrong-cli", "cli-1", "cli-2")))

    def ask(*words):
        done = gateway.cli("validate", "--json", "--package", gateway.at("site.letters"), "--profile", PROFILE, *words, file)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()

    rules = lambda lines: [found(json.dumps(line["outcome"])) for line in lines]
    before = len(server.codes())
    code, lines, said = ask()
    check(code == 0 and rules(lines) == [[("information", UNDECIDED)]] * 4, (code, lines, said))
    check(len(server.codes()) == before, "nobody is asked without being told to")
    code, lines, said = ask("--terminology", gateway.config)
    check(code == 1 and rules(lines) == [[], [("error", WRONG)], [], []] and said.count("\n") <= 1, (code, lines, said))
    check(server.codes()[before:] == ["cli-1", "wrong-cli", "cli-2"], server.codes()[before:])
    server.answer = lambda code: (404, {}, outcome_of("not-found"))
    code, lines, said = ask("--terminology", gateway.config)
    check(code == 0 and rules(lines) == [[("information", UNDECIDED)]] * 4, (code, lines, said))
    check("4 questions to" in said, said)
    code, lines, said = ask("--terminology", gateway.at("nothing.conf"))
    check(code == 3, (code, said))


def it_ends_while_somebody_waits():
    again(deadline_ms=1500)
    goes_on, answers = threading.Event(), []
    server.answer = lambda code: goes_on.wait(20)
    waiting = threading.Thread(target=lambda: answers.append(gateway.push(bundle(patient(), coded("last")))[0]))
    waiting.start()
    while "last" not in server.codes():
        time.sleep(0.02)
    check(gateway.stop() == 0, "the exit code")
    goes_on.set()
    waiting.join()
    check(answers == [200], answers)


if __name__ == "__main__":
    try:
        prepare()
        main([what_the_server_calls_right_and_wrong, a_question_is_what_r4_says_and_nothing_more, an_answer_is_remembered,
              what_is_not_a_code_does_not_leave, a_route_decides_what_becomes_of_a_wrong_code,
              equal_findings_are_grouped_after_the_answers_as_before, no_answer_is_no_finding,
              a_slow_answer_is_not_waited_for_and_is_remembered, it_is_decided_after_the_wait, twenty_connections_ask_once,
              a_hostile_bundle_asks_a_bounded_number, a_large_body_is_asked_about_from_a_worker,
              a_server_that_is_ill_is_left_alone, it_is_looked_at_again_with_one_question,
              a_server_that_hangs_costs_three_deadlines_and_no_push, a_server_that_is_gone_and_comes_back, a_reload_changes_the_server, a_reload_gives_up_what_is_out,
              a_bad_configuration_is_refused, the_command_line_asks_the_same_server, it_ends_while_somebody_waits])
    finally:
        gateway.close()

"""An accounting over HTTP and from the command line: the same, for who may, in each form, and that it was given is in the log."""
import csv
import hashlib
import html.parser
import io
import json
import os
import re
import subprocess
import time

from audit_api import CLIENTS, NAMES
from audit_events import validated
from bundles import bundle, condition, consent, observation, patient
from harness import SLUICE, Gateway, check, main

EXTRA = "limits { asks-a-minute = 100000 }\n" + CLIENTS


def opened(extra=""):
    return Gateway(extra=EXTRA + 'client "oak-ehr" { certificate-cn = "oak-ehr"  scopes = { "system/*.cud" } }\n' + extra, clients=NAMES).start()


def filled(gateway, count=5):
    ana = dict(patient("p1"), name=[{"family": "Rivera <script>alert(1)</script>", "given": ["Ana"]}])
    for n in range(count):
        protected = condition(f"c{n}", "p1", recorder={"reference": "Organization/riverside"})
        check(gateway.push(bundle(ana, consent("k", "p1"), protected), client="riverside-ehr")[0] == 200, "push")
    two = (ana, observation("mine", "p1"), dict(patient("ben"), name=[{"family": "Stone"}]), observation("bens", "ben"))
    check(gateway.push(bundle(*two))[0] == 200, "of two")
    gateway.settled()


def given(gateway, query="", client="auditor", expect=200, who="p1", **kw):
    status, headers, body = gateway.request("GET", f"/fhir/Patient/{who}/$accounting{query}", client=client, **kw)
    check(status == expect, (query, client, status, body[:300]))
    return headers, body


def printed(gateway, *options, who="p1"):
    done = gateway.cli("accounting", "-c", gateway.config, f"Patient/{who}", *options)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def readings(gateway):
    return [r for r in gateway.export()[1] if r["kind"] == "reading"]


class Page(html.parser.HTMLParser):
    """What a reader sees: rows of cells, the facts, and every element."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.elements, self.attributes, self.texts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.attributes += attributes
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.texts.append(data)
        if self.rows and self.rows[-1] and self.elements[-1] in ("td", "th", "small", "br"):
            self.rows[-1][-1] += data


def the_desk_and_the_network_say_the_same():
    gateway = opened()
    try:
        filled(gateway)
        for scope in (None, "part2", "hipaa", "intermediary"):
            options = ["--scope", scope] if scope else []
            query = f"&scope={scope}" if scope else ""
            for form in ("text", "json", "csv", "html", "fhir"):
                by_desk = printed(gateway, "--format", form, *options)
                by_net = given(gateway, f"?form={form}{query}")[1]
                same = [re.sub(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d[^<\"]*(?=</dd>|\",\"entry|\"})|[0-9a-f]{64}(?=</footer>|\n$)", b"", b) for b in (by_desk, by_net)]
                check(same[0] == same[1], (scope, form, same))
        check(given(gateway)[1].startswith(b'{"resourceType":"Bundle","type":"collection"'), "fhir is the default")
    finally:
        gateway.close()


def each_form_has_all_of_it():
    gateway = opened()
    try:
        filled(gateway)
        records = json.loads(given(gateway, "?form=json")[1])
        ids = [r["eventId"] for r in records["disclosures"]]
        check(len(ids) >= 7 and records["patient"] == "Patient/p1" and records["checkpoint"].startswith("sluice/"), records)
        headers, body = given(gateway, "?form=csv")
        rows = list(csv.DictReader(io.StringIO(body.decode())))
        check([r["eventId"] for r in rows] == ids and headers["Content-Type"].startswith("text/csv"), rows)
        check(all(r["times"] == "1" and r["last"] == r["date"] and r["reason"] for r in rows), rows)
        headers, body = given(gateway, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "es-US,es;q=0.9"})
        page = Page(body.decode())
        check(headers["Content-Type"] == "text/html; charset=utf-8" and b'<html lang="es">' in body, headers)
        check(headers["Content-Security-Policy"].startswith("default-src 'none'") and headers["Cache-Control"] == "no-store", headers)
        check(len(page.rows) == len(ids) + 1 and all(len(r) == 5 for r in page.rows), page.rows)
        check(all(i in row[2] for i, row in zip(ids, page.rows[1:])), page.rows)
        check(not {"script", "img", "iframe", "link"} & set(page.elements), page.elements)
        check(any("Rivera <script>alert(1)</script>" in t for t in page.texts) or "Rivera <script>" in "".join(page.texts), "the name, as text")
        above, _, below = body.partition(b"<footer>")
        check(hashlib.sha256(above).hexdigest().encode() in below, "the digest of the page")
        _, body = given(gateway, "?form=fhir")
        entries = json.loads(body)["entry"]
        check([e["resource"]["id"] for e in entries] == ids and [e["fullUrl"] for e in entries] == [f"urn:uuid:{i}" for i in ids], entries)
        check(validated(gateway, [e["resource"] for e in entries]) == [[]] * len(ids), "valid by the profile")
        for form in ("text", "json", "csv", "html", "fhir"):
            _, body = given(gateway, f"?form={form}")
            check(b"ben" not in body and b"Stone" not in body, (form, body))
        check(b"size: letter" in given(gateway, "?form=html&paper=letter")[1] and b"18pt" in given(gateway, "?form=html&large-print=true")[1], "for print")
        grouped = list(csv.DictReader(io.StringIO(given(gateway, "?form=csv&grouped=true")[1].decode())))
        check(sum(int(r["times"]) for r in grouped) == len(ids) and len(grouped) < len(ids), grouped)
        check(given(gateway, "?form=csv", who="nobody")[1].count(b"\r\n") == 1, "nobody: an empty list")
    finally:
        gateway.close()


def who_may_have_one():
    gateway = opened()
    try:
        filled(gateway, 1)
        may = {"auditor": 200, "one-by-one": 200, "searcher": 403, "everything": 403, "consents": 403, "nothing": 403, "valley-ehr": 403,
               "riverside-ehr": 403, "reader": 403, "stranger": 403}
        for client, status in may.items():
            there = given(gateway, client=client, expect=status)[1]
            absent = given(gateway, client=client, expect=status, who="nobody")[1]
            check(status == 200 or re.sub(rb'"id":"[^"]*"', b"", there) == re.sub(rb'"id":"[^"]*"', b"", absent), "absent and there are the same")
        for query in ("form=pdf", "scope=all", "scope=part2&scope=part2", "since=yesterday", "grouped=1", "language=fr", "paper=a3", "foo=1", "form=", "x=" + "y" * 5000):
            body = json.loads(given(gateway, "?" + query, expect=400)[1])
            check(body["issue"][0]["expression"][0].startswith("http."), body)
        for method, path in (("POST", "/fhir/Patient/p1/$accounting"), ("PUT", "/fhir/Patient/p1/$accounting")):
            check(gateway.request(method, path, {}, client="auditor")[0] == 405, method)
        for path in ("/fhir/Patient/$accounting", "/fhir/$accounting", "/fhir/Observation/p1/$accounting", "/fhir/Patient/../$accounting", "/fhir/Patient/a%2fb/$accounting"):
            check(gateway.request("GET", path, client="auditor")[0] in (400, 404), path)
    finally:
        gateway.close()


def that_one_was_given_is_in_the_log():
    gateway = opened()
    try:
        filled(gateway, 2)
        before = len(readings(gateway))
        _, body = given(gateway, "?form=html&scope=part2")
        by_desk = printed(gateway, "--scope", "part2", "--format", "csv", "--grouped")
        net, desk = readings(gateway)[before:]
        check(net["act"] == desk["act"] == "operation" and net["patientId"] == desk["patientId"] == "Patient/p1", (net, desk))
        check(net["recipient"]["name"] == "auditor" and net["request"] == "GET /fhir/Patient/p1/$accounting?form=html&scope=part2", net)
        check(net["payloadSha256"] == hashlib.sha256(body).hexdigest() and net["payloadBytes"] == len(body), net)
        check(desk["payloadSha256"] == hashlib.sha256(by_desk).hexdigest() and desk["payloadBytes"] == len(by_desk), desk)
        check(desk["request"] == "sluice accounting Patient/p1 --scope part2 --format csv --grouped" and desk["recipient"]["name"], desk)
        check(net["shown"] == desk["shown"] and len(net["shown"]) >= 2, (net, desk))
        events = json.loads(gateway.request("GET", "/fhir/AuditEvent?subtype=operation", client="auditor")[2])["entry"]
        check([e["resource"]["id"] for e in events] == [desk["eventId"], net["eventId"]], events)
        check(validated(gateway, [e["resource"] for e in events]) == [[], []], "valid by the profile of a query")
        check(gateway.stop() == 0, "stop")
        alone = printed(gateway, "--format", "text")
        check(readings(gateway)[-1]["payloadSha256"] == hashlib.sha256(alone).hexdigest(), "no gateway runs: the command writes it")
        check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "verify")
        if os.geteuid() == 0:
            nobody = {"user": 65534, "group": 65534, "extra_groups": []}
            os.chmod(gateway.folder, 0o755)
            for name in ("sluice.db", "sluice.db-wal", "sluice.db-shm", "sluice.conf", "ledger.pub"):
                if os.path.exists(gateway.at(name)):
                    os.chmod(gateway.at(name), 0o644)
            count = len(readings(gateway))
            done = subprocess.run([SLUICE, "accounting", "-c", gateway.config, "Patient/p1"], capture_output=True, **nobody)
            check(done.returncode != 0 and done.stdout == b"" and len(readings(gateway)) == count, "who cannot have it recorded gets none")
    finally:
        gateway.close()


def the_list_of_an_intermediary_is_due_in_thirty_days():
    """IN-05, 42 CFR 2.24: what went to participants by a general designation, in the last three years."""
    intermediary = 'site { accounting-clock = true }\n'
    gateway = opened(intermediary)
    try:
        filled(gateway, 1)
        said = printed(gateway, "--scope", "intermediary", "--requested", "2026-11-20").decode()
        check("due by 2026-12-20" in said and "from 2023-11-20 on" in said and "\n0 disclosures\n" in said, said)
        check("due by 2027-01-19" in printed(gateway, "--scope", "part2", "--requested", "2026-11-20").decode(), "60 days")
    finally:
        gateway.close()


def an_agency_may_ask_that_the_patient_is_not_told_yet():
    """LG-03, 45 CFR 164.528(a)(2): for as long as a written statement says, by an oral one 30 days; nothing of the accounting says so."""
    gateway = opened()
    try:
        filled(gateway, 2)
        whole = json.loads(printed(gateway, "--json", "--scope", "part2"))["disclosures"]
        check({r["recipient"]["name"] for r in whole} >= {"county-hie"}, whole)

        def filed(id, **paper):
            paper = {"id": id, "patient": "Patient/p1", "recipient": "county-hie", "agency": "Inspector General", **paper}
            with open(gateway.at("papers.json"), "w", encoding="utf-8") as f:
                json.dump({"suspensions": [paper]}, f)
            return gateway.cli("file", "add", "-c", gateway.config, gateway.at("papers.json")).returncode

        def told(scope="part2"):
            done = gateway.cli("accounting", "-c", gateway.config, "Patient/p1", *(["--scope", scope] if scope else []))
            check(done.returncode == 0, done)
            return b"county-hie" in done.stdout, b"left out" in done.stderr

        day = lambda n: time.strftime("%Y-%m-%d", time.gmtime(time.time() + n * 86400))
        check(filed("no-end", statement="written", **{"from": day(-1)}) == 7 and told() == (True, False), "a written one says until when")
        check(filed("no-begin", statement="oral") == 7 and told() == (True, False), "an oral one says since when")
        check(filed("old", statement="oral", **{"from": day(-31)}) == 0 and told() == (True, False), "it is over after 30 days")
        check(filed("longer", statement="oral", **{"from": day(-31), "to": day(90)}) == 0 and told() == (True, False), "whatever it says")
        check(filed("other", statement="written", recipient="nobody", to=day(9)) == 0 and told() == (True, False), "another recipient")
        check(filed("someone", statement="written", patient="Patient/ben", to=day(9)) == 0 and told() == (True, False), "another patient")
        check(filed("bad", statement="rumour") == 1 and filed("when", statement="written", to="soon") == 1, "wrong ones are not filed")
        check(filed("said", statement="oral", **{"from": day(-29)}) == 0 and told() == (False, True), "one that counts")
        check(told(None) == (True, False), "who keeps the log sees it")
        body = given(gateway, "?form=html&scope=part2")[1]
        check(b"county-hie" not in body and b"suspend" not in body and b"left out" not in body, body)
        check(gateway.cli("file", "end", "-c", gateway.config, "said", "--why", "withdrawn").returncode == 0 and told() == (True, False), "withdrawn")
        check(filed("letter", statement="written", recipient="Organization/county-hie", to=day(200)) == 0 and told() == (False, True), "by its reference")
        check(gateway.push(bundle(patient("p1"), observation("later", "p1")))[0] == 200, "nothing else changes")
        gateway.settled()
        check(gateway.cli("log", "verify", "-c", gateway.config, "--strict").returncode == 0, "verify")
    finally:
        gateway.close()


if __name__ == "__main__":
    main([the_desk_and_the_network_say_the_same, each_form_has_all_of_it, who_may_have_one, that_one_was_given_is_in_the_log,
          the_list_of_an_intermediary_is_due_in_thirty_days, an_agency_may_ask_that_the_patient_is_not_told_yet])

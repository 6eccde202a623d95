"""Documents inside of resources: read by the helper, and held when they cannot be read."""
import base64
import gzip
import json
import os
import re
import shutil
import signal
import threading
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main, run

gateway = Gateway().start()
SANITIZED = os.environ.get("SLUICE_SANITIZED")
counted = iter(range(1, 100000))


def pdf(text, page="", trailer=""):
    """One page that says it (ISO 32000-1, 7.5)."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R {page} "
               "/Resources << /Font << /F1 5 0 R >> >> >>",
               f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = "%PDF-1.7\n", []
    for i, body in enumerate(objects):
        places.append(len(out))
        out += f"{i + 1} 0 obj\n{body}\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{p:010} 00000 n \n" for p in places)
    return (out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n").encode()


KNEE = "The knee is better than before and walks are longer."
NOTE = "/Annots [<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (takes Suboxone for heroin dependence) >>]"
LOCKED = "/Encrypt << /Filter /Standard /V 1 /R 2 /O (x) /U (y) /P -4 >> /ID [(a) (b)]"


def document(data, who):
    return {"resourceType": "DocumentReference", "id": f"doc{next(counted)}", "status": "current",
            "subject": {"reference": f"Patient/{who}"},
            "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(data).decode()}}]}


def goes(*documents, client="unknown-ehr", to=None):
    """Which of the documents reach the HIE, beside an Observation that always does."""
    to = to or gateway
    before, who = to.settled(), f"p{next(counted)}"
    resources = [document(d, who) for d in documents]
    status, _, body = to.push(bundle(patient(who), observation(f"o{next(counted)}", who), *resources), client=client)
    check(status == 200, (status, body))
    check(to.hie.wait(before + 1), "nothing was delivered")
    to.settled()
    got = b"".join(to.hie.bodies()[before:])
    check(b"Hemoglobin" in got, got)
    return [json.dumps(r["id"]).encode() in got for r in resources]


def a_document_that_tells_nothing_goes():
    check(goes(pdf(KNEE), gzip.compress(KNEE.encode()), b"{\\rtf1 " + KNEE.encode() + b"}",
               f"<html><p>{KNEE}</p>".encode(), KNEE.encode()) == [True] * 5, "held for nothing")


def a_note_on_a_page_is_content():
    check(goes(pdf(KNEE, page=NOTE)) == [False], "the note was not read")


def a_document_in_a_document_is_read():
    inside = gzip.compress(pdf(KNEE, page=NOTE))
    check(goes(inside, base64.b64encode(inside), gzip.compress(pdf(KNEE))) == [False, False, True], "not as deep as it is")


def words_in_pieces_and_entities_are_words():
    check(goes(b"<html><p>takes Sub<b>ox</b>one for hero&#105;n dependence</p>",
               "<?xml version='1.0' encoding='UTF-16'?><a b='heroin dependence'/>".encode("utf-16")) == [False, False],
          "markup hides it")


def what_cannot_be_read_is_held_for_a_person():
    before = gateway.cli("review", "ls", "-c", gateway.config, "--json").stdout
    check(goes(pdf(KNEE, trailer=LOCKED), b"PK\x03\x04\x14\0\0\0zip", pdf(KNEE)) == [False, False, True], "it was guessed")
    check(len(gateway.cli("review", "ls", "-c", gateway.config, "--json").stdout) > len(before), "nobody is told")
    metrics = gateway.get_admin("/metrics")[1]
    check(re.search(rb'sluice_inspected_total\{result="encrypted"\} [1-9]', metrics), metrics)


def of_a_sender_that_is_no_program_the_same_goes():
    check(goes(pdf(KNEE, trailer=LOCKED), client="valley-ehr") == [True], "held though nothing of it is protected")


def helpers(of=None):
    """Their process ids."""
    out = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)
            if int(fields[1].split()[1]) == (of or gateway).process.pid:
                out.append(int(pid))
        except OSError:
            pass
    return out


def a_helper_that_is_killed_is_replaced():
    goes(pdf(KNEE))
    check(helpers(), "no helper runs")
    for pid in helpers():                # the kernel takes them before the gateway
        with open(f"/proc/{pid}/oom_score_adj") as f:
            check(f.read() == "1000\n", pid)
    for n in range(4):
        for pid in helpers():
            os.kill(pid, signal.SIGKILL)
        check(goes(pdf(f"{KNEE} One {n}."), pdf(f"{KNEE} Two {n}.")) == [True, True], "held for what somebody did to its reader")


def a_thousand_documents_hold_up_nobody_else():
    """With one loop and one helper: while they are read others are answered, whether they have a document or none."""
    other, who, done = Gateway(extra='limits { loops = 1 }\ninspect { processes = 1 }').start(), "pmany", []

    def read():
        found = re.search(rb'inspected_total\{result="read"\} (\d+)', other.get_admin("/metrics")[1])
        return int(found[1]) if found else 0

    try:
        documents = [document(pdf(f"{KNEE} Page {n}."), who) for n in range(300 if SANITIZED else 1000)]
        many = bundle(patient(who), *documents)
        thread = threading.Thread(target=lambda: done.append(other.push(many, client="unknown-ehr")))
        thread.start()
        while not done and read() == 0:
            pass
        answered = {"with a document": 0, "without": 0}
        while not done:
            n = next(counted)
            for kind, more in (("without", []), ("with a document", [document(pdf(f"{KNEE} Quick {n}."), "pquick")])):
                status, _, _ = other.push(bundle(patient("pquick"), observation(f"quick{n}", "pquick"), *more), client="unknown-ehr")
                check(status == 200, status)
                answered[kind] += read() < len(documents)        # then not all of the many are
        thread.join()
        check(done[0][0] == 200, done[0])
        check(min(answered.values()) >= 3, f"answered while the many were read: {answered}")
        other.settled()
        check(json.dumps(many).encode() in other.hie.bodies(), "they did not go as they came")
    finally:
        other.close()


def the_command_line_sees_the_same():
    path = gateway.at("one.json")
    with open(path, "w") as f:
        json.dump(bundle(patient("pc"), document(pdf(KNEE, page=NOTE), "pc"), document(pdf(KNEE), "pc"),
                         document(pdf(KNEE, trailer=LOCKED), "pc")), f)
    found = json.loads(gateway.cli("label", path, "--json").stdout)["resources"]
    check("SUD" in " ".join(found[1]["labels"]) or "OPIOIDUD" in found[1]["labels"], found[1])
    check(found[2]["labels"] == ["N"] and not found[2].get("uninspected"), found[2])
    check(found[3].get("uninspected") is True, found[3])


def the_command_line_guesses_nothing_without_a_helper():
    alone, path = gateway.at("alone-sluice"), gateway.at("alone.json")
    shutil.copy(os.environ.get("SLUICE", "build/sluice"), alone)
    for data, code in ((pdf(KNEE), 4), (KNEE.encode(), 0)):
        with open(path, "w") as f:
            json.dump(bundle(patient("pa"), document(data, "pa")), f)
        done = run(alone, "label", path)
        check(done.returncode == code and (code == 0) == bool(done.stdout), done)
        check(code == 0 or b"cannot be started" in done.stderr and b'"ts"' not in done.stderr, done.stderr)


def without_a_helper_nothing_starts_and_it_says_why():
    other = Gateway(extra='inspect { program = "/nonexistent/sluice-inspect" }')
    try:
        try:
            other.start()
            check(False, "it serves, and would answer 503 to every document")
        except RuntimeError as e:
            check("/nonexistent/sluice-inspect" in str(e) and "documents cannot be read" in str(e), e)
        said = other.cli("config", "check", "-c", other.config)
        check(b"/nonexistent/sluice-inspect" in said.stderr and said.returncode != 0, said)
        said = other.cli("doctor", "-c", other.config)
        check(b"document helper" in said.stdout and said.returncode != 0, said.stdout)
    finally:
        other.close()


READER = os.path.join(os.path.dirname(os.path.abspath(os.environ.get("SLUICE", "build/sluice"))), "sluice-inspect")


class Breakable:
    """A gateway whose helper can be taken away."""

    def __init__(self):
        self.gateway = Gateway(extra='inspect { program = "reader" }')
        self.path = self.gateway.at("reader")
        self.mend()
        self.gateway.start()

    def take_away(self):
        os.unlink(self.path)
        for pid in helpers(self.gateway):
            os.kill(pid, signal.SIGKILL)

    def mend(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        os.symlink(READER, self.path)

    def upgrade(self):
        """Another build is put there under the gateway that runs."""
        self.take_away()
        with open(self.path, "w") as f:
            f.write(f'#!/bin/sh\nexec {os.path.dirname(READER)}/tests/tool_hostile alien "$@"\n')
        os.chmod(self.path, 0o700)

    def log(self):
        with open(self.gateway.at("log")) as f:
            return f.read()

    def status(self, of="inspect"):
        return json.loads(self.gateway.cli("status", "-c", self.gateway.config, "--json").stdout)[of]


def a_fault_of_the_machine_decides_nothing():
    broken = Breakable()
    other = broken.gateway
    try:
        check(goes(pdf(KNEE), to=other) == [True], "it does not work whole")
        check(broken.status() == {"works": True}, broken.status())
        broken.take_away()
        with_it = bundle(patient("pf"), observation("of", "pf"), document(pdf(KNEE + " Fault."), "pf"))
        had, records = other.settled(), other.export()
        for _ in range(2):
            status, headers, body = other.push(with_it, client="unknown-ehr")
            check(status == 503 and headers.get("Retry-After"), (status, headers))
            issue = json.loads(body)["issue"][0]
            check(issue["code"] == "transient" and "cannot be read now" in json.dumps(issue), issue)
        check(other.export() == records, "something of it was recorded")
        check(goes(KNEE.encode(), to=other) == [True], "what needs no helper is held up")
        said = broken.status()
        check(said["works"] is False and said["fault"], said)
        metrics = other.get_admin("/metrics")[1]
        check(b"sluice_inspect_down 1" in metrics and re.search(rb'inspected_total\{result="missing"\} 2', metrics), metrics)
        check(broken.log().count("inspect.fault") == 1, "the log says it never, or each time")
        check(broken.status("review")["open"] == 0, "a person is asked about it")
        broken.mend()
        status, _, body = other.push(with_it, client="unknown-ehr")
        check(status == 200, (status, body))
        other.settled()
        check(json.dumps(with_it).encode() in other.hie.bodies()[had:], "the same push does not go when it works again")
        check(broken.status() == {"works": True} and "inspect.works" in broken.log(), broken.status())
    finally:
        other.close()


def a_helper_of_another_build_is_asked_nothing():
    broken = Breakable()
    other = broken.gateway
    try:
        broken.upgrade()
        status, _, body = other.push(bundle(patient("pu"), document(pdf(KNEE), "pu")), client="unknown-ehr")
        check(status == 503, (status, body))
        check("another build" in broken.status()["fault"] and '"mismatch"' in broken.log(), broken.status())
        said = other.cli("config", "check", "-c", other.config)
        check(b"another build" in said.stderr and said.returncode != 0, said)
        check(other.stop() == 0, "it did not stop")
        try:
            other.start()
            check(False, "it serves with a helper of another build")
        except RuntimeError as e:
            check("another build" in str(e), e)
        broken.mend()
        other.start()
        check(goes(pdf(KNEE), to=other) == [True], "it does not work with its own")
    finally:
        other.close()


def what_is_stored_is_not_classified_by_a_fault_of_the_machine():
    broken = Breakable()
    other = broken.gateway
    try:
        check(goes(pdf(KNEE + " Stored."), to=other) == [True], "push")
        broken.take_away()
        with open(other.config, "a") as f:                   # what is stored is of another registry now
            f.write('program "hillside" { reference = { "Organization/hillside" } }\n')
        check(other.cli("reload", "-c", other.config).returncode == 0, "reload")
        until = time.time() + 60
        while "reclassify.waiting" not in broken.log():
            check(time.time() < until, "it went on without a helper")
            time.sleep(0.1)
        broken.mend()
        while "reclassify.done" not in broken.log():
            check(time.time() < until, "it does not end")
            time.sleep(0.1)
        done = json.loads([l for l in broken.log().splitlines() if "reclassify.done" in l][0])
        check(done["changed"] == 0 and done["resources"] > 0, done)
    finally:
        other.close()


def a_delivery_waits_for_a_fault_of_the_machine():
    broken = Breakable()
    other = broken.gateway
    try:
        other.hie.answer = 503
        body = bundle(patient("pw"), observation("ow", "pw"), document(pdf(KNEE + " Waits."), "pw"))
        check(other.push(body, client="unknown-ehr")[0] == 200 and other.hie.wait(1), "push")
        broken.take_away()
        until = time.time() + 60
        while "delivery.abandoned" not in broken.log():
            check(time.time() < until, "it was decided again without a helper")
            time.sleep(0.1)
        other.hie.answer = 200
        tried = len(other.hie.bodies())
        check(re.search(rb"^sluice_outbox_waiting [1-9]", other.get_admin("/metrics")[1], re.M), "it does not wait")
        check(other.stop() == 0, "it did not stop")
        broken.mend()
        other.start()
        other.settled()
        late = other.hie.bodies()[tried:]
        check(late == [json.dumps(body).encode()], (len(late), "another payload than was decided first"))
        check(broken.status("review")["open"] == 0, "held for the machine's fault")
    finally:
        other.close()


def it_stops_with_documents_under_way_and_leaves_no_helper():
    who = "plast"
    late = bundle(patient(who), *[document(pdf(f"{KNEE} Late {n}."), who) for n in range(300)])
    threading.Thread(target=lambda: gateway.push(late, client="unknown-ehr"), daemon=True).start()
    time.sleep(0.2)
    started = helpers()
    check(gateway.stop() == 0, "it did not stop cleanly")
    check(not any(os.path.exists(f"/proc/{pid}") for pid in started), "a helper lives on")


try:
    main([a_document_that_tells_nothing_goes, a_note_on_a_page_is_content, a_document_in_a_document_is_read,
          words_in_pieces_and_entities_are_words, what_cannot_be_read_is_held_for_a_person,
          of_a_sender_that_is_no_program_the_same_goes, a_helper_that_is_killed_is_replaced,
          a_thousand_documents_hold_up_nobody_else, the_command_line_sees_the_same,
          the_command_line_guesses_nothing_without_a_helper, without_a_helper_nothing_starts_and_it_says_why, a_fault_of_the_machine_decides_nothing,
          a_helper_of_another_build_is_asked_nothing, what_is_stored_is_not_classified_by_a_fault_of_the_machine, a_delivery_waits_for_a_fault_of_the_machine, it_stops_with_documents_under_way_and_leaves_no_helper])
finally:
    gateway.close()

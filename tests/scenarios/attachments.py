"""Documents inside of resources: read by the helper, and held when it cannot."""
import base64
import gzip
import json
import os
import re
import signal
import threading
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main

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


def helpers():
    """Their process ids."""
    out = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)
            if int(fields[1].split()[1]) == gateway.process.pid:
                out.append(int(pid))
        except OSError:
            pass
    return out


def a_helper_that_is_killed_is_replaced():
    goes(pdf(KNEE))
    check(helpers(), "no helper runs")
    for pid in helpers():
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.1)
    goes(pdf(KNEE + " One."), pdf(KNEE + " Two."))       # one may fall on what was killed, and is held then
    goes(pdf(KNEE + " Three."))
    check(goes(pdf(KNEE + " Again.")) == [True], "no helper came back")


def a_thousand_documents_hold_up_nobody_else():
    who, done = "pmany", []
    documents = [document(pdf(f"{KNEE} Page {n}."), who) for n in range(100 if SANITIZED else 1000)]
    many = bundle(patient(who), *documents)
    thread = threading.Thread(target=lambda: done.append(gateway.push(many, client="unknown-ehr")))
    thread.start()
    time.sleep(0.3)
    slowest = 0
    while not done and slowest < 5:
        begun = time.time()
        status, _, _ = gateway.push(bundle(patient("pquick"), observation("oquick", "pquick")))
        check(status == 200, status)
        slowest = max(slowest, time.time() - begun)
        time.sleep(0.05)
    thread.join()
    check(done[0][0] == 200, done[0])
    check(slowest < (20 if SANITIZED else 2), f"another push waited {slowest:.1f} s")
    gateway.settled()
    whole = json.dumps(many).encode()
    check(whole in gateway.hie.bodies(), "they did not go as they came")


def the_command_line_sees_the_same():
    path = gateway.at("one.json")
    with open(path, "w") as f:
        json.dump(bundle(patient("pc"), document(pdf(KNEE, page=NOTE), "pc"), document(pdf(KNEE), "pc"),
                         document(pdf(KNEE, trailer=LOCKED), "pc")), f)
    found = json.loads(gateway.cli("label", path, "--json").stdout)["resources"]
    check("SUD" in " ".join(found[1]["labels"]) or "OPIOIDUD" in found[1]["labels"], found[1])
    check(found[2]["labels"] == ["N"] and not found[2].get("uninspected"), found[2])
    check(found[3].get("uninspected") is True, found[3])


def without_a_helper_everything_but_text_is_held():
    other = Gateway(extra='inspect { program = "/nonexistent/sluice-inspect" }').start()
    try:
        check(goes(pdf(KNEE), KNEE.encode(), to=other) == [False, True], "guessed without a helper")
        with open(other.at("log")) as f:
            check("inspect.missing" in f.read(), "the log does not say so")
        said = other.cli("doctor", "-c", other.config)
        check(b"document helper" in said.stdout and said.returncode != 0, said.stdout)
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
          without_a_helper_everything_but_text_is_held, it_stops_with_documents_under_way_and_leaves_no_helper])
finally:
    gateway.close()

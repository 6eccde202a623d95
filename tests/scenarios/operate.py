"""Operating a gateway: status, reload, doctor, two of them, and going down."""
import json
import os
import re
import signal
import ssl
import time

from bundles import bundle, observation, patient
from harness import Gateway, check, main, openssl


def status(gateway):
    done = gateway.cli("status", "-c", gateway.config, "--json")
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


def rewrite(gateway, change):
    with open(gateway.config) as f:
        text = change(f.read())
    with open(gateway.config, "w") as f:
        f.write(text)


def it_says_how_it_is_while_it_runs_and_that_it_is_not_there_afterwards():
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.hie.wait(1) and gateway.clinic.wait(1), "deliveries")
        said = status(gateway)
        check(said["pid"] == gateway.process.pid, said)
        check(said["store"] == {"healthy": True, "resources": 2} and said["draining"] is False, said)
        until = time.time() + 5
        while said["queue"]["waiting"] > 0 and time.time() < until:
            said = status(gateway)
        check(said["queue"] == {"waiting": 0, "dead": 0}, said)
        text = gateway.cli("status", "-c", gateway.config)
        check(b"store.healthy" in text.stdout and b"queue.waiting" in text.stdout, text.stdout)
        check(gateway.get_admin("/livez")[0] == 200 and gateway.get_admin("/readyz")[0] == 200, "health")
        check(gateway.get_admin("/metrics")[1].endswith(b"# EOF\n"), "metrics")
        check(gateway.stop() == 0, "stop")
        gone = gateway.cli("status", "-c", gateway.config)
        check(gone.returncode == 4 and b"no gateway answers" in gone.stderr, gone)
        check(not os.path.exists(gateway.at("sluice.db.sock")), "the socket was left behind")
    finally:
        gateway.close()


def a_reload_takes_a_good_file_and_keeps_the_old_one_otherwise():
    gateway = Gateway().start()
    try:
        refused = gateway.push(bundle(patient(), observation()), client="stranger")[0]
        check(refused == 403, refused)
        rewrite(gateway, lambda text: text + 'client "stranger" { certificate-cn = "stranger"  scopes = { "system/*.cud" } }\n')
        done = gateway.cli("reload", "-c", gateway.config)
        check(done.returncode == 0, done.stderr)
        check(status(gateway)["configuration"]["generation"] >= 2, "generation")
        check(gateway.push(bundle(patient(), observation()), client="stranger")[0] == 200, "not in effect")

        good = open(gateway.config).read()
        rewrite(gateway, lambda text: text.replace("port = %d" % gateway.port, "port = 1", 1))
        done = gateway.cli("reload", "-c", gateway.config)
        check(done.returncode == 3 and b"cannot change while the gateway runs" in done.stderr, done.stderr)

        rewrite(gateway, lambda text: good.replace('reference = "Organization/lakeside"', 'ca = "no.pem"', 1))
        done = gateway.cli("reload", "-c", gateway.config)
        check(done.returncode == 3 and b"no.pem" in done.stderr, done.stderr)

        rewrite(gateway, lambda text: good.replace('part2 = "program"', 'part2 = "progam"', 1))
        done = gateway.cli("reload", "-c", gateway.config)
        check(done.returncode == 3, done)
        check(gateway.push(bundle(patient(), observation()), client="stranger")[0] == 200, "the old one is gone")

        rewrite(gateway, lambda text: good.replace('client "stranger"', 'log { level = "error" }\n# client "stranger"'))
        done = gateway.cli("reload", "-c", gateway.config)
        check(done.returncode == 0, done.stderr)
        before = os.path.getsize(gateway.at("log"))
        refused = gateway.push(bundle(patient(), observation()), client="stranger")[0]
        check(refused == 403, refused)
        check(os.path.getsize(gateway.at("log")) == before, "the log level is not in effect")
    finally:
        gateway.close()


def a_reload_takes_new_certificates_and_open_connections_go_on():
    gateway = Gateway().start()
    try:
        kept = gateway.connect()
        check(gateway.push(bundle(patient(), observation()), connection=kept)[0] == 200, "push")
        before = ssl.get_server_certificate(("127.0.0.1", gateway.port))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", gateway.at("server.key.new"), "-out", gateway.at("server.pem.new"))
        os.rename(gateway.at("server.pem.new"), gateway.at("server.pem"))
        half = gateway.cli("reload", "-c", gateway.config)
        check(half.returncode == 3 and b"is not the key of" in half.stderr, half.stderr)
        os.rename(gateway.at("server.key.new"), gateway.at("server.key"))
        gateway.process.send_signal(signal.SIGHUP)
        until = time.time() + 10
        while ssl.get_server_certificate(("127.0.0.1", gateway.port)) == before and time.time() < until:
            time.sleep(0.05)
        check(ssl.get_server_certificate(("127.0.0.1", gateway.port)) != before, "the old certificate is shown")
        check(gateway.push(bundle(patient(), observation()), connection=kept)[0] == 200, "the open connection broke")
        check(gateway.stop() == 0, "stop")
    finally:
        gateway.close()


def config_check_beside_it_is_fine_and_a_second_one_does_not_start():
    gateway = Gateway().start()
    try:
        beside = gateway.cli("config", "check", "-c", gateway.config)
        check(beside.returncode == 0, beside.stderr)
        second = gateway.cli("serve", "-c", gateway.config)
        check(second.returncode == 3 and b"Address already in use" in second.stderr, second.stderr)
        check(status(gateway)["pid"] == gateway.process.pid, "the first one was disturbed")
        doctor = gateway.cli("doctor", "-c", gateway.config)
        check(b"ok    gateway: runs" in doctor.stdout, doctor.stdout)
    finally:
        gateway.close()


def after_a_kill_it_takes_the_old_socket_over():
    gateway = Gateway().start()
    try:
        gateway.kill()
        check(os.path.exists(gateway.at("sluice.db.sock")), "kill -9 leaves the socket")
        gateway.start()
        check(status(gateway)["pid"] == gateway.process.pid, "status")
        check(os.stat(gateway.at("sluice.db.sock")).st_mode & 0o777 == 0o600, "mode of the socket")
    finally:
        gateway.close()


def the_log_is_json_lines_and_holds_nothing_of_the_payload():
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        check(gateway.request("POST", "/fhir", b'{"resourceType":"Bundle","type":"Rivera')[0] == 400, "cut off")
        check(gateway.stop() == 0, "stop")
        text = open(gateway.at("log")).read()
        for line in text.splitlines():
            event = json.loads(line)
            check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["ts"]), line)
            check(event["lvl"] in ("debug", "info", "warn", "error") and event["ev"], line)
        for word in ("Rivera", "1984-03-02", "4548-4", "6.10"):
            check(word not in text, word + " is in the log")
    finally:
        gateway.close()


def records_are_destroyed_when_their_time_is_over_and_not_before():
    """What goes is in tests/gateway/test_cli_shred.c: here nothing is old enough."""
    gateway = Gateway().start()
    try:
        check(gateway.push(bundle(patient(), observation()))[0] == 200, "push")
        gateway.settled()
        done = gateway.cli("log", "shred", "-c", gateway.config, "--why", "retention is over")
        check(done.returncode == 0 and b"0 records of before" in done.stderr, done)
        done = gateway.cli("log", "shred", "-c", gateway.config, "--why", "x", "--before", "2026-01-01")
        check(done.returncode == 1 and b"retention-years" in done.stderr, done)
        done = gateway.cli("log", "verify", "-c", gateway.config, "--strict", "--json")
        check(done.returncode == 0 and [l["destroyed"] for l in json.loads(done.stdout)["logs"]] == [0, 0], done)
    finally:
        gateway.close()


if __name__ == "__main__":
    main([records_are_destroyed_when_their_time_is_over_and_not_before, it_says_how_it_is_while_it_runs_and_that_it_is_not_there_afterwards,
          a_reload_takes_a_good_file_and_keeps_the_old_one_otherwise,
          a_reload_takes_new_certificates_and_open_connections_go_on,
          config_check_beside_it_is_fine_and_a_second_one_does_not_start,
          after_a_kill_it_takes_the_old_socket_over,
          the_log_is_json_lines_and_holds_nothing_of_the_payload])

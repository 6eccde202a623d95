"""What `sluice validate` prints: text, JSON, SARIF 2.1.0, JUnit XML; exit codes; the bar on a terminal.

    validate_formats.py --sluice build/sluice

The rules that a SARIF log is held to are those of OASIS sarif-v2.1.0 (sections in
the messages) for the objects that are used; a member that no rule here knows
fails, so that this test says what is written.
"""
import argparse
import json
import os
import pathlib
import pty
import re
import subprocess
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree

SLUICE = "build/sluice"
GOOD = '{"resourceType":"Patient","id":"p1","gender":"female"}'
BAD = '{"resourceType":"Patient","id":"p1","gender":1,"birthDate":"1980-02-30"}'
MANY = '{"resourceType":"Patient","name":[%s]}' % ",".join('{"family":7}' for _ in range(12))
SECRET = "Zebulon-Q"
TELLTALE = '{"resourceType":"Patient","name":[{"family":"%s","given":"%s"}],"birthDate":"%s"}' % (SECRET, SECRET, SECRET)
LEVELS = {"fatal": "error", "error": "error", "warning": "warning", "information": "note"}


def run(*args, feed=None):
    return subprocess.run([SLUICE, "validate", *map(str, args)], input=feed, capture_output=True, text=True, timeout=60,
                          check=False)


def only(test, thing, allowed, needed=()):
    test.assertLessEqual(set(thing), set(allowed), "members that nobody expects")
    for name in needed:
        test.assertIn(name, thing)


class Formats(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.scratch.name)
        self.write("good.json", GOOD)
        self.write("bad one é&<.json", BAD)
        self.write("many.json", MANY)
        self.write("lines.ndjson", GOOD + "\n\n" + BAD + "\n" + '{"resourceType":\n')
        self.all = [self.folder / name for name in ("good.json", "bad one é&<.json", "many.json", "lines.ndjson")]

    def tearDown(self):
        self.scratch.cleanup()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    # ---- JSON

    def test_json_is_a_line_an_input_with_an_operation_outcome(self):
        done = run("--json", *self.all)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 1)
        self.assertEqual([line["valid"] for line in lines], [True, False, False, True, False, False])
        self.assertEqual([line.get("line") for line in lines], [None, None, None, 1, 3, 4])
        for line in lines:
            self.assertEqual(line["outcome"]["resourceType"], "OperationOutcome")
            for issue in line["outcome"]["issue"]:
                self.assertIn(issue["severity"], LEVELS)
                self.assertTrue(issue["code"])
        self.assertEqual(done.stdout, run("--format", "json", *self.all).stdout)
        self.assertEqual(done.stderr, "")

    def test_equal_findings_are_one_with_a_count(self):
        issues = json.loads(run("--json", self.folder / "many.json").stdout)["outcome"]["issue"]
        self.assertEqual(len(issues), 1)
        self.assertIn("12 times", issues[0]["details"]["text"])

    # ---- SARIF

    def check_location(self, location):
        only(self, location, {"physicalLocation", "logicalLocations"}, {"physicalLocation"})
        place = location["physicalLocation"]
        only(self, place, {"artifactLocation", "region"}, {"artifactLocation"})             # 3.29.3
        only(self, place["artifactLocation"], {"uri"}, {"uri"})
        uri = place["artifactLocation"]["uri"]
        self.assertRegex(uri, r"^[A-Za-z0-9\-._~/%:]+$", "RFC 3986")
        self.assertIsNone(re.search(r"%(?![0-9A-F]{2})", uri))
        if "region" in place:
            only(self, place["region"], {"startLine", "startColumn"}, {"startLine"})       # 3.30.2
            self.assertGreaterEqual(place["region"]["startLine"], 1)                       # 3.30.5
            self.assertGreaterEqual(place["region"].get("startColumn", 1), 1)
        for logical in location.get("logicalLocations", []):
            only(self, logical, {"fullyQualifiedName"}, {"fullyQualifiedName"})

    def check_sarif(self, log):
        only(self, log, {"$schema", "version", "runs"}, {"version", "runs"})                # 3.13
        self.assertEqual(log["version"], "2.1.0")
        self.assertEqual(len(log["runs"]), 1)
        one = log["runs"][0]
        only(self, one, {"tool", "results", "invocations"}, {"tool", "results"})            # 3.14
        driver = one["tool"]["driver"]
        only(self, driver, {"name", "version", "rules"}, {"name", "rules"})                 # 3.19.8
        ids = [rule["id"] for rule in driver["rules"]]                                      # 3.49.3
        self.assertEqual(len(ids), len(set(ids)), "3.19.23: rules are unique")
        self.assertIs(type(one["invocations"][0]["executionSuccessful"]), bool)             # 3.20.14
        for result in one["results"]:
            only(self, result, {"ruleId", "ruleIndex", "level", "message", "locations", "occurrenceCount", "properties"},
                 {"message", "ruleId"})                                                     # 3.27.5, 3.27.11
            self.assertIn(result["level"], set(LEVELS.values()))                            # 3.27.10
            self.assertEqual(ids[result["ruleIndex"]], result["ruleId"], "3.27.6")
            self.assertTrue(result["message"]["text"])                                      # 3.11.8
            self.assertGreaterEqual(result.get("occurrenceCount", 1), 1)                    # 3.27.9
            for location in result["locations"]:
                self.check_location(location)
        return one

    def test_sarif_has_the_structure_of_2_1_0(self):
        done = run("--format", "sarif", *self.all)
        self.assertEqual(done.returncode, 1)
        one = self.check_sarif(json.loads(done.stdout))
        self.assertTrue(one["invocations"][0]["executionSuccessful"])
        places = [(urllib.parse.unquote(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]),
                   r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in one["results"]]
        self.assertIn(("file://%s" % (self.folder / "bad one é&<.json"), 1), places)
        self.assertIn(("file://%s" % (self.folder / "lines.ndjson"), 3), places, "the line of the file")
        self.assertEqual([r["occurrenceCount"] for r in one["results"] if "occurrenceCount" in r], [12])

    def test_sarif_without_findings_is_still_a_log(self):
        done = run("--format", "sarif", self.folder / "good.json")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.check_sarif(json.loads(done.stdout))["results"], [])

    def test_sarif_says_when_a_file_could_not_be_read(self):
        done = run("--format", "sarif", self.folder / "good.json", "/nonexistent.json")
        one = self.check_sarif(json.loads(done.stdout))
        self.assertEqual((done.returncode, one["invocations"][0]["executionSuccessful"]), (7, False))

    # ---- JUnit

    def test_junit_counts_what_it_holds(self):
        odd = self.write("bell\x07.json", BAD)
        done = run("--format", "junit", *self.all, "/nonexistent.json", odd)
        self.assertEqual(done.returncode, 1)
        root = xml.etree.ElementTree.fromstring(done.stdout)
        self.assertEqual(root.tag, "testsuites")
        self.assertEqual([suite.get("name") for suite in root], [*map(str, self.all), "/nonexistent.json",
                                                                 str(odd).replace("\x07", "?")])
        for suite in root:
            self.assertEqual(suite.tag, "testsuite")
            self.assertEqual(int(suite.get("tests")), len(suite.findall("testcase")))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("testcase/failure")))
            self.assertEqual(int(suite.get("errors")), len(suite.findall("testcase/error")))
            self.assertEqual(suite.get("skipped"), "0")
            self.assertGreaterEqual(float(suite.get("time")), 0)
            for case in suite:
                self.assertTrue(case.get("name") and case.get("classname") and case.get("time"))
                for wrong in case:
                    self.assertIn(wrong.tag, ("failure", "error"))
                    self.assertTrue(wrong.get("message") and wrong.get("type") and wrong.text.strip())

    # ---- all of them

    def test_no_form_holds_text_of_the_payload(self):
        path = self.write("telltale.json", TELLTALE)
        for form in ("text", "json", "sarif", "junit"):
            done = run("--format", form, path)
            self.assertEqual(done.returncode, 1)
            self.assertNotIn(SECRET, done.stdout + done.stderr)

    def test_exit_codes(self):
        missing = "/nonexistent.json"
        good, bad = self.folder / "good.json", self.folder / "many.json"
        for code, args in ((0, [good]), (1, [bad]), (1, [good, bad, missing]), (7, [good, missing]), (2, [missing]), (2, []),
                           (2, ["--format", "yaml", good]), (2, ["--json", "--format", "sarif", good]),
                           (0, ["--json", "--format", "json", good])):
            self.assertEqual(run(*args).returncode, code, args)
        self.assertEqual(run("-", feed=GOOD).returncode, 0)
        self.assertEqual(run("-", feed=BAD).returncode, 1)

    def test_a_folder_is_what_is_below_it(self):
        self.write("ig/package/package.json", "{}")
        self.write("ig/package/b.json", GOOD)
        self.write("ig/package/a.ndjson", GOOD + "\n" + GOOD)
        self.write("ig/package/readme.txt", "no resource")
        self.write("ig/.git/c.json", BAD)
        os.symlink(self.folder / "many.json", self.folder / "ig/link.json")
        done = run("--json", self.folder / "ig")
        names = [pathlib.Path(json.loads(line)["file"]).name for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, names), (0, ["a.ndjson", "a.ndjson", "b.json"]))
        (self.folder / "empty").mkdir()
        self.assertEqual(run(self.folder / "empty").returncode, 2)
        self.assertEqual(run(self.folder / "empty", self.folder / "good.json").returncode, 7)

    def on_a_terminal(self, *args):
        """What it says on stderr when that is a terminal."""
        parent, child = pty.openpty()
        subprocess.run([SLUICE, "validate", *map(str, args)], stdout=subprocess.DEVNULL, stderr=child, timeout=60, check=False)
        os.write(child, b".")                    # so that there is something to read
        said = os.read(parent, 65536).decode()
        os.close(child)
        os.close(parent)
        return said

    def test_a_bar_is_for_terminals_and_many_files(self):
        many = [self.write(f"many/{i}.json", GOOD if i % 3 else BAD) for i in range(40)]
        said = self.on_a_terminal(*many)
        self.assertRegex(said, r"validating \[#*-+\] \d+/40  \d+/s  \d+ invalid")
        self.assertIn("40 inputs: 26 valid, 14 invalid", said)
        self.assertNotIn("validating [", self.on_a_terminal(self.folder / "good.json"))
        self.assertNotIn("validating", run(*many).stderr)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    options, rest = parser.parse_known_args()
    SLUICE = options.sluice
    unittest.main(argv=["validate_formats", *rest])

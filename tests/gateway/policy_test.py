#!/usr/bin/python3
"""What `sluice policy test` prints and how it ends: text, JSON, JUnit.

    policy_test.py --sluice build/sluice
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ET

SLUICE = None

CASE = {
    "id": "oak-visit", "citation": "42 CFR 2.13(a)", "words": "a visit at <Oak> stays",
    "request": {"at": "2026-11-22T15:00:00Z", "actor": {"reference": "Organization/a"}, "purpose": ["TREAT"],
                "programs": [{"reference": "Organization/oak"}]},
    "bundle": {"resourceType": "Encounter", "id": "visit", "status": "finished", "class": {"code": "AMB"},
               "subject": {"reference": "Patient/p"}, "serviceProvider": {"reference": "Organization/oak"}},
    "expected": {"releasedIds": []},
}


def run(*arguments):
    return subprocess.run([SLUICE, "policy", "test", *arguments], capture_output=True, text=True, timeout=60)


class PolicyTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def case(self, name, **changes):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as out:
            json.dump({**CASE, **changes}, out)
        return path

    def wrong(self):
        return self.case("b.json", id="wrong", expected={"releasedIds": ["visit"], "rules": {"visit": "R-01"}})

    def test_ends_with_0_when_all_agree_and_says_a_line_each(self):
        self.case("a.json")
        self.case("c.json", id="around", environment={"log": "full"})
        done = run(self.folder.name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("ok       oak-visit  [42 CFR 2.13(a)]  a visit at <Oak> stays\n", done.stdout)
        self.assertIn("left out around", done.stdout)
        self.assertIn("2 cases: 1 agree, 0 differ, 0 could not be read, 1 left out", done.stderr)

    def test_ends_with_1_and_says_what_was_expected_what_came_and_why(self):
        done = run(self.case("a.json"), self.wrong())
        self.assertEqual(done.returncode, 1)
        self.assertIn("DIFFERS  wrong", done.stdout)
        self.assertIn("releasedIds of Encounter/visit: expected leaves, got stays\n", done.stdout)
        self.assertIn("rules of Encounter/visit: expected R-01, got B-14\n", done.stdout)
        self.assertIn("B-14, 42 CFR 2.13(a): ", done.stdout)

    def test_ends_with_2_when_a_case_cannot_be_read_or_there_is_none(self):
        self.assertEqual(run(self.folder.name).returncode, 2)
        self.assertEqual(run("/nonexistent.json").returncode, 2)
        self.assertEqual(run().returncode, 2)
        done = run(self.case("a.json"), self.case("b.json", expects={}))
        self.assertEqual(done.returncode, 2)
        self.assertIn('a case has no "expects"', done.stdout)
        self.assertEqual(run(self.wrong(), self.case("c.json", expects={})).returncode, 1)
        self.assertEqual(run("--json", "--junit", self.folder.name).returncode, 2)

    def test_json_is_a_line_a_case(self):
        done = run("--json", self.case("a.json"), self.wrong(), self.case("c.json", expects={}))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["result"] for line in lines], ["agrees", "differs", "refused"])
        first = lines[1]["differences"][0]
        self.assertEqual((first["what"], first["entry"], first["expected"], first["got"], first["rule"], first["step"]),
                         ("releasedIds", "Encounter/visit", "leaves", "stays", "B-14", 1))
        self.assertTrue(first["because"])

    def test_junit_counts_what_it_holds(self):
        done = run("--junit", self.case("a.json"), self.wrong(), self.case("c.json", expects={}),
                   self.case("d.json", environment={}))
        self.assertEqual(done.returncode, 1)
        suite = ET.fromstring(done.stdout).find("testsuite")
        cases = suite.findall("testcase")
        self.assertEqual(len(cases), int(suite.get("tests")))
        for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            self.assertEqual(sum(c.find(kind) is not None for c in cases), int(suite.get(count)))
            self.assertEqual(suite.get(count), "1")
        self.assertIn("expected leaves, got stays", cases[1].find("failure").get("message"))


if __name__ == "__main__":
    options = sys.argv[1:]
    SLUICE = os.path.abspath(options[options.index("--sluice") + 1])
    del options[options.index("--sluice"):options.index("--sluice") + 2]
    unittest.main(argv=["policy_test", *options])

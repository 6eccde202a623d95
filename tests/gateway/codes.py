#!/usr/bin/python3
"""gateway/codes -- what `sluice codes` says is what consent/codes.facts says.

    codes.py --sluice PATH
"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def facts():
    for line in (ROOT / "consent/codes.facts").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            f = [field.strip() for field in line.split("|")] + [""]
            state = "in" if f[5] == "on" else "unverified" if f[6] == "MEMORY" else "off"
            yield (f[1].rstrip("*"), f[1].endswith("*"), f[2].lower(), state, f[7], f[8] if f[8] != "-" else None, f[9], f[10])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sluice", required=True)
    sluice = options.parse_args().sluice

    def run(*args):
        done = subprocess.run([sluice, "codes", *args], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def told(rows):
        return sorted((r["code"], r["prefix"], r["tier"].lower(), r["state"], r["checked"], r.get("day"), r["words"], r.get("because", ""))
                      for r in rows)

    wanted = sorted(facts(), key=lambda f: tuple(map(str, f)))
    code, out, err = run("--json")
    all_ = json.loads(out)
    assert code == 0 and sorted(told(all_["rows"]), key=lambda f: tuple(map(str, f))) == wanted, "rows are not the facts"
    for state in ("in", "off", "unverified"):
        rows = json.loads(run("--json", "--state", state)[1])["rows"]
        assert len(rows) == sum(f[3] == state for f in wanted) == sum(s[state] for s in all_["systems"]), state
        assert len(run("--state", state)[1].splitlines()) == len(rows), state
    assert sum(s["rows"] for s in all_["sources"]) == len(wanted) == len(run("--rows")[1].splitlines())
    assert all(s["on"] == 0 for s in all_["sources"] if s["checked"] == "none"), "on, and nobody compared it"
    report = run()[1]
    assert "off and unverified" in report and all(s["what"] in report for s in all_["sources"]), report

    # (code, exit code, what is said of it)
    for asked, exit_code, words in (("F11.20", 0, "OPIOIDUD  in"), ("h0020", 0, "HCPCS, CPT"), ("HF", 0, "HCPCS modifiers"),
                                    ("1819", 0, "not with: pain, patch, allergy"), ("31956009", 1, "unverified"), ("522", 1, "hip surgery"),
                                    ("T40.1X1A", 1, "unverified"), ("I10", 1, ""), ("", 1, ""), ("F17.210", 0, "not")):
        code, out, err = run(asked)
        assert code == exit_code and words in out and (code == 0) == (err == ""), (asked, code, out, err)
    code, out, err = run("F11.20", "I10", "--json")
    assert code == 1 and [r["code"] for r in json.loads(out)["rows"]] == ["F11"] and "I10" in err, (code, out)
    assert run("--state", "maybe")[0] == 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Promise 2 and its reverse on made-up Bundles: clinical situations, put together at random.

    generate.py TOOL [--count N] [--seed S] [--only NAME] [--keep DIR] [--list]

A case is a Bundle of one to four situations (situations_*.py), each with its own patient, a request, and the twin: the Bundle without the
hidden parts, as the situations say (nothing here asks Sluice what it would do).  Of each case:

    leak              a secret token is in no reading of what leaves
    over-restriction  every permitted token is in what leaves
    interference      Bundle and twin leave as the same bytes
    inexact           the twin leaves as it came, with the notice of 42 CFR 2.32 where a consent let a protected record go
    whole             who may have all of it gets the Bundle as it came

A case that fails is made smaller (situations, style, entries) and printed with its seed: `--seed S --count 1` makes it again.
SLUICE_LONG=1: 10,000 Bundles.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import situations_controls
import situations_linked
import situations_program
import situations_records
import situations_suspect
from model import Either, Hidden, Raw, Style, print_both, shown
from readings import found_in
from world import ACT, AT, NPI, REASON, Situation, World

MODULES = (situations_program, situations_records, situations_suspect, situations_controls, situations_linked)
TEMPLATES = {name: make for module in MODULES for name, make in module.SITUATIONS.items()}
SENDERS = ("not-program", "unknown", "program")
RECIPIENTS = (("county", "CE_PROVIDER"), ("shore-plan", "HEALTH_PLAN"), ("mill-clinic", "NONHIPAA_TREATING_PROVIDER"), ("pay-co", "THIRD_PARTY_PAYER_NONHIPAA"))
NOTICE = b"protected by Federal confidentiality rules (42 CFR part 2)"
DENIALS = ("none", "expired", "other recipient", "other purpose", "inactive", "other program", "tomorrow", "refusal", "other patient")


class Tool:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def release(self, request, body):
        """(outcome, bytes)"""
        if isinstance(request, dict):
            request = json.dumps(request).encode()
        self.process.stdin.write(b"%d %d\n" % (len(request), len(body)) + request + body)
        self.process.stdin.flush()
        said = self.process.stdout.readline().decode().split()
        if len(said) != 3:
            pathlib.Path(tempfile.gettempdir(), "tool_release-request.json").write_bytes(request)
            pathlib.Path(tempfile.gettempdir(), "tool_release-bundle.json").write_bytes(body)
            raise SystemExit(f"the tool ended with {self.process.wait()}; its last case is in {tempfile.gettempdir()}")
        outcome, word, length = said
        return (outcome if outcome != "refused" else f"refused {word}"), self.process.stdout.read(int(length))


def consent(draw, s, recipient, how):
    """A Consent of the situation's patient for its program; `how` is "valid" or why it permits nothing."""
    purposes = ["HPAYMT"] if how == "other purpose" else ["TREAT", "HPAYMT", "HOPERAT"]
    provision = {"type": "deny" if how == "refusal" else "permit",
                 "actor": [{"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]},
                            "reference": {"reference": "Organization/elsewhere" if how == "other recipient" else f"Organization/{recipient}"}}],
                 "purpose": [{"system": REASON, "code": p} for p in purposes]}
    if how == "refusal":
        provision["securityLabel"] = [{"system": ACT, "code": "SUD"}]
    if how == "expired":
        provision["period"] = {"start": "2024-01-01", "end": "2025-12-31"}
    elif draw.random() < 0.5:
        provision["period"] = {"start": "2026-01-01", "end": "2027-12-31"}
    patient = "nobody" if how == "other patient" else s.patient.id
    out = {"resourceType": "Consent", "id": f"{s.prefix}cons", "status": "inactive" if how == "inactive" else "active",
           "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
           "patient": {"reference": f"Patient/{patient}"}, "dateTime": "2026-11-23" if how == "tomorrow" else "2026-03-02",
           "provision": provision}
    if s.w.programs:                     # a suspect record may be any program's (P7)
        own = [s.program] if s.program is not None else s.w.programs
        names = ["elsewhere-org"] if how == "other program" else [p.entity.id for p in own]
        out["organization"] = [{"reference": f"Organization/{name}"} for name in names]
    return out


class Case:
    """A Bundle, its twin and a request, from a seed."""

    def __init__(self, seed, only=None, drop=(), style=None):
        self.seed = seed
        draw = self.draw = random.Random(seed)
        sender = draw.choices(SENDERS, (6, 6, 1))[0]
        if only:
            sender = draw.choice(TEMPLATES[only].senders)
        fits = [name for name, make in TEMPLATES.items() if sender in make.senders]
        names = [only] if only else draw.choices(fits, k=draw.choices((1, 2, 3, 4), (4, 3, 2, 1))[0])
        alone = [n for n in names if TEMPLATES[n].alone]
        self.names = alone[:1] or names
        self.world = World(draw, sender)
        recipient, kind = draw.choices(RECIPIENTS, (5, 1, 1, 1))[0]
        self.request = {"at": AT, "purpose": ["TREAT"], "source": {"part2": sender},
                        "actor": {"reference": f"Organization/{recipient}", "identifier": [{"system": NPI, "value": "1999999992"}], "class": [kind]},
                        "actors": {f"Organization/{recipient}": {"resourceType": "Organization", "id": recipient, "identifier": [{"system": NPI, "value": "1999999992"}]}},
                        "consents": []}
        self.whole_request = {"at": AT, "actor": {"reference": "Organization/county"}, "purpose": ["TREAT"], "source": {"part2": "not-program"}}
        self.world.recipient = recipient
        self.kind = "collection" if alone else draw.choices(("collection", "transaction", "batch", "searchset"), (4, 2, 1, 2))[0]
        self.granted = []
        entries, situations = [], []
        for i, name in enumerate(self.names):
            make = TEMPLATES[name]
            granted = make.grants and draw.random() < 0.15 and not (make.__module__ == "situations_suspect" and self.has_programs())
            granted = situations[0].granted if sender == "program" and situations else granted
            s = Situation(self.world, f"{chr(97 + i)}{draw.randint(10, 99)}", granted)
            made = make(s)
            situations.append(s)
            self.kind = s.kind if alone and hasattr(s, "kind") else self.kind
            if i not in drop:
                entries += s.entries
            self.extra = made if alone and isinstance(made, dict) else {}
        self.opened = any(s.opened for i, s in enumerate(situations) if i not in drop)
        for s in situations:
            self.add_consent(s, s.granted, recipient)
        self.request["consents"] += self.world.consents
        self.request["questionnaires"] = self.world.questionnaires
        self.request["site"] = self.world.site
        if sender == "program":
            self.request["source"]["organization"] = f"Organization/{self.world.programs[0].entity.id}" if self.world.programs else "Organization/none"
        self.request["programs"] = [p.facts() for p in self.world.programs]
        if not alone or self.kind == "collection":
            draw.shuffle(entries)
        self.entries = entries
        drawn = Style(draw)
        self.style = style or drawn
        self.after = draw.getrandbits(64)

    def add_consent(self, s, granted, recipient):
        may_ask = s.program is not None or self.world.sender == "unknown"
        how = "valid" if granted else self.draw.choice(DENIALS) if may_ask and s.asks else "none"
        if how == "other program" and not self.world.programs:
            how = "none"                 # where no program is known, whom a consent names is believed (P7)
        if granted:
            self.granted.append(s.prefix)
        if how != "none":
            self.request["consents"].append(consent(self.draw, s, recipient, how))

    def has_programs(self):
        """A consent for a record of unknown origin has to name every program that it may be of, and so makes it known."""
        return any(TEMPLATES[n].__module__ in ("situations_program", "situations_records") for n in self.names)

    def document(self):
        draw = random.Random(self.after)
        entries, hidden_matches, matches = [], 0, 0
        for entity, resource, hidden in self.entries:
            entry = {"fullUrl": entity.full, "resource": resource}
            if self.kind in ("transaction", "batch"):
                entry["request"] = {"method": "POST", "url": entity.type} if entity.base is None or draw.random() < 0.5 else \
                                   {"method": "PUT", "url": f"{entity.type}/{entity.id}"}
            if self.kind == "searchset":
                mode = draw.choice(("match", "match", "include"))
                entry["search"] = {"mode": mode}
                matches += mode == "match"
                hidden_matches += mode == "match" and hidden
            entries.append(Hidden(entry) if hidden else entry)
        bundle = {"resourceType": "Bundle", "type": self.kind}
        if self.kind == "searchset":
            bundle["total"] = Either(Raw(str(matches)), Raw(str(matches - hidden_matches)))
            bundle["link"] = [{"relation": "self", "url": "https://ehr.example.org/fhir/Patient?_count=50"}]
        bundle.update(self.extra)
        bundle["entry"] = entries
        return bundle

    def bytes(self):
        one, twin = print_both(self.document(), self.style, random.Random(self.after + 1))
        if all(hidden for _, _, hidden in self.entries):
            twin = b""
        return one, twin


def with_notice(out, twin):
    """Whether `out` is the twin with one piece put in that holds the notice."""
    if len(out) <= len(twin):
        return False
    head = os.path.commonprefix([out, twin])
    tail = len(twin) - len(head)
    return out[len(out) - tail:] == twin[len(head):] and NOTICE in out[len(head):len(out) - tail] if tail >= 0 else False


def judge(case, tool):
    """What is wrong with this case: a list of (kind, words)."""
    wrong = []
    one, twin = case.bytes()
    kept, secrets = found_in(one, case.world.kept), case.world.secrets
    bad = found_in(twin, secrets) if twin else set()
    if bad:
        wrong.append(("template", f"the twin has {sorted(bad)}"))
    outcome, out = tool.release(case.request, one)
    out_twin = tool.release(case.request, twin)[1] if twin else b""
    case.out, case.one, case.twin, case.out_twin = out, one, twin, out_twin
    if outcome.startswith("refused") or outcome == "hold":
        wrong.append((outcome, ""))
    leaks = found_in(out, secrets)
    if leaks:
        wrong.append(("leak", ", ".join(sorted(leaks))))
    there = found_in(out, kept) if out else set()
    missing = sorted(kept - there) if twin else []
    if missing:
        wrong.append(("over-restriction", ", ".join(missing)))
    if out != out_twin:
        wrong.append(("interference", difference(out, out_twin)))
    if not (with_notice(out_twin, twin) if case.opened else out_twin == twin or (case.granted and with_notice(out_twin, twin))):
        wrong.append(("inexact", difference(out_twin, twin)))
    if all(TEMPLATES[n].whole for n in case.names) and tool.release(case.whole_request, one)[1] != one:
        wrong.append(("whole", difference(tool.release(case.whole_request, one)[1], one)))
    labels = [tool.release({**case.request, "emit": "emit"}, body)[1] if body else b"" for body in (one, twin)]
    if labels[0] != labels[1]:           # consent/emission.h M6
        wrong.append(("labels", difference(*labels)))
    case.counted = (len(kept), len(secrets))
    return wrong


def difference(one, other):
    i = len(os.path.commonprefix([one, other]))
    return f"at {i} of {len(one)} and {len(other)}: …{one[max(0, i - 90):i + 70]!r} / …{other[max(0, i - 20):i + 90]!r}"


def alone(entry, others):
    """Nothing but a Patient hangs together with it, so that without it the others still have the same twin."""
    text = json.dumps(shown(entry[1]), default=str)
    return all(e[0].type == "Patient" or e[0].id not in text and entry[0].id not in json.dumps(shown(e[1]), default=str) for e in others)


def smaller(case, tool, kinds):
    """The same failure with less: situations left out, then style, then entries one by one."""
    def fails(candidate):
        found = {kind for kind, _ in judge(candidate, tool)}
        return bool(found) and found <= kinds

    best = case
    drop = set()
    for i in range(len(case.names)):
        candidate = Case(case.seed, case.only, drop | {i}, best.style)
        candidate.only = case.only
        if candidate.entries and fails(candidate):
            drop.add(i)
            best = candidate
    for style in (Style(),):
        candidate = Case(case.seed, case.only, drop, style)
        candidate.only = case.only
        if fails(candidate):
            best = candidate
    for entry in list(best.entries):
        entries = best.entries
        best.entries = [e for e in entries if e is not entry]
        if not alone(entry, best.entries) or not best.entries or not fails(best):
            best.entries = entries
    judge(best, tool)
    return best


def report(case, wrong, tool, keep):
    small = smaller(case, tool, {kind for kind, _ in wrong})
    print(f"seed {case.seed}{f' --only {case.only}' if case.only else ''} ({', '.join(case.names)}; {case.world.sender}; {case.kind}; {case.style})")
    for kind, words in judge(small, tool) or wrong:
        print(f"   {kind}: {words}")
    if keep:
        folder = pathlib.Path(keep)
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / str(case.seed)
        for name, data in (("request", json.dumps(small.request, indent=1).encode()), ("bundle", small.one), ("twin", small.twin), ("out", small.out), ("twin-out", small.out_twin)):
            pathlib.Path(f"{stem}-{name}.json").write_bytes(data)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tool")
    arguments.add_argument("--count", type=int, default=10000 if os.environ.get("SLUICE_LONG") == "1" else 200)
    arguments.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_SEED", "1")))
    arguments.add_argument("--only")
    arguments.add_argument("--keep")
    arguments.add_argument("--each", action="store_true", help="COUNT cases of each template alone")
    arguments.add_argument("--list", action="store_true")
    given = arguments.parse_args()
    if given.list:
        for name, make in TEMPLATES.items():
            print(f"{name}: {make.__doc__}")
        return 0
    tool = Tool(given.tool)
    totals, failures, used = collections.Counter(), collections.Counter(), collections.Counter()
    began = time.monotonic()
    plan = [(given.seed + i, given.only) for i in range(given.count)]
    if given.each:
        plan = [(given.seed + i, name) for name in TEMPLATES for i in range(given.count)]
    shown_of = collections.Counter()
    for seed, only in plan:
        case = Case(seed, only)
        case.only = only
        wrong = judge(case, tool)
        used.update(case.names)
        totals.update(bundles=1, permitted=sum(not h for _, _, h in case.entries), withheld=sum(h for _, _, h in case.entries),
                      kept=case.counted[0], secret=case.counted[1], bytes=len(case.one), granted=bool(case.granted))
        if wrong:
            failures.update({kind for kind, _ in wrong})
            shown_of[case.names[0]] += 1
            if sum(shown_of.values()) <= 30 and shown_of[case.names[0]] <= 2:
                report(case, wrong, tool, given.keep)
    print(f"seeds {plan[0][0]} to {plan[-1][0]}: {len(TEMPLATES)} templates ({len(used)} used), {totals['bundles']} Bundles and their twins, "
          f"{totals['granted']} with a consent that permits; {totals['permitted']} resources permitted, {totals['withheld']} withheld; "
          f"{totals['kept']} permitted tokens, {totals['secret']} secret ones; {totals['bytes'] // 1024} KiB; {time.monotonic() - began:.0f} s")
    print(f"{failures['leak']} leaks, {failures['over-restriction']} over-restrictions, {failures['interference']} interference differences, "
          f"{failures['inexact'] + failures['whole']} inexact, {sum(failures.values())} failures in all {dict(failures) or ''}")
    return 1 if failures or len(TEMPLATES) < 40 else 0


if __name__ == "__main__":
    sys.exit(main())

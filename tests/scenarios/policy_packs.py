"""A policy pack in `serve`: off, on, by whose state, reloaded, refused (docs/policy-packs.md)."""
import hashlib
import json

from bundles import bundle, condition, observation, patient
from harness import Gateway, check, main

PACK = {"id": "us-xx-hiv", "version": "3", "jurisdiction": "US-XX", "appliesTo": ["residence", "custodian"],
        "effective": {"from": "2026-01-01"}, "signedOff": {"by": "counsel of the tests", "on": "2026-01-01"},
        "rules": [{"id": "by-name", "words": "HIV leaves with a consent that names it", "citation": "made for this test",
                   "verified": True, "when": {"label": ["HIV"]}, "unless": [{"recipientClass": ["PATIENT"]}],
                   "effect": "consent", "consent": {"specific": True}},
                  {"id": "notice", "words": "with a notice", "citation": "made for this test, too", "verified": True,
                   "when": {"type": ["Observation"]}, "effect": "notice",
                   "notice": {"text": "State XX protects this observation.", "version": "1"}}]}

gateway = Gateway()
with open(gateway.config, encoding="utf-8") as f:
    PLAIN = f.read().replace('part2 = "not-program" }', 'part2 = "not-program"  jurisdiction = { "US-YY" } }')


def write(pack=None, options="enabled = true", state="US-YY"):
    text = PLAIN.replace('jurisdiction = { "US-YY" }', f'jurisdiction = {{ "{state}" }}')
    if pack is not None:
        with open(gateway.at("xx.json"), "w", encoding="utf-8") as f:
            json.dump(pack, f)
        text += f'\npolicy "xx" {{ file = "xx.json"  {options} }}\n'
    with open(gateway.config, "w", encoding="utf-8") as f:
        f.write(text)


def reload(good=True):
    done = gateway.cli("reload", "-c", gateway.config)
    check((done.returncode == 0) == good, done)
    return (done.stdout + done.stderr).decode()


def delivered(state, id):
    """What the HIE gets of a patient who lives there: (HIV, A1c, notice)."""
    someone = patient(id)
    if state:
        someone["address"] = [{"state": state, "country": "US"}]
    hiv = condition(f"hiv-{id}", id, code="Z21", display="Asymptomatic human immunodeficiency virus infection status")
    answer = gateway.push(bundle(someone, hiv, observation(f"a1c-{id}", id)))
    check(answer[0] == 200, answer)
    gateway.settled()
    bodies = [b for b in gateway.hie.bodies() if f"Patient/{id}".encode() in b]
    check(len(bodies) == 1, (id, len(bodies)))
    return b"Z21" in bodies[0], b"4548-4" in bodies[0], b"State XX protects" in bodies[0]


def without_a_pack_it_all_goes():
    write()
    gateway.start()
    check(delivered("XX", "q1") == (True, True, False), "narrower without a pack")


def a_pack_that_is_not_enabled_does_nothing():
    write(PACK, "enabled = false")
    reload()
    check(delivered("XX", "q2") == (True, True, False), "narrower by a pack that is off")


def after_a_reload_it_narrows_for_those_of_its_state():
    write(PACK, f'enabled = true  sha256 = "{hashlib.sha256(json.dumps(PACK).encode()).hexdigest()}"')
    reload()
    check(delivered("XX", "q3") == (False, True, True), "the pack does not narrow")
    check(delivered("YY", "q4") == (True, True, False), "another state's patient is narrowed")
    check(delivered(None, "q5") == (False, True, True), "nobody knows where, and it does not apply")


def by_the_state_of_who_keeps_the_record():
    write(PACK, state="US-XX")
    reload()
    check(delivered("YY", "q6") == (False, True, True), "the custodian's state does not count")


def what_cannot_be_in_force_is_refused_and_the_old_one_stays():
    rows = [({**PACK, "rules": [{**PACK["rules"][0], "effect": "permit"}]}, "enabled = true", "only narrow"),
            ({k: v for k, v in PACK.items() if k != "signedOff"}, "enabled = true", "nobody has signed it off"),
            ({**PACK, "rules": [{**PACK["rules"][0], "verified": False}]}, "enabled = true", "no citation of its rules is verified"),
            (PACK, 'enabled = true  sha256 = "00"', "is not the file that `sha256` names")]
    for pack, options, words in rows:
        write(pack, options)
        said = reload(good=False)
        check(words in said, (words, said))
        check(gateway.cli("config", "check", "-c", gateway.config).returncode != 0, words)
    check(delivered("XX", "q7") == (False, True, True), "a reload that failed took the pack away")


def the_log_names_pack_rule_and_law():
    write(PACK, state="US-XX")
    _, denials = gateway.export()
    text = json.dumps(denials)
    check("policy pack us-xx-hiv 3, by-name" in text and "made for this test" in text and '"G-11"' in text, text[:2000])
    digest = hashlib.sha256(json.dumps(PACK).encode()).hexdigest()[:16]
    check(f"us-xx-hiv/3/{digest}" in text, "the record does not say which pack was in force")
    check(gateway.cli("log", "verify", "-c", gateway.config).returncode == 0, "log verify")


def it_drains_and_stops():
    check(gateway.stop() == 0, "exit code")
    gateway.close()


main([without_a_pack_it_all_goes, a_pack_that_is_not_enabled_does_nothing, after_a_reload_it_narrows_for_those_of_its_state,
      by_the_state_of_who_keeps_the_record, what_cannot_be_in_force_is_refused_and_the_old_one_stays,
      the_log_names_pack_rule_and_law, it_drains_and_stops])

"""Consents that cannot be read, are of another version of FHIR, hold what nobody understands, or name
somebody whom nobody knows: none lets anything go that would stay without it, the sender is told where and
why, and a person is asked to look.  Each goes through a route that refuses what a profile forbids, and
through one that takes it (`validation = "accept"`), where the engine alone stands in between."""
import copy
import json
import re

from bundles import bundle, condition, consent, observation, patient
from harness import Gateway, check, main

ACTCODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
EXTENSION = {"url": "https://example.org/only-on-weekdays", "valueBoolean": True}
LAX = """
client "lax-program" { certificate-cn = "lax-program"  scopes = { "system/*.cud" }  part2 = "program"
    reference = "Organization/riverside"  identifier = { "http://hl7.org/fhir/sid/us-npi|1000000009" } }
client "lax-unknown" { certificate-cn = "lax-unknown"  scopes = { "system/*.cud" } }
route "lax" { from = { "lax-program", "lax-unknown" }  to = { "county-hie" }  validation = "accept" }
"""


def at(path, value):
    """Sets what stands at a dotted path; None takes it away."""
    def change(c):
        names = path.split(".")
        for name in names[:-1]:
            c = c[int(name)] if isinstance(c, list) else c.setdefault(name, {})
        last = int(names[-1]) if isinstance(c, list) else names[-1]
        if value is None:
            del c[last]
        else:
            c[last] = value
    return change


def both(*changes):
    def change(c):
        for one in changes:
            one(c)
    return change


def stu3(c):
    p = c.pop("provision")
    c.update({"consentingParty": c.pop("performer"), "period": p["period"], "actor": p["actor"],
              "purpose": p["purpose"], "except": [{"type": "permit", "actor": p["actor"]}]})


def r5_list(c):
    c["provision"] = [c["provision"]]


def r5_whole(c):
    p = c.pop("provision")
    c["subject"], c["date"], c["decision"] = c.pop("patient"), c.pop("dateTime"), "permit"
    c["controller"] = c.pop("organization")
    del p["type"]
    c["provision"] = [p]


def r5_decision(c):
    c["decision"] = "permit"


def deep(levels):
    def change(c):
        p = c["provision"]
        for _ in range(levels):
            p["provision"] = [{"type": "permit", "purpose": copy.deepcopy(c["provision"]["purpose"])}]
            p = p["provision"][0]
    return change


def many(count):
    def change(c):
        c["provision"]["provision"] = [{"type": "permit"} for _ in range(count)]
    return change


def actor(**reference):
    return at("provision.actor.0.reference", reference)


CASES = {
    "STU3 in its whole form": (stu3, "except", "foreign-consent"),
    "STU3 except beside a provision": (at("except", [{"type": "permit"}]), "except", "foreign-consent"),
    "STU3 consentingParty": (at("consentingParty", [{"reference": "Patient/p1"}]), "consentingParty", "foreign-consent"),
    "STU3 actor at the root": (both(at("actor", [{}]), at("provision.actor", None)), "actor", "foreign-consent"),
    "R5 in its whole form": (r5_whole, "subject|provision|decision", "foreign-consent"),
    "R5 list of provisions": (r5_list, "provision", "foreign-consent"),
    "R5 decision": (r5_decision, "decision", "foreign-consent"),
    "R5 grantee": (at("grantee", [{"reference": "Organization/county-hie"}]), "grantee", "foreign-consent"),
    "modifierExtension of the Consent": (at("modifierExtension", [EXTENSION]), "modifierExtension", "unknown-modifier"),
    "modifierExtension of the provision": (at("provision.modifierExtension", [EXTENSION]), "modifierExtension", "unknown-modifier"),
    "modifierExtension of a nested provision": (
        at("provision.provision", [{"type": "permit", "modifierExtension": [EXTENSION]}]), "modifierExtension", "unknown-modifier"),
    "modifierExtension of an actor": (at("provision.actor.0.modifierExtension", [EXTENSION]), "modifierExtension", "unknown-modifier"),
    "modifierExtension of data": (
        at("provision.data", [{"meaning": "instance", "reference": {"reference": "Condition/x"}, "modifierExtension": [EXTENSION]}]),
        "modifierExtension", "unknown-modifier"),
    "modifierExtension of a policy": (at("policy.0.modifierExtension", [EXTENSION]), "modifierExtension", "unknown-modifier"),
    "implicitRules": (at("implicitRules", "https://example.org/rules"), "implicitRules", "unknown-modifier"),
    "an actor by a reference to nobody": (actor(reference="Organization/nobody-knows"), "actor", "unresolvable-actor"),
    "an actor by an identifier without a value": (
        actor(identifier={"system": "http://hl7.org/fhir/sid/us-npi"}), "actor", "unresolvable-actor"),
    "an actor by its name alone": (actor(display="County HIE"), "actor", "unresolvable-actor"),
    "an actor that is contained and is not there": (actor(reference="#hie"), "actor|contained|#hie", "unresolvable-actor"),
    "an actor that is contained and says nothing": (
        both(actor(reference="#hie"), at("contained", [{"resourceType": "Organization", "id": "hie", "name": "County HIE"}])),
        "actor", "unresolvable-actor"),
    "an actor without a reference": (at("provision.actor.0.reference", None), "actor|reference", "unresolvable-actor"),
    "an actor in a role that no recipient has": (
        at("provision.actor.0.role.coding.0.code", "WIT"), "actor", "malformed-consent"),
    "an empty list of actors": (at("provision.actor", []), "actor", "malformed-consent"),
    "actors that are one object": (lambda c: c["provision"].update(actor=c["provision"]["actor"][0]), "actor", "malformed-consent"),
    "no status": (at("status", None), "status", "malformed-consent"),
    "a status that R4 does not have": (at("status", "unknown"), "status", "malformed-consent"),
    "a status in capitals": (at("status", "Active"), "status", "malformed-consent"),
    "a status that is a list": (at("status", ["active"]), "status", "malformed-consent"),
    "no scope": (at("scope", None), "scope", "malformed-consent"),
    "a scope that R4 does not have": (at("scope.coding.0.code", "everything"), "scope", "malformed-consent"),
    "two scopes": (
        lambda c: c["scope"]["coding"].append(dict(c["scope"]["coding"][0], code="research")), "scope", "malformed-consent"),
    "a period that ends before it begins": (
        at("provision.period", {"start": "2027-01-01", "end": "2026-01-01"}), "period", "malformed-consent"),
    "a period whose end is no date": (at("provision.period.end", "2027-02-30"), "period", "malformed-consent"),
    "a period whose end is a word": (at("provision.period.end", "end of treatment"), "period", "malformed-consent"),
    "an empty period": (at("provision.period", {}), "period", "malformed-consent"),
    "a period that is a text": (at("provision.period", "2026/2027"), "period", "malformed-consent"),
    "no date of signature": (at("dateTime", None), "dateTime|2.31", "deficient-consent"),
    "a date of signature that is none": (at("dateTime", "last spring"), "dateTime|2.31", "deficient-consent"),
    "a provision without type": (at("provision.type", None), "type", "malformed-consent"),
    "a provision of an unknown type": (at("provision.type", "allow"), "type", "malformed-consent"),
    "a provision that is a text": (at("provision", "permit"), "provision", "malformed-consent"),
    "a nested provision that is one object": (at("provision.provision", {"type": "permit"}), "provision", "malformed-consent"),
    "an empty nested provision": (at("provision.provision", [{}]), "provision", "malformed-consent"),
    "a nested provision without type": (
        lambda c: c["provision"].update(provision=[{"actor": c["provision"]["actor"]}]), "type", "malformed-consent"),
    "provisions deeper than a document may be": (deep(40), "deep|depth", "malformed-consent"),
    "more provisions than the bound": (many(1001), "too many provisions", "malformed-consent"),
    "a purpose that nobody knows": (at("provision.purpose", [{"system": "https://example.org", "code": "care"}]), "purpose", "malformed-consent"),
    "a purpose without a code": (at("provision.purpose", [{"display": "Treatment"}]), "purpose", "malformed-consent"),
    "an action that nobody knows": (
        at("provision.action", [{"coding": [{"system": "https://example.org", "code": "share"}]}]), "action", "malformed-consent"),
    "a class without a code": (at("provision.class", [{"display": "notes"}]), "class", "malformed-consent"),
    "a label without a code": (at("provision.securityLabel", [{"display": "quiet"}]), "securityLabel", "malformed-consent"),
    "a code without anything": (at("provision.code", [{}]), "code", "malformed-consent"),
    "a code whose coding has none": (at("provision.code", [{"coding": [{"display": "notes"}]}]), "code", "malformed-consent"),
    "data with an unknown meaning": (
        at("provision.data", [{"meaning": "all", "reference": {"reference": "Condition/x"}}]), "data", "malformed-consent"),
    "a dataPeriod that is none": (at("provision.dataPeriod", {"start": "2026-99"}), "dataPeriod", "malformed-consent"),
    "a member that R4 does not have": (at("provision.documentType", [{"code": "x"}]), "documentType|member", "malformed-consent"),
    "the policy of another law": (at("policyRule", {"coding": [{"system": ACTCODE, "code": "HIPAAAuth"}]}), "HIPAA", "deficient-consent"),
    "a policyRule that contradicts it": (
        both(at("policyRule", {"coding": [{"system": ACTCODE, "code": "OPTOUT"}]}), at("provision.actor", None),
             at("provision.purpose", None)), "policyRule", "deficient-consent"),
    "nobody's": (at("patient", None), "patient|2.31", None),
    "no category": (at("category", None), "category", None),
}


def make(name, id, who, verb="permit"):
    made = consent(id=id, patient=who)
    made["provision"]["type"] = verb
    CASES[name][0](made)
    return made


def record_of(who):
    return patient(who), condition("oud-" + who, who), observation("a1c-" + who, who)


def issues(body):
    """Everything that an answer says against what was sent."""
    found = []

    def walk(node):
        if isinstance(node, dict):
            if node.get("resourceType") == "OperationOutcome":
                found.extend(i for i in node.get("issue", []) if i["severity"] != "information")
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)
    walk(json.loads(body))
    return found


def gateway():
    return Gateway(extra=LAX, clients=("lax-program", "lax-unknown")).start()


def queue(gateway):
    """Kinds of items by the Consent that they are about."""
    done = gateway.cli("review", "ls", "-c", gateway.config, "--json", "--state", "all", "--limit", "1000")
    check(done.returncode == 0, done.stderr)
    page = json.loads(done.stdout)
    check(not page.get("next"), "the list of items goes on")
    found = {}
    for item in page["items"]:
        found.setdefault(item["resource"], set()).add(item["kind"])
    return found


def left(gateway, recipient="hie"):
    """The resources that went, by the patient whom they are of."""
    gateway.settled()
    found = {}
    for body in getattr(gateway, recipient).bodies():
        for e in json.loads(body).get("entry", []):
            r = e["resource"]
            who = r["id"] if r["resourceType"] == "Patient" else r["subject"]["reference"].split("/")[1] if "subject" in r else None
            found.setdefault(who, set()).add(r["resourceType"])
    return found


def nothing_leaves_by_a_consent_that_cannot_be_read_and_the_sender_and_a_person_hear_of_it():
    with_ = gateway()
    try:
        wrong, pushed = [], []
        for n, name in enumerate(CASES):
            for client in ("riverside-ehr", "lax-program"):
                who = f"{client[:3]}{n}"
                status, _, body = with_.push(bundle(*record_of(who), make(name, f"c-{who}", who)), client=client)
                said = issues(body)
                if status not in (200, 413, 422):
                    wrong.append((name, client, status, body))
                if not any(re.search(CASES[name][1], json.dumps(i)) for i in said):
                    wrong.append((name, client, status, "the place or reason is not said", said))
                if not all(i.get("expression") for i in said):
                    wrong.append((name, client, "an issue without a place", said))
                pushed.append((name, client, who, status))
        for who, what in left(with_).items():
            wrong.append(("something left", who, what, [p[0] for p in pushed if p[2] == who]))
        items = queue(with_)
        for name, client, who, status in pushed:
            kinds = items.get(f"Consent/c-{who}", set())
            wanted = {200: CASES[name][2], 422: "refused-consent"}.get(status)
            if wanted and wanted not in kinds:
                wrong.append((name, client, status, "waits as", kinds, "and not as", wanted))
        check(not wrong, "\n".join(map(str, wrong)))
        check(len({p[0] for p in pushed}) >= 25, "cases")
        check(sum(p[3] == 200 for p in pushed) >= 25, "too few reach the engine: the validator alone is tried")
    finally:
        with_.close()


def what_leaves_without_it_is_all_that_leaves_with_it():
    """From a sender of whom nothing is known: the Patient and the A1c leave without any consent."""
    with_ = gateway()
    try:
        check(with_.push(bundle(*record_of("twin")), client="lax-unknown")[0] == 200, "the twin")
        taken = {}
        for verb in ("permit", "deny"):
            for n, name in enumerate(CASES):
                who = f"{verb}{n}"
                status, _, body = with_.push(bundle(*record_of(who), make(name, f"c-{who}", who, verb)), client="lax-unknown")
                taken[who] = (name, status)
        went = left(with_)
        bound = went.pop("twin")
        check(bound == {"Patient", "Observation"}, bound)
        wrong = [(who, taken.get(who), what) for who, what in went.items() if not what <= bound]
        check(not wrong, "\n".join(map(str, wrong)))
        # Not because all was held: a permit that cannot be read takes nothing away from what needs none.
        check(sum(went.get(f"permit{n}") == bound for n in range(len(CASES))) >= 10, went)
    finally:
        with_.close()


def beside_a_good_consent_a_bad_one_widens_nothing_and_a_bad_refusal_refuses():
    with_ = gateway()
    try:
        taken = {}
        for n, name in enumerate(CASES):
            for verb in ("permit", "deny"):
                who = f"{verb}{n}"
                status, _, _ = with_.push(bundle(*record_of(who), consent(id=f"good-{who}", patient=who),
                                                 make(name, f"c-{who}", who, verb)), client="lax-program")
                taken[who] = (name, status)
        wrong = [(who, taken.get(who), what) for who, what in left(with_, "clinic").items()]
        check(not wrong, "somebody whom no consent names got something: " + str(wrong))
        went = left(with_)
        # What these deny is told by a criterion that cannot be read: it denies.
        for name in ("a purpose that nobody knows", "an action that nobody knows", "a class without a code", "a label without a code",
                     "a code whose coding has none", "an actor in a role that no recipient has", "an actor by its name alone", "two scopes",
                     "a provision of an unknown type", "modifierExtension of an actor", "data with an unknown meaning"):
            who = f"deny{list(CASES).index(name)}"
            check(taken[who][1] == 200 and "Condition" not in went.get(who, set()), (name, taken[who], went.get(who)))
    finally:
        with_.close()


def what_is_named_well_waits_for_nobody():
    """The other side: a consent for somebody who is not here, or with a label of another, is no mistake."""
    with_ = gateway()
    try:
        for n, change in enumerate((
                actor(identifier={"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999984"}),
                at("provision.securityLabel", [{"system": "https://example.org", "code": "quiet"}]),
                at("provision.action", [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "collect"}]}]),
                deep(8))):
            who = f"well{n}"
            made = consent(id=f"c-{who}", patient=who)
            change(made)
            status, _, body = with_.push(bundle(*record_of(who), made), client="lax-program")
            check(status == 200 and not issues(body), (n, body))
        check("well3" in left(with_), "eight levels are none too many")
        check(not queue(with_), queue(with_))
    finally:
        with_.close()


def holder(id, inner):
    """An Encounter that contains a Consent."""
    return {"resourceType": "Encounter", "id": id, "contained": [inner], "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": inner["patient"], "extension": [{"url": "https://example.org/consent", "valueReference": {"reference": "#inner"}}]}


def a_consent_that_is_only_contained_refuses_permits_nothing_and_is_told():
    with_ = gateway()
    try:
        refusal = consent(id="inner", patient="in0", date="2026-03-01")
        refusal["provision"] = {"type": "deny", "actor": refusal["provision"]["actor"]}
        pushes = {"in0": [consent(id="good-in0", patient="in0"), holder("visit-in0", refusal)],
                  "in1": [holder("visit-in1", consent(id="inner", patient="in1"))],
                  "in2": [consent(id="good-in2", patient="in2")]}
        for who, more in pushes.items():
            status, _, body = with_.push(bundle(*record_of(who), *more), client="lax-program")
            said = json.dumps(issues(body))
            check(status == 200 and ("contained in another resource" in said) == (who != "in2"), (who, status, said))
        went = left(with_)
        check("in0" not in went and "in1" not in went and "Condition" in went.get("in2", set()), went)
        items = queue(with_)
        check(all(items.get(f"Encounter/visit-{who}") for who in ("in0", "in1")), items)
    finally:
        with_.close()


if __name__ == "__main__":
    main([nothing_leaves_by_a_consent_that_cannot_be_read_and_the_sender_and_a_person_hear_of_it,
          what_leaves_without_it_is_all_that_leaves_with_it,
          beside_a_good_consent_a_bad_one_widens_nothing_and_a_bad_refusal_refuses,
          what_is_named_well_waits_for_nobody,
          a_consent_that_is_only_contained_refuses_permits_nothing_and_is_told])

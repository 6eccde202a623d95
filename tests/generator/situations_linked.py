"""Situations of patients with several identities: what the one refuses is heard under the other, what it permits is not (K12)."""
from situations_program import situation as _situation
from world import ACT, ICD, REASON

SITUATIONS = {}


def situation(**kw):
    def add(make):
        from situations_program import SITUATIONS as others
        make = _situation(**kw)(make)
        SITUATIONS[make.__name__] = others.pop(make.__name__)
        return make
    return add


def consent(s, patient, **provision):
    return {"resourceType": "Consent", "id": f"{s.prefix}other{len(s.w.consents)}", "status": "active",
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "patient": {"reference": s.draw.choice(("", "https://ehr.example.org/fhir/") if patient.base else ("",)) + f"Patient/{patient.id}"},
            "dateTime": "2026-10-01", "provision": provision}      # behind every permit of the patient's own, which would beat it (K12)


def identities(s, linked=True):
    """A Patient, and who else it is: linked from this side, from that, through a third, by a Person; the other in the Bundle or not."""
    other, third = s.new("Patient", "old"), s.new("Patient", "mid")
    link = lambda e: [{"other": s.ref(e), "type": s.draw.choice(("replaces", "replaced-by", "refer", "seealso"))}]
    way = s.draw.choice(("this", "that", "third", "person")) if linked else "none"
    s.make_patient(**({"link": link(other)} if way == "this" else {"link": link(third)} if way == "third" else {}))
    me = s.patient
    if way in ("that", "third") or s.uuids or s.draw.random() < 0.5:      # a urn:uuid is of its own Bundle
        s.entry(other, {"name": [{"family": s.keep()}], **({"link": link(me if way == "that" else third)} if way in ("that", "third") else {})})
    if way == "person":
        s.entry(s.new("Person"), {"link": [{"target": s.ref(e)} for e in s.draw.sample((me, other), 2)]})
    return other


def hiv(s, hidden):
    words = s.secret if hidden else s.keep
    s.entry(s.new("Condition"), {"code": s.concept((ICD, "B20", "Human immunodeficiency virus [HIV] disease"), f"HIV {words()}"), **s.subject(),
                                 "note": [{"text": words()}]}, hidden=hidden)


def refuses(s, patient, code):
    s.w.consents.append(consent(s, patient, type="deny", securityLabel=[{"system": ACT, "code": code}]))


@situation(whole=False)
def refusal_of_a_linked_identity(s):
    """HIV data of one identity, refused under the other."""
    refuses(s, identities(s), "HIV")
    hiv(s, True)
    s.some()


@situation(whole=False)
def refusal_of_a_stranger(s):
    """The same without a link: it is somebody else's."""
    refuses(s, identities(s, linked=False), "HIV")
    hiv(s, False)
    s.some()


@situation(whole=False)
def permit_of_a_linked_identity(s):
    """A consent under one identity opens nothing of the program's under the other."""
    other = identities(s)
    s.make_program()
    s.w.consents.append({**consent(s, other, type="permit", actor=[{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": f"Organization/{s.w.recipient}"}}],
                                   purpose=[{"system": REASON, "code": p} for p in ("TREAT", "HPAYMT", "HOPERAT")]),
                         "organization": [{"reference": f"Organization/{s.program.entity.id}"}]})
    s.sud_condition(recorder=s.ref(s.program.entity))     # an Organization that nothing refers to may be the other's
    s.some()


@situation(grants=True, whole=False)
def own_consent_and_a_refusal_of_another_matter(s):
    """The program's records under a refusal of another matter by the linked identity: what is permitted leaves."""
    refuses(s, identities(s), "PSY")
    s.make_program()
    s.sud_condition(recorder=s.by_program())
    s.some()

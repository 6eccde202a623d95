"""Situations of which nothing may go: false-positive controls, byte for byte."""
from model import Packed
from situations_program import situation as _situation
from world import ACT, HCPCS, ICD, LOINC, NPI, RXNORM, SCT, SUD_CONDITIONS, SUD_DRUGS, div

SITUATIONS = {}


def situation(senders=("not-program", "unknown"), **kw):
    def add(make):
        from situations_program import SITUATIONS as others
        make = _situation(senders=senders, **kw)(make)
        SITUATIONS[make.__name__] = others.pop(make.__name__)
        return make
    return add


@situation()
def disinfectant(s):
    """Alcohol that cleans."""
    s.make_patient()
    for text in s.draw.sample(("cleaned with alcohol swab", "isopropyl alcohol 70 %", "alcohol hand rub used", "wiped with alcohol pad", "alcohol-free diet", "alcohol-free mouthwash"), 3):
        s.vital(note=[{"text": f"{text} {s.keep()}"}])


@situation()
def family_history(s):
    """Somebody else's."""
    s.make_patient()
    s.entry(s.new("FamilyMemberHistory"), {"status": "completed", "patient": s.ref(s.patient), "relationship": {"text": s.draw.choice(("father", "maternal uncle"))},
                                           "condition": [{"code": {"text": f"{s.draw.choice(('Alcoholism', 'Heart attack', 'Opioid addiction'))} {s.keep()}"}}]})
    s.condition(note=[{"text": f"{s.draw.choice(('family history of alcoholism', 'father was an alcoholic', 'mother had a heroin addiction'))} {s.keep()}"}])


@situation()
def denials(s):
    """What the patient does not do."""
    s.make_patient()
    for text in s.draw.sample(("denies heroin use", "no history of cocaine use", "denies alcohol or drug abuse", "no illicit drug use", "never used intravenous drugs", "negative for cocaine"), 3):
        s.vital(note=[{"text": f"{text} {s.keep()}"}])


@situation()
def pain_opioids(s):
    """Opioids and buprenorphine for pain, naloxone beside them."""
    s.make_patient()
    s.drug(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": s.draw.choice(("904870", "904876", "904880")), "display": "buprenorphine transdermal system"}], "text": f"weekly patch {s.keep()}"},
           reasonCode=[{"text": "chronic pain"}])
    s.drug(medicationCodeableConcept={"text": f"oxycodone 5 mg {s.keep()}"}, reasonCode=[{"text": "postoperative pain"}])
    s.drug(medicationCodeableConcept={"text": f"naloxone nasal spray {s.keep()}"})


@situation()
def weight_loss(s):
    """Naltrexone with bupropion, for weight."""
    s.make_patient()
    s.drug(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "1551468", "display": "bupropion and naltrexone"}], "text": f"Contrave for weight loss {s.keep()}"})


@situation()
def allergies(s):
    """Allergy to disulfiram, to methadone, to alcohol prep."""
    s.make_patient()
    s.entry(s.new("AllergyIntolerance"), {"patient": s.ref(s.patient), "code": {"text": f"{s.draw.choice(('Disulfiram', 'Isopropyl alcohol', 'Penicillin'))} {s.keep()}"}})


@situation()
def patient_named_heron(s):
    """People, streets and towns that sound like it."""
    s.make_patient(name=[{"family": s.draw.choice(("Heron", "Methven", "Cokayne", "Beers", "Oudin", "Hero")), "given": [s.keep()]}],
                   address=[{"line": [f"{s.draw.randint(1, 99)} {s.draw.choice(('Heron Way', 'Alder Lane', 'Recovery Road', 'Oak Street'))}"], "city": s.draw.choice(("Addiscombe", "Methil"))}])
    s.some()


@situation()
def mental_health_only(s):
    """Mental health is not Part 2: depression, PHQ-9, sertraline."""
    s.make_patient()
    s.entry(s.new("Condition"), {"code": s.concept((ICD, "F32.1", "Major depressive disorder, single episode, moderate"), s.keep()), **s.subject(), "note": [{"text": s.harmless()}]})
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "44261-6", "Patient Health Questionnaire 9 item total score")), **s.subject(), "valueInteger": s.draw.randint(0, 27)})
    s.drug(medicationCodeableConcept=s.concept((RXNORM, "36437", "sertraline"), s.keep()))


@situation()
def hiv_under_other_law(s):
    """HIV has laws of its own."""
    s.make_patient()
    s.entry(s.new("Condition"), {"code": s.concept((ICD, "B20", "Human immunodeficiency virus [HIV] disease"), s.keep()), **s.subject()})


@situation()
def tobacco(s):
    """Nicotine is outside of the definition of 42 CFR 2.11."""
    s.make_patient()
    s.entry(s.new("Condition"), {"code": s.concept((ICD, "F17.210", "Nicotine dependence, cigarettes, uncomplicated"), s.keep()), **s.subject()})
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "72166-2", "Tobacco smoking status")), **s.subject(), "valueCodeableConcept": {"text": f"former smoker {s.keep()}"}})


@situation(senders=("not-program",))
def buprenorphine_office(s):
    """Office-based treatment by who holds himself out as nothing: not Part 2 (SG-03)."""
    s.make_patient()
    s.condition(code=s.concept(s.draw.choice(SUD_CONDITIONS), s.keep()), note=[{"text": f"takes Suboxone daily {s.keep()}"}])
    s.drug(medicationCodeableConcept=s.concept(s.draw.choice(SUD_DRUGS), s.keep()))


@situation(senders=("not-program",))
def emergency_overdose(s):
    """An overdose in an emergency department; screening there (2.12(e)(4)(ii), SG-31, SG-43)."""
    s.make_patient()
    s.condition(code=s.concept((ICD, "T40.2X1A", "Poisoning by other opioids, accidental (unintentional), initial encounter"), s.keep()))
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "19295-5", "Opiates in urine")), **s.subject(), "valueString": s.keep()})
    s.entry(s.new("QuestionnaireResponse"), {"status": "completed", **s.subject(), "item": [{"linkId": "1", "text": "How often do you have a drink?", "answer": [{"valueString": s.keep()}]}]})


@situation(senders=("not-program",))
def own_claims(s):
    """A hospital's claim with a code of substance use, from nobody's program."""
    s.make_patient()
    s.entry(s.new("Claim"), {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(), "provider": {"display": "Valley clinic"},
                             "priority": {"coding": [{"code": "normal"}]}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "plan"}}],
                             "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": s.concept((ICD, "F10.10", "Alcohol abuse, uncomplicated"))}],
                             "item": [{"sequence": 1, "productOrService": {"coding": [{"system": HCPCS, "code": "G0396"}], "text": s.keep()}, "net": {"value": s.w.number(), "currency": "USD"}}]})


@situation()
def exact_bytes(s):
    """Numbers, escapes, Unicode and unknown members as they were sent (B2)."""
    s.make_patient(name=[{"family": "Ørsted-Ďábel 漢字", "given": [s.keep(), "𝒳"]}])
    s.vital(valueQuantity={"value": s.w.number(), "unit": "µg\u2028"}, referenceRange=[{"low": {"value": s.w.number()}, "text": f"a/b \"c\" \\ {s.keep()}"}])
    s.vital(status="final", note=[{"text": f"line one\nline two\t{s.keep()}"}])


@situation()
def linked_records(s):
    """A web of references among permitted records, none of which is touched."""
    s.make_patient()
    visit, doctor = s.visit(), s.entry(s.new("Practitioner"), {"name": [{"family": s.keep()}]})
    problem = s.condition(encounter=s.ref(visit))
    result = s.vital(encounter=s.ref(visit), performer=[s.ref(doctor)])
    s.entry(s.new("DiagnosticReport"), {"status": "final", "code": {"text": f"labs {s.keep()}"}, **s.subject(), "result": [s.ref(result)], "text": div(f"<p>{s.keep()}</p>")})
    s.drug(reasonReference=[s.ref(problem)], requester=s.ref(doctor))
    s.entry(s.new("Provenance"), {"target": [s.ref(problem), s.ref(result)], "recorded": s.moment(), "agent": [{"who": s.ref(doctor)}]})
    s.entry(s.new("List"), {"status": "current", "mode": "working", **s.subject(), "entry": [{"item": s.ref(problem)}]})

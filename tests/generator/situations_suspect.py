"""Situations from a sender of unknown status: content that tells of substance use is suspect and treated as protected (P3)."""
from model import Hidden, Packed, Text
from situations_program import situation as _situation
from world import (ACT, HCPCS, ICD, LOINC, RXNORM, SCT, SUD_CONDITIONS, SUD_DRUGS, SUD_WORDS, XHTML, div)

SITUATIONS = {}
U = ("unknown",)


def situation(**kw):
    def add(make):
        from situations_program import SITUATIONS as others
        make = _situation(senders=U, **kw)(make)
        SITUATIONS[make.__name__] = others.pop(make.__name__)
        return make
    return add


def words(s):
    return f"{s.draw.choice(SUD_WORDS)} {s.secret()}"


def condition(s, coding, **more):
    return s.entry(s.new("Condition"), {"code": {"coding": [coding], "text": s.secret()}, **s.subject(), **more}, hidden=True)


@situation(grants=True)
def coded_diagnoses(s):
    """A diagnosis in every spelling of its system: URL, OID, URN, with and without the dot, in any case."""
    s.make_patient()
    s.some()
    system, code, display = s.draw.choice(SUD_CONDITIONS)
    if system == ICD:
        system = s.draw.choice((ICD, "http://hl7.org/fhir/sid/icd-10-cm/", "urn:oid:2.16.840.1.113883.6.90", "2.16.840.1.113883.6.90", "HTTP://hl7.org/fhir/sid/icd-10-cm"))
        code = s.draw.choice((code, code.replace(".", ""), code.lower(), f" {code}"))
    else:
        system = s.draw.choice((SCT, "urn:oid:2.16.840.1.113883.6.96", "2.16.840.1.113883.6.96"))
    condition(s, {"system": system, "code": code, "display": s.draw.choice((display, "See chart", ""))  or "x"})


@situation(grants=True)
def medication_lists(s):
    """Medications for opioid and alcohol use disorder in requests, statements and dispenses, also by reference and contained."""
    s.make_patient()
    s.drug()
    row = s.draw.choice(SUD_DRUGS)
    s.entry(s.new("MedicationStatement"), {"status": "active", "medicationCodeableConcept": s.concept(row), **s.subject(), "note": [{"text": s.secret()}]}, hidden=True)
    drug = s.entry(s.new("Medication"), {"code": s.concept(row, s.secret())}, hidden=True)
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationReference": s.ref(drug), **s.subject(), "dosageInstruction": [{"text": s.secret()}]}, hidden=True)
    s.entry(s.new("MedicationDispense"), {"contained": [{"resourceType": "Medication", "id": "m", "code": s.concept(row)}], "status": "completed",
                                          "medicationReference": {"reference": "#m"}, **s.subject(), "note": [{"text": s.secret()}]}, hidden=True)


@situation(grants=True)
def drug_of_two_patients(s):
    """One Medication, with what it is made of, one Questionnaire and two patients who take it and answer it; of one nothing may be known, whatever the other lets go."""
    s.make_patient()
    s.vital()
    row = s.draw.choice(SUD_DRUGS)
    other = s.entry(s.new("Patient", "other"), {"name": [{"family": s.keep()}]})
    of = {"code": s.concept(row, s.secret())}
    if s.draw.random() < 0.5:
        substance = s.entry(s.new("Substance"), of, hidden=True)
        of = {"code": {"text": s.secret()}, "ingredient": [{"itemReference": s.ref(substance)}]}
    drug = s.entry(s.new("Medication"), of, hidden=True)
    asked = f"http://valley.example.org/Questionnaire/two{s.prefix}{s.draw.randint(0, 999999)}"
    s.entry(s.new("Questionnaire"), {"status": "active", "url": asked, "item": [
        {"linkId": "7", "type": "boolean", "code": [{"system": ICD, "code": s.draw.choice(("F11.20", "F10.20"))}], "text": s.secret()}]}, hidden=True)
    for who, own in ((s.patient, True), (other, False)):
        for made in s.draw.sample((
                (s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationReference": s.ref(drug)}),
                (s.new("QuestionnaireResponse"), {"status": "completed", "questionnaire": asked, "item": [{"linkId": "7", "answer": [{"valueBoolean": True}]}]})), 2):
            entity, fields = made
            note = {"extension": [{"url": "http://hospital.example.org/ext/note", "valueString": s.secret() if own else s.w.token("secret")}]}
            if own:
                s.entry(entity, {**fields, "subject": s.ref(who), **note}, hidden=True)
            else:
                s.entries.append((entity, {"resourceType": entity.type, "id": entity.id, **fields, "subject": s.ref(who), **note}, True))


@situation(grants=True)
def words_without_code(s):
    """Concepts that are text or display alone."""
    s.make_patient()
    s.some()
    for text in s.draw.sample(("Opioid use disorder, severe", "Alcohol use disorder", "Heroin addiction", "Substance abuse", "Cocaine use disorder"), 2):
        code = s.draw.choice(({"text": f"{text} {s.secret()}"}, {"coding": [{"display": f"{text} {s.secret()}"}]},
                              {"coding": [{"system": "http://valley.example.org/codes", "code": "D-17", "display": f"{text} {s.secret()}"}]}))
        s.entry(s.new("Condition"), {"code": code, **s.subject()}, hidden=True)


@situation(grants=True)
def neutral_display(s):
    """A display that says nothing beside a code that says it."""
    s.make_patient()
    s.some()
    system, code, _ = s.draw.choice(SUD_CONDITIONS)
    condition(s, {"system": system, "code": code, "display": "Chronic condition"})


@situation(grants=True)
def code_in_the_wrong_system(s):
    """An ICD-10-CM code under the system of ICD-10, of SNOMED CT, or under none."""
    s.make_patient()
    s.some()
    coding = {"code": "F11.20", "display": "Follow up"}
    system = s.draw.choice(("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-9-cm", SCT, None))
    if system:
        coding["system"] = system
    condition(s, coding)


@situation(grants=True)
def notes_in_others(s):
    """A note that tells of it in records about something else: the note goes, the record stays (C5)."""
    s.make_patient()
    notes = [s.hide({"text": words(s)}), {"text": s.harmless()}, {"time": "2026-05-05", "text": s.keep()}]
    s.draw.shuffle(notes)
    s.draw.choice((s.vital, s.condition, s.drug))(note=notes)
    s.drug(note=s.hide([{"text": words(s)}]))
    s.visit(type=[{"text": f"walk-in {s.keep()}"}])


@situation(grants=True)
def narrative_alone(s):
    """Only the narrative tells: rows and paragraphs, through entities, comments, attributes, CDATA and tags."""
    s.make_patient()
    hidden = s.draw.choice(("on <b>Subo</b>xone", "on metha&#100;one maintenance", "takes Suboxone", "hero&#x69;n addiction", "alcohol&#160;use disorder", "<span>opioid</span> <i>dependence</i>"))
    row = s.draw.choice((f"<p>{hidden} {s.secret()}</p>", f"<p>{hidden} {s.secret()}</p>", f"<p title=\"takes Suboxone\">see back {s.secret()}</p>",
                         f"<!-- on Suboxone {s.secret()} -->"))
    s.condition(text=div(f"<p>{s.keep()}</p>", s.hide(row), f"<p>{s.keep()}</p>"))


@situation(grants=True)
def answers_by_link(s):
    """QuestionnaireResponse whose items are known by text or code."""
    s.make_patient()
    s.entry(s.new("QuestionnaireResponse"), {"status": "completed", "questionnaire": "http://valley.example.org/Questionnaire/intake", **s.subject(), "item": [
        {"linkId": "1", "text": "How did you sleep?", "answer": [{"valueString": s.keep()}]}]})
    s.entry(s.new("QuestionnaireResponse"), {"status": "completed", "questionnaire": "http://valley.example.org/Questionnaire/use", **s.subject(), "item": [
        {"linkId": "1", "text": "Diagnosis", "answer": [{"valueCoding": {"system": ICD, "code": "F11.20", "display": s.secret()}}]}]}, hidden=True)


@situation(grants=True)
def answers_to_a_form(s):
    """QuestionnaireResponse whose items have but a linkId: what they are about its Questionnaire says, in the Bundle, contained or on file."""
    s.make_patient()
    telling = s.draw.choice(({"text": "Do you inject heroin?"}, {"code": [{"system": ICD, "code": "F11.20"}]}, {"text": "Cocaine use in the last year"},
                             {"code": [{"system": "http://valley.example.org/q", "code": "q7", "display": "Opioid use disorder"}]}))
    for name, about, answers, hidden in (("use", telling, ({"valueBoolean": True}, {"valueString": "daily"}, {"valueInteger": 3}), True),
                                         ("use", telling, ({"valueBoolean": False}, {"valueString": "Never"}, {"valueInteger": 0}), False),
                                         ("sleep", {"text": "Do you sleep well?"}, ({"valueBoolean": True}, {"valueInteger": 7}), False)):
        # A Questionnaire that codes a telling question is labelled itself, wherever it is.
        where = "file" if not hidden and "code" in about else s.draw.choice(("bundle", "contained", "file"))
        named = f"http://valley.example.org/Questionnaire/{name}{s.prefix}{s.draw.randint(0, 999999)}"
        form = {"resourceType": "Questionnaire", "status": "active", "url": named, "item": [
            {"linkId": "a", "type": "group", "text": "Visit", "item": [{"linkId": "7", "type": "string", **about}]}, {"linkId": "8", "type": "string", "text": "Else?"}]}
        more = {"contained": [{"id": "f", **form}]} if where == "contained" else {}
        if where == "file":
            s.w.questionnaires.append(form)
        elif where == "bundle":
            s.entry(s.new("Questionnaire"), {k: v for k, v in form.items() if k != "resourceType"}, hidden=hidden)
        word = s.secret() if hidden else s.keep()
        s.entry(s.new("QuestionnaireResponse"), {"status": "completed", "questionnaire": "#f" if more else named, **s.subject(), **more, "item": [
            {"linkId": "a", "item": [{"linkId": "7", "answer": [s.draw.choice(answers)]}]}, {"linkId": "8", "answer": [{"valueString": word}]}]}, hidden=hidden)


@situation(grants=True)
def panel_components(s):
    """A panel whose component tells."""
    s.make_patient()
    s.vital()
    s.entry(s.new("Observation"), {"status": "final", "code": {"text": "Review of systems"}, **s.subject(), "component": [
        {"code": {"text": f"sleep {s.secret()}"}, "valueString": "good"}, {"code": {"coding": [{"system": SCT, "code": "75544000"}]}, "valueBoolean": True}]}, hidden=True)


@situation(grants=True)
def visit_reasons(s):
    """Encounter.reasonCode, ServiceRequest.reasonCode, Procedure codes."""
    s.make_patient()
    s.visit(reasonCode=[{"text": f"knee pain {s.keep()}"}])
    row = s.draw.choice(SUD_CONDITIONS)
    s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "reasonCode": [s.concept(row, s.secret())]}, hidden=True)
    s.entry(s.new("Procedure"), {"status": "completed", "code": {"coding": [{"system": SCT, "code": s.draw.choice(("56876005", "61480009", "60112009"))}], "text": s.secret()}, **s.subject()}, hidden=True)
    s.entry(s.new("ServiceRequest"), {"status": "active", "intent": "order", "code": {"text": f"referral {s.secret()}"}, **s.subject(), "reasonCode": [s.concept(row)]}, hidden=True)


@situation(grants=True)
def billing_codes(s):
    """HCPCS of opioid treatment programs and detoxification; the visit's own claim stays."""
    s.make_patient()
    base = {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(),
            "provider": {"display": "Valley clinic"}, "priority": {"coding": [{"code": "normal"}]}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "plan"}}]}
    code = s.draw.choice(("H0020", "G2067", "H0005", "G2086", "H0015"))
    s.entry(s.new("Claim"), {**base, "item": [{"sequence": 1, "productOrService": {"coding": [{"system": HCPCS, "code": code}], "text": s.secret()}}]}, hidden=True)
    s.entry(s.new("Claim"), {**base, "item": [{"sequence": 1, "productOrService": {"text": f"office visit {s.keep()}"}}]})


def readable(s):
    return s.draw.choice((("plain", "text/plain", "{}"), ("gzip", "text/plain", "{}"), ("zlib", "text/plain", "{}"), ("utf16", "text/plain", "{}"), ("twice", "text/plain", "{}"),
                          ("plain", "text/html", "<html><body><p>{}</p></body></html>"), ("plain", "application/rtf", "{{\\rtf1\\ansi {}\\par}}"),
                          ("plain", "application/xml", '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><text>{}</text></ClinicalDocument>'),
                          ("plain", "application/json", '{{"note":"{}"}}')))


@situation(grants=True)
def attachments(s):
    """What an attachment says is judged, in whatever form it can be read (C7)."""
    s.make_patient()
    for hidden in (True, False):
        how, media, form = readable(s)
        text = form.format(words(s) if hidden else s.harmless().encode("ascii", "ignore").decode())
        s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": media, "data": Packed(how, text), "title": s.secret() if hidden else s.keep()}}]}, hidden=hidden)


@situation(grants=True)
def titles_and_names(s):
    """Title, file name and URL of an attachment that tell."""
    s.make_patient()
    for attachment in ({"title": f"Suboxone agreement {s.secret()}"}, {"url": f"https://files.example.org/{s.secret()}/MethadoneClinicConsent.pdf"},
                       {"title": f"{s.secret()}_opioid_use_disorder.pdf"}):
        s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": "text/plain", "data": Packed("plain", "signed"), **attachment}}]}, hidden=True)
    s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": "text/plain", "data": Packed("plain", s.harmless()), "title": "KneeFilm.txt"}}]})


@situation(grants=True)
def extension_values(s):
    """Extensions and primitive extensions that tell (C6)."""
    s.make_patient()
    more = [{"url": "http://hospital.example.org/ext/bed", "valueString": s.keep()}, s.hide({"url": "http://hospital.example.org/ext/note", "valueString": words(s)})]
    s.draw.shuffle(more)
    s.vital(extension=more, _status=s.hide({"extension": [{"url": "http://hospital.example.org/ext/note", "valueString": words(s)}]}))


@situation(grants=True)
def modifier_extension(s):
    """A modifierExtension that tells takes its resource along (C6)."""
    s.make_patient()
    s.some()
    s.entry(s.new("Procedure"), {"modifierExtension": [{"url": "http://hospital.example.org/ext/instead", "valueString": words(s)}], "status": "completed",
                                 "code": {"text": f"visit {s.secret()}"}, **s.subject()}, hidden=True)


@situation()
def patient_says(s):
    """A Patient is never withheld for its narrative or an element alone (C5)."""
    s.make_patient(text=div(f"<p>{s.keep()}</p>", Hidden(f"<p>{s.draw.choice(('on Suboxone', 'heroin addiction'))} {s.secret()}</p>")),
                   extension=[Hidden({"url": "http://hospital.example.org/ext/note", "valueString": words(s)})],
                   contact=[{"name": {"family": s.keep()}}])
    s.some()


@situation(grants=True)
def dosage_words(s):
    """A dosage says what a drug is for, a description what a plan is: they take the resource along; the words of one activity do not."""
    s.make_patient()
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": f"tablet {s.secret()}"}, **s.subject(),
                                         "dosageInstruction": [{"text": words(s)}]}, hidden=True)
    s.entry(s.new("CarePlan"), {"status": "active", "intent": "plan", **s.subject(), "title": f"Plan {s.secret()}", "description": words(s)}, hidden=True)
    s.entry(s.new("CarePlan"), {"status": "active", "intent": "plan", **s.subject(), "title": f"Knee {s.keep()}",
                                "activity": [{"detail": {"status": "scheduled", "description": s.keep()}}, s.hide({"detail": {"status": "scheduled", "description": words(s)}})]})


@situation(grants=True)
def lists_of_what_is_suspect(s):
    """References from List, Encounter, CareTeam and Goal to suspect records, with displays that repeat them."""
    s.make_patient()
    oud = s.sud_condition()
    own = s.condition()
    s.entry(s.new("List"), {"status": "current", "mode": "working", **s.subject(), "entry": [{"item": s.ref(own)}, s.hide({"item": s.ref(oud, oud.words), "flag": {"text": s.secret()}})]})
    s.visit(diagnosis=[s.hide({"condition": s.ref(oud)}), {"condition": s.ref(own)}])
    s.entry(s.new("Goal"), {"lifecycleStatus": "active", "description": {"text": f"walk daily {s.keep()}"}, **s.subject(), "addresses": [s.ref(own), s.hide(s.ref(oud))]})


@situation(grants=True)
def tasks_and_calls(s):
    """A Communication is what it says; a comment on an Appointment is not."""
    s.make_patient()
    s.entry(s.new("Communication"), {"status": "completed", **s.subject(), "payload": [{"contentString": s.keep()}]})
    s.entry(s.new("Communication"), {"status": "completed", **s.subject(), "payload": [{"contentString": s.secret()}, {"contentString": words(s)}]}, hidden=True)
    s.entry(s.new("Appointment"), {"status": "booked", "description": f"knee {s.keep()}", "comment": s.hide(words(s)), "participant": [{"actor": s.ref(s.patient), "status": "accepted"}]})


@situation(grants=True)
def meta_tags(s):
    """Tags that tell (C9)."""
    s.make_patient()
    tags = [{"system": "http://hospital.example.org/tags", "code": s.keep()}, s.hide({"system": "http://hospital.example.org/tags", "code": s.secret(), "display": "methadone clinic list"})]
    s.draw.shuffle(tags)
    s.vital(meta={"tag": tags})

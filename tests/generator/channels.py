#!/usr/bin/python3
"""Every channel through which a withheld record may still be seen: one planted token and one clean twin a row.

    channels.py TOOL [--seeds N] [--only ID] [--keep DIR]    each row, as generate.py judges a case
    channels.py --check FILE                                 FILE names each row, and no row that is none

A row is a situation of its own, with secret tokens where the channel is and permitted ones beside it.  Rows are named after the list of
leak channels of 42 CFR Part 2 engines: an id, the words, and what shows it.
"""
import argparse
import pathlib
import re
import sys

import generate
from model import Either, Hidden, Packed, Raw, Text
from situations_program import situation
from situations_suspect import words
from world import ACT, HCPCS, ICD, LOINC, NPI, RXNORM, SCT, XHTML, div

ROWS = {}
EXT = "http://hospital.example.org/ext/"


def row(id, said, senders=("not-program", "unknown"), **kw):
    def add(make):
        make.__name__, make.__doc__ = id, said
        kw.setdefault("whole", False)
        from situations_program import SITUATIONS as others
        situation(senders=senders, **kw)(make)
        ROWS[id] = others.pop(id)
        return make
    return add


def suspect(id, said, **kw):
    return row(id, said, senders=("unknown",), **kw)


def told(s):
    """A patient, a program, and its withheld diagnosis."""
    s.make_patient()
    s.make_program()
    return s.sud_condition(recorder=s.by_program())


def of_program(s, kind, **fields):
    return s.entry(s.new(kind), {**fields, **({} if "patient" in fields or "subject" in fields else s.subject())}, hidden=True)


def narrative(id, said, form, **kw):
    @suspect(id, said, **kw)
    def make(s):
        s.make_patient()
        s.condition(text=div(f"<p>{s.keep()}</p>", Hidden(form.format(s.secret())), f"<p>{s.keep()}</p>"))


narrative("narrative-visible", "text.div, visible", "<p>takes Suboxone {}</p>")
narrative("narrative-hidden", "text.div, hidden by style", '<p style="display:none">takes Suboxone {}</p>')
narrative("narrative-attribute", "text.div, an attribute", '<p title="takes Suboxone {}">back</p>')
narrative("narrative-comment", "text.div, a comment", "<!-- takes Suboxone {} -->")
narrative("narrative-entity", "text.div, entities", "<p>takes Sub&#111;x&#x6f;ne {}</p>")
narrative("narrative-tags", "text.div, a word in two tags", "<p>takes Sub<b>oxone</b> {}</p>")


@suspect("narrative-cdata", "text.div, CDATA: no narrative has it, so that all of it goes")
def _(s):
    s.make_patient()
    s.condition(text=Hidden({"status": "generated", "div": f"<div {XHTML}><p>back</p><p><![CDATA[takes Suboxone {s.secret()}]]></p></div>"}))


def pdf(text):
    """The smallest PDF with a text layer (ISO 32000-1, 7.5)."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
               f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = "%PDF-1.4\n", []
    for i, body in enumerate(objects):
        places.append(len(out))
        out += f"{i + 1} 0 obj\n{body}\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n" + "".join(f"{p:010} 00000 n \n" for p in places)
    return out + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"


CDA = '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section><text><paragraph>{}</paragraph></text></section></component></structuredBody></component></ClinicalDocument>'


def attachment(id, said, how, media, form):
    @suspect(id, said)
    def make(s):
        s.make_patient()
        for hidden in (True, False):
            text = form(f"takes Suboxone daily {s.secret()}" if hidden else f"walks daily {s.keep()}")
            s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": media, "data": Packed(how, text)}}]}, hidden=hidden)


attachment("attachment-text", "an attachment, text", "plain", "text/plain", lambda t: t)
attachment("attachment-utf16", "an attachment, UTF-16", "utf16", "text/plain;charset=utf-16", lambda t: t)
attachment("attachment-rtf", "an attachment, RTF", "plain", "application/rtf", lambda t: "{\\rtf1\\ansi " + t + "\\par}")
attachment("attachment-pdf", "an attachment, PDF with a text layer", "plain", "application/pdf", pdf)
attachment("attachment-html", "an attachment, HTML", "plain", "text/html", lambda t: f"<html><body><p>{t}</p></body></html>")
attachment("attachment-gzip", "an attachment, gzip", "gzip", "text/plain", lambda t: t)
attachment("attachment-ccda", "an attachment, C-CDA", "plain", "application/hl7-v3+xml", CDA.format)
attachment("attachment-nested", "an attachment in an attachment, base64 in base64", "twice", "text/plain", lambda t: t)
attachment("attachment-bundle", "an attachment, a Bundle", "plain", "application/fhir+json",
           lambda t: '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Basic","code":{"text":"' + t + '"}}]}')


@suspect("binary-bundle", "a Bundle nested in a Binary")
def _(s):
    s.make_patient()
    body = '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Condition","code":{"coding":[{"system":"%s","code":"F11.20"}],"text":"%s"}}}]}'
    s.entry(s.new("Binary"), {"contentType": "application/fhir+json", "data": Packed("plain", body % (ICD, s.secret()))}, hidden=True)
    s.entry(s.new("Binary"), {"contentType": "application/fhir+json", "data": Packed("plain", body.replace("F11.20", "I10") % (ICD, s.keep()))})


def file_name(id, said, **attachment_of):
    @suspect(id, said)
    def make(s):
        s.make_patient()
        token = s.secret()
        said_by = {k: v.format(token) for k, v in attachment_of.items()}
        s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": "text/plain", "data": Packed("plain", "signed"), **said_by}}]}, hidden=True)
        s.vital()


file_name("attachment-title", "Attachment.title", title="Suboxone agreement {}")
file_name("attachment-url", "Attachment.url", url="https://files.example.org/{}/MethadoneClinicConsent.pdf")


@row("attachment-copies", "the same document in DocumentReference, Binary and DiagnosticReport: data, hash, size, url")
def _(s):
    s.make_patient()
    s.make_program()
    letter = Packed("plain", f"Dear colleague {s.secret()}, we saw your patient.")
    binary = of_program(s, "Binary", contentType="text/plain", data=letter, subject=Hidden({}))
    s.entries[-1][1].pop("subject", None)
    of_program(s, "DocumentReference", status="current", custodian=s.by_program(), content=[{"attachment": {"contentType": "text/plain", "data": letter, "hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "size": 57}},
                                                                                           {"attachment": {"url": f"Binary/{binary.id}"}}])
    of_program(s, "DiagnosticReport", status="final", code={"text": f"letter {s.secret()}"}, presentedForm=[{"contentType": "text/plain", "data": letter}])
    of_program(s, "Media", status="completed", content={"contentType": "text/plain", "hash": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "url": "https://files.example.org/1"}, note=[{"text": s.secret()}])
    s.vital()


@row("reference-display", "Reference.display")
def _(s):
    oud = told(s)
    s.visit(diagnosis=s.hide([{"condition": s.ref(oud, f"{oud.words} {s.secret()}")}]))


@row("reference-display-alone", "Reference.display without a reference")
def _(s):
    oud = told(s)
    s.visit(diagnosis=s.hide([{"condition": {"display": f"{oud.words} {s.secret()}"}}]))


@row("reference-identifier", "Reference.identifier, a logical reference")
def _(s):
    s.make_patient()
    s.make_program()
    number = s.secret()
    s.sud_condition(identifier=[{"system": "http://hospital.example.org/cases", "value": number}], recorder=s.by_program())
    s.drug(reasonReference=s.hide([{"identifier": {"system": "http://hospital.example.org/cases", "value": number}}]))


INBOUND = (("CarePlan", "addresses", 1), ("Goal", "addresses", 1), ("Procedure", "reasonReference", 1), ("MedicationRequest", "reasonReference", 1),
           ("MedicationStatement", "reasonReference", 1), ("ServiceRequest", "reasonReference", 1), ("ServiceRequest", "supportingInfo", 1),
           ("DeviceRequest", "reasonReference", 1), ("Immunization", "reasonReference", 1), ("Appointment", "reasonReference", 1),
           ("Encounter", "reasonReference", 1), ("CommunicationRequest", "reasonReference", 1), ("RiskAssessment", "basis", 1),
           ("ClinicalImpression", "problem", 1), ("CareTeam", "reasonReference", 1), ("NutritionOrder", "extension", 0), ("Device", "extension", 0),
           ("Observation", "extension", 0), ("AllergyIntolerance", "extension", 0), ("FamilyMemberHistory", "extension", 0))


@row("inbound-references", "references from records that stay, of every type, and what they leave dangling")
def _(s):
    oud = told(s)
    own = s.condition()
    fields = {"CarePlan": {"status": "active", "intent": "plan"}, "Goal": {"lifecycleStatus": "active", "description": {"text": "walk"}}, "Immunization": {"status": "completed", "vaccineCode": {"text": "influenza"}, "occurrenceDateTime": "2026-01-01"},
              "Appointment": {"status": "booked"}, "Encounter": {"status": "finished", "class": {"code": "AMB"}}, "RiskAssessment": {"status": "final"}, "ClinicalImpression": {"status": "completed"},
              "CareTeam": {"status": "active"}, "Device": {"status": "active"}, "Observation": {"status": "final", "code": {"text": "weight"}}, "AllergyIntolerance": {"code": {"text": "latex"}},
              "FamilyMemberHistory": {"status": "completed", "relationship": {"text": "aunt"}}, "NutritionOrder": {"status": "active", "intent": "order", "dateTime": "2026-01-01"}}
    for type, element, plain in s.draw.sample(INBOUND, 6):
        whose = "patient" if type in ("Immunization", "AllergyIntolerance", "FamilyMemberHistory", "NutritionOrder", "Device") else "subject"
        more = fields.get(type, {"status": "active", "intent": "order"})
        base = {**more, "identifier": [{"value": s.keep()}]}
        if type == "Appointment":
            base["participant"] = [{"actor": s.ref(s.patient), "status": "accepted"}]
        else:
            base[whose] = s.ref(s.patient)
        value = [s.hide(s.ref(oud)), s.ref(own)] if plain else [s.hide({"url": EXT + "about", "valueReference": s.ref(oud)})]
        s.entry(s.new(type), {**base, element: value})


@row("counts", "counts: Group.quantity, Bundle.total")
def _(s):
    s.make_patient()
    s.make_program()
    a = s.entry(s.new("Practitioner"), {"name": [{"family": s.keep()}]})
    b = s.entry(s.new("PractitionerRole"), {"organization": s.by_program(), "code": [{"text": s.secret()}]}, hidden=True)
    s.entry(s.new("Group"), {"type": "practitioner", "actual": True, "quantity": Either(Raw("2"), Raw("1")), "member": [{"entity": s.ref(a)}, s.hide({"entity": s.ref(b)})]})


@row("contained-used", "a contained resource that is used")
def _(s):
    s.make_patient()
    p = s.make_program()
    of_program(s, "Procedure", status="completed", contained=[{"resourceType": "Organization", "id": "o", "identifier": [{"system": NPI, "value": p.npi}]}], code={"text": s.secret()},
               performer=[{"actor": {"reference": "#o"}}])
    s.vital(contained=[{"resourceType": "Practitioner", "id": "d", "name": [{"family": s.keep()}]}], performer=[{"reference": "#d"}])


@suspect("contained-unused", "a contained resource that nothing uses")
def _(s):
    s.make_patient()
    s.entry(s.new("Observation"), {"contained": [{"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": ICD, "code": "F11.20"}], "text": s.secret()}, "subject": {"display": "her"}}],
                                   "status": "final", "code": {"text": "weight"}, **s.subject()}, hidden=True)
    s.vital()


@suspect("contained-cyclic", "contained resources that refer to each other")
def _(s):
    s.make_patient()
    s.entry(s.new("Observation"), {"contained": [{"resourceType": "Condition", "id": "a", "code": {"text": f"opioid use disorder {s.secret()}"}, "evidence": [{"detail": [{"reference": "#b"}]}]},
                                                 {"resourceType": "Observation", "id": "b", "status": "final", "code": {"text": s.secret()}, "derivedFrom": [{"reference": "#a"}]}],
                                   "status": "final", "code": {"text": "weight"}, **s.subject(), "derivedFrom": [{"reference": "#b"}]}, hidden=True)
    s.vital()


@suspect("extension", "extensions, simple and complex")
def _(s):
    s.make_patient()
    s.vital(extension=[{"url": EXT + "bed", "valueString": s.keep()}, Hidden({"url": EXT + "n", "valueString": words(s)}),
                       Hidden({"url": EXT + "c", "extension": [{"url": "a", "valueString": words(s)}, {"url": "b", "valueBoolean": True}]})])


@suspect("extension-coding", "a code in an extension")
def _(s):
    s.make_patient()
    s.entry(s.new("Observation"), {"extension": [{"url": EXT + "n", "valueCodeableConcept": {"coding": [{"system": ICD, "code": "F11.20"}], "text": s.secret()}}], "status": "final", "code": {"text": "weight"}, **s.subject()}, hidden=True)
    s.vital()


@suspect("modifier-extension", "modifierExtensions")
def _(s):
    s.make_patient()
    s.entry(s.new("Procedure"), {"modifierExtension": [{"url": EXT + "instead", "valueString": words(s)}], "status": "completed", "code": {"text": s.secret()}, **s.subject()}, hidden=True)
    s.vital()


@suspect("primitive-extension", "extensions of primitive values")
def _(s):
    s.make_patient()
    s.vital(_effectiveDateTime=Hidden({"extension": [{"url": EXT + "n", "valueString": words(s)}]}))


def concept(id, said, **code):
    @suspect(id, said)
    def make(s):
        s.make_patient()
        value = {k: v if k == "coding" else v.format(s.secret()) for k, v in code.items()}
        value.setdefault("text", s.secret())
        s.entry(s.new("Condition"), {"code": value, **s.subject()}, hidden=True)
        s.vital()


concept("display-only", "a concept with a display and no code", coding=[{"display": "Opioid use disorder, severe"}])
concept("text-only", "a concept with a text and no code", text="Opioid use disorder {}")
concept("neutral-display", "a neutral display beside a code that tells", coding=[{"system": ICD, "code": "F11.20", "display": "Follow up"}])
concept("local-system", "a local code whose display tells", coding=[{"system": "http://valley.example.org/codes", "code": "17", "display": "Heroin addiction"}])
concept("wrong-system", "a code under the wrong system", coding=[{"system": "http://hl7.org/fhir/sid/icd-9-cm", "code": "F11.20", "display": "Follow up"}])
concept("case-variants", "case and white space in codes and systems", coding=[{"system": "HTTP://HL7.org/fhir/sid/ICD-10-CM", "code": " f11.20 ", "display": "Follow up"}])
concept("oid-system", "a system as OID", coding=[{"system": "urn:oid:2.16.840.1.113883.6.90", "code": "F1120", "display": "Follow up"}])


@suspect("escapes", "JSON escapes in codes and words")
def _(s):
    s.make_patient()
    s.entry(s.new("Condition"), {"code": {"coding": [{"system": ICD, "code": "F11.20", "display": "Follow up"}], "text": s.secret()}, **s.subject()}, hidden=True)
    s.vital(note=[{"text": s.keep()}, Hidden({"text": words(s)})])


@suspect("percent-escapes", "percent escapes in a URL")
def _(s):
    s.make_patient()
    s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"url": f"https://files.example.org/Subox%6fne%20agreement-{s.secret()}.pdf"}}]}, hidden=True)
    s.vital()


@suspect("answers", "answers known by the words of their question")
def _(s):
    s.make_patient()
    s.entry(s.new("QuestionnaireResponse"), {"status": "completed", **s.subject(), "item": [{"linkId": "1", "text": "Do you use heroin?", "answer": [{"valueBoolean": True}]},
                                                                                          {"linkId": "2", "answer": [{"valueString": s.secret()}]}]}, hidden=True)
    s.entry(s.new("QuestionnaireResponse"), {"status": "completed", **s.subject(), "item": [{"linkId": "1", "text": "Do you sleep well?", "answer": [{"valueString": s.keep()}]}]})


def form(slug, question, **more):
    return {"resourceType": "Questionnaire", "status": "active", "url": f"http://hospital.example.org/Questionnaire/{slug}", **more,
            "item": [{"linkId": "1", "type": "group", "text": "Visit", "item": [{"linkId": "7", "type": "boolean", "text": question}]},
                     {"linkId": "8", "type": "string", "text": "Anything else?"}]}


def bare(s, named, word, answer=True, **more):
    """A response that says nothing itself."""
    return {"status": "completed", "questionnaire": named, **s.subject(), **more,
            "item": [{"linkId": "1", "item": [{"linkId": "7", "answer": [{"valueBoolean": answer}]}]}, {"linkId": "8", "answer": [{"valueString": word}]}]}


HEROIN, SLEEP = "Do you inject heroin?", "Do you sleep well?"


@suspect("answers-contained", "answers known by linkId only, whose Questionnaire is contained")
def _(s):
    s.make_patient()
    s.entry(s.new("QuestionnaireResponse"), bare(s, "#f", s.secret(), contained=[{"id": "f", **form("visit", HEROIN)}]), hidden=True)
    s.entry(s.new("QuestionnaireResponse"), bare(s, "#f", s.keep(), contained=[{"id": "f", **form("visit", SLEEP)}]))
    s.entry(s.new("QuestionnaireResponse"), bare(s, "#f", s.keep(), answer=False, contained=[{"id": "f", **form("visit", HEROIN)}]))


@suspect("answers-by-link", "answers known by linkId only, whose Questionnaire goes along; it goes when nothing that stays answers it")
def _(s):
    s.make_patient()
    s.entry(s.new("Questionnaire"), form("visit-a", HEROIN, name=s.secret()), hidden=True)
    s.entry(s.new("Questionnaire"), form("visit-b", SLEEP, name=s.keep(), version="2"))
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/visit-a|1", s.secret()), hidden=True)
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/visit-b|2", s.keep()))
    shared = s.entry(s.new("Questionnaire"), form("visit-c", HEROIN, name=s.keep()))
    s.entry(s.new("QuestionnaireResponse"), bare(s, s.ref(shared)["reference"], s.secret()), hidden=True)
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/visit-c", s.keep(), answer=False))


@suspect("answers-on-file", "answers known by linkId only, whose Questionnaire came before or is in a package")
def _(s):
    s.make_patient()
    s.w.questionnaires += [{"id": "on-file", **form("visit-a", HEROIN)}, form("visit-b", SLEEP)]
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/visit-a", s.secret()), hidden=True)
    s.entry(s.new("QuestionnaireResponse"), bare(s, "Questionnaire/on-file", s.secret()), hidden=True)
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/visit-b", s.keep()))
    s.entry(s.new("QuestionnaireResponse"), bare(s, "http://hospital.example.org/Questionnaire/nowhere", s.keep()))


@suspect("components", "Observation.component")
def _(s):
    s.make_patient()
    s.vital()
    s.entry(s.new("Observation"), {"status": "final", "code": {"text": f"review {s.secret()}"}, **s.subject(), "component": [{"code": {"text": "sleep"}, "valueString": "good"},
                                                                                                                     {"code": {"coding": [{"system": SCT, "code": "75544000"}]}, "valueBoolean": True}]}, hidden=True)


@suspect("notes", "note, comment, patientInstruction in records about something else")
def _(s):
    s.make_patient()
    s.vital(note=[{"text": s.keep()}, Hidden({"text": words(s)})])
    s.entry(s.new("ServiceRequest"), {"status": "active", "intent": "order", "code": {"text": f"film {s.keep()}"}, **s.subject(), "patientInstruction": Hidden(words(s))})
    s.entry(s.new("Appointment"), {"status": "booked", "comment": Hidden(words(s)), "participant": [{"actor": s.ref(s.patient), "status": "accepted"}]})


@suspect("reasons", "reasonCode")
def _(s):
    s.make_patient()
    for type, more in (("Encounter", {"status": "finished", "class": {"code": "AMB"}}), ("MedicationRequest", {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": "tablet"}})):
        s.entry(s.new(type), {**more, **s.subject(), "reasonCode": [{"coding": [{"system": ICD, "code": "F11.20"}], "text": s.secret()}]}, hidden=True)
        s.entry(s.new(type), {**more, **s.subject(), "reasonCode": [{"text": f"knee {s.keep()}"}]})


@suspect("dosage", "dosage")
def _(s):
    s.make_patient()
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": f"tablet {s.secret()}"}, **s.subject(),
                                         "dosageInstruction": [{"text": f"for opioid withdrawal {s.secret()}"}]}, hidden=True)
    s.drug()


@row("supporting-info", "supportingInfo")
def _(s):
    oud = told(s)
    own = s.vital()
    s.entry(s.new("ServiceRequest"), {"status": "active", "intent": "order", "code": {"text": f"film {s.keep()}"}, **s.subject(), "supportingInfo": [s.ref(own), s.hide(s.ref(oud))]})


def of_the_program(id, said, tell):
    @row(id, said)
    def make(s):
        s.make_patient()
        p = s.make_program()
        if not p.in_bundle:
            s.entry(p.entity, {"identifier": [{"system": NPI, "value": p.npi}], "name": p.name, "telecom": [{"system": "phone", "value": p.phone}], "address": [{"line": [p.line], "city": "Springfield"}]}, hidden=True)
        s.vital(note=[{"text": s.keep()}, Hidden({"text": f"{tell(p)} {s.secret()}"})])


of_the_program("program-name", "names of programs", lambda p: f"seen at {p.name}")
of_the_program("program-npi", "NPI of a program", lambda p: f"from {p.npi}")
of_the_program("program-telecom", "telecom of a program", lambda p: f"call {p.phone.replace(' ', '-')}")
of_the_program("program-address", "address of a program", lambda p: f"goes to {p.line}")
of_the_program("program-url", "URL and host of a program", lambda p: f"see {p.source}/Patient/4")


@suspect("taxonomy", "provider taxonomy and specialty of a Methadone Clinic")
def _(s):
    s.make_patient()
    clinic = s.entry(s.new("Organization"), {"type": [{"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "261QM2800X"}]}], "name": f"{s.secret()} house"}, hidden=True)
    s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.ref(clinic), "type": [{"text": s.secret()}]}, hidden=True)
    s.vital()


@row("practitioners", "practitioners who act for the program only")
def _(s):
    s.make_patient()
    s.make_program()
    nurse = s.entry(s.new("Practitioner"), {"name": [{"family": s.secret()}]}, hidden=True)
    s.entry(s.new("PractitionerRole"), {"practitioner": s.ref(nurse), "organization": s.by_program(), "specialty": [{"text": s.secret()}]}, hidden=True)
    of_program(s, "Observation", status="final", code={"text": s.secret()}, performer=[s.ref(nurse)])
    s.vital()


@row("meta-source", "meta.source")
def _(s):
    s.make_patient()
    p = s.make_program()
    of_program(s, "Observation", meta={"source": p.source}, status="final", code={"text": s.secret()})
    s.vital(meta={"source": "https://hospital.example.org/fhir"})


@suspect("meta-tag", "meta.tag")
def _(s):
    s.make_patient()
    s.vital(meta={"tag": [{"system": EXT + "tags", "code": s.keep()}, Hidden({"system": EXT + "tags", "code": s.secret(), "display": "methadone clinic list"})]})


@row("meta-profile", "meta.profile on the program's server")
def _(s):
    s.make_patient()
    p = s.make_program()
    of_program(s, "Observation", meta={"profile": [f"{p.source}/StructureDefinition/{s.secret()}"]}, status="final", code={"text": s.secret()})
    s.vital(meta={"profile": ["http://hl7.org/fhir/StructureDefinition/vitalsigns"]})


@row("meta-security", "security labels: nothing that is withheld raises a label that stays")
def _(s):
    s.make_patient()
    s.make_program()
    s.sud_condition(meta={"security": [{"system": ACT, "code": "42CFRPart2"}, {"system": ACT, "code": "SUD"}]}, recorder=s.by_program())
    s.vital(meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N", "display": s.keep()}]})


@row("full-url", "fullUrl on the program's server")
def _(s):
    s.make_patient()
    p = s.make_program()
    s.entry(s.new("Condition", base=p.source), {"code": {"text": s.secret()}, **s.subject()}, hidden=True)
    s.vital()


@row("resource-ids", "a text that names a withheld record by Type/id")
def _(s):
    oud = told(s)
    s.vital(note=[{"text": s.keep()}, Hidden({"text": f"see {oud.type}/{oud.id} {s.secret()}"})])


@row("business-identifiers", "a text that names a withheld record by its business identifier")
def _(s):
    s.make_patient()
    s.make_program()
    number = s.secret()
    s.sud_condition(identifier=[{"system": "http://hospital.example.org/cases", "value": number}], recorder=s.by_program())
    s.vital(note=[{"text": s.keep()}, Hidden({"text": f"case {number}"})])


@row("coverage", "Coverage of a payer that is the program")
def _(s):
    s.make_patient()
    s.make_program()
    of_program(s, "Coverage", status="active", beneficiary=s.ref(s.patient), payor=[s.by_program()], subscriberId=s.secret(), patient=Hidden({}))
    s.entries[-1][1].pop("patient", None)
    payer = s.entry(s.new("Organization"), {"name": f"Shore Plan {s.keep()}"})
    s.entry(s.new("Coverage"), {"status": "active", "beneficiary": s.ref(s.patient), "payor": [s.ref(payer)]})


@row("account", "Account of a program")
def _(s):
    s.make_patient()
    s.make_program()
    s.entry(s.new("Account"), {"status": "active", "subject": [s.ref(s.patient)], "owner": s.by_program(), "name": s.secret()}, hidden=True)
    s.entry(s.new("Account"), {"status": "active", "subject": [s.ref(s.patient)], "name": f"surgery {s.keep()}"})


@row("invoice", "Invoice of a program")
def _(s):
    s.make_patient()
    s.make_program()
    of_program(s, "Invoice", status="issued", issuer=s.by_program(), note=[{"text": s.secret()}], totalNet={"value": 80, "currency": "USD"})
    s.entry(s.new("Invoice"), {"status": "issued", **s.subject(), "issuer": {"display": f"Valley clinic {s.keep()}"}, "totalNet": {"value": s.w.number(), "currency": "USD"}})


def billed(id, said, **item):
    for type in ("Claim", "ExplanationOfBenefit"):
        @suspect(f"{'claim' if type == 'Claim' else 'eob'}-{id}", f"{type}: {said}")
        def make(s, type=type):
            s.make_patient()
            base = {"status": "active", "type": {"coding": [{"code": "institutional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(), "provider": {"display": "Valley clinic"},
                    "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "plan"}}]}
            base.update({"priority": {"coding": [{"code": "normal"}]}} if type == "Claim" else {"insurer": {"display": "plan"}, "outcome": "complete"})
            more = {k: v for k, v in item.items() if k in ("diagnosis", "supportingInfo", "procedure")}
            line = {k: v for k, v in item.items() if k not in more}
            s.entry(s.new(type), {**base, **more, "item": [{"sequence": 1, "productOrService": {"text": f"visit {s.secret()}"}, **line}]}, hidden=True)
            s.entry(s.new(type), {**base, "item": [{"sequence": 1, "productOrService": {"text": f"visit {s.keep()}"}}]})


billed("revenue", "revenue code", revenue={"coding": [{"code": "0116"}]})
billed("modifier", "modifiers HF, HG", modifier=[{"coding": [{"system": HCPCS, "code": "HG"}]}])
billed("place", "place of service 58", locationCodeableConcept={"coding": [{"system": "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set", "code": "58"}]})
billed("diagnosis", "diagnosis", diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": ICD, "code": "F11.20"}]}}])
billed("drg", "DRG", diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": ICD, "code": "I10"}]}, "packageCode": {"coding": [{"code": "897"}]}}])
billed("supporting-info", "supportingInfo", supportingInfo=[{"sequence": 1, "category": {"coding": [{"code": "info"}]}, "code": {"coding": [{"system": ICD, "code": "F11.20"}]}}])


@row("payment-notice", "PaymentNotice and PaymentReconciliation of a program")
def _(s):
    s.make_patient()
    s.make_program()
    claim = s.entry(s.new("Claim"), {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(), "provider": s.by_program(),
                                     "priority": {"coding": [{"code": "normal"}]}, "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": s.secret()}}]}, hidden=True)
    s.entry(s.new("PaymentNotice"), {"status": "active", "request": s.ref(claim), "created": s.day(), "payment": {"display": s.secret()}, "recipient": {"display": "plan"}, "amount": {"value": 5, "currency": "USD"}}, hidden=True)
    s.vital()


@row("daily-times", "times that reveal daily dosing")
def _(s):
    s.make_patient()
    s.make_program()
    for day in range(1, 6):
        of_program(s, "Encounter", status="finished", serviceProvider=s.by_program(), period={"start": f"2026-10-{day:02}T06:10:00Z"}, **{"class": {"code": "AMB"}}, type=[{"text": s.secret()}])
    s.visit()


@row("provenance", "Provenance")
def _(s):
    oud = told(s)
    own = s.condition()
    s.entry(s.new("Provenance"), {"target": [s.hide(s.ref(oud)), s.ref(own)], "recorded": s.moment(), "agent": [{"who": {"display": s.keep()}}]})
    s.entry(s.new("Provenance"), {"target": [s.ref(oud)], "recorded": s.moment(), "agent": [{"who": {"display": s.secret()}}]}, hidden=True)


@row("audit-event", "AuditEvent")
def _(s):
    oud = told(s)
    s.entry(s.new("AuditEvent"), {"type": {"code": "rest"}, "recorded": s.moment(), "agent": [{"requestor": True, "name": s.secret()}], "source": {"observer": {"display": "ehr"}}, "entity": [{"what": s.ref(oud)}]}, hidden=True)
    s.vital()


@row("list-entry", "List.entry; no emptyReason is put in their place")
def _(s):
    oud = told(s)
    own = s.condition()
    s.entry(s.new("List"), {"status": "current", "mode": "working", **s.subject(), "title": s.keep(), "entry": [{"item": s.ref(own)}, s.hide({"item": s.ref(oud)})]})
    s.entry(s.new("List"), {"status": "current", "mode": "working", **s.subject(), "title": s.secret(), "entry": [{"item": s.ref(oud)}]}, hidden=True)


@row("composition", "Composition: section title, text, entries", alone=True)
def _(s):
    from situations_records import SITUATIONS
    return SITUATIONS["document_with_sections"](s)


@row("patient-elements", "Patient.generalPractitioner, managingOrganization, contact, identifier, link")
def _(s):
    p = s.make_program()
    s.make_patient(identifier=[Hidden({"system": f"{p.source}/mrn", "value": s.secret()}), Hidden({"value": s.secret(), "assigner": s.ref(p.entity)})], generalPractitioner=Hidden([s.by_program()]),
                   managingOrganization=Hidden(s.ref(p.entity)), contact=[{"name": {"family": s.keep()}, "organization": Hidden(s.ref(p.entity))}],
                   link=Hidden([{"other": {"reference": f"{p.source}/Patient/{s.secret()}"}, "type": "seealso"}]))


@row("encounter-place", "Encounter.location, serviceType, hospitalization")
def _(s):
    s.make_patient()
    s.make_program()
    place = s.entry(s.new("Location"), {"name": f"{s.secret()} wing", "managingOrganization": s.by_program()}, hidden=True)
    of_program(s, "Encounter", status="finished", location=[{"location": s.ref(place)}], serviceType={"text": s.secret()}, **{"class": {"code": "IMP"}})
    of_program(s, "Encounter", status="finished", hospitalization={"destination": s.by_program(), "dischargeDisposition": {"text": s.secret()}}, **{"class": {"code": "IMP"}})
    s.visit(hospitalization={"dischargeDisposition": {"text": s.keep()}})


@row("directory", "Organization, Location, HealthcareService, PractitionerRole, Endpoint of a program")
def _(s):
    from situations_records import SITUATIONS
    SITUATIONS["schedule_of_the_program"](s)


@row("consent-itself", "the Consent that names the program")
def _(s):
    from situations_records import SITUATIONS
    SITUATIONS["consent_in_the_bundle"](s)


ABOUT = {"Flag": {"status": "active", "code": {"text": "call first {}"}, "author": "program"}, "Goal": {"lifecycleStatus": "active", "description": {"text": "stay well {}"}, "expressedBy": "program"},
         "Task": {"status": "requested", "intent": "order", "description": "visit {}", "owner": "program", "for": "patient"}, "AdverseEvent": {"actuality": "actual", "event": {"text": "rash {}"}, "recorder": "program"},
         "RiskAssessment": {"status": "final", "performer": "program", "mitigation": "watch {}"}, "DetectedIssue": {"status": "final", "author": "program", "detail": "interaction {}", "patient": "patient"},
         "FamilyMemberHistory": {"status": "completed", "relationship": {"text": "aunt {}"}, "patient": "patient", "extension": "program"},
         "Communication": {"status": "completed", "sender": "program", "payload": [{"contentString": "hello {}"}]}}


def of_type(type, fields):
    @row(f"type-{type.lower()}", f"{type} of a program")
    def make(s):
        s.make_patient()
        s.make_program()

        def filled(value):
            if value == "program":
                return s.by_program()
            if value == "patient":
                return s.ref(s.patient)
            if isinstance(value, str):
                return value.format(s.secret())
            if isinstance(value, list):
                return [filled(v) for v in value]
            return {k: filled(v) for k, v in value.items()}
        content = {k: filled(v) for k, v in fields.items() if k != "extension"}
        if fields.get("extension"):
            content["meta"] = {"source": s.program.source}
        if "patient" not in fields and "for" not in fields:
            content["subject"] = s.ref(s.patient)
        s.entry(s.new(type), content, hidden=True)
        s.vital()


for _type, _fields in ABOUT.items():
    of_type(_type, _fields)


@suspect("interaction-alert", "a drug-interaction alert that names methadone")
def _(s):
    s.make_patient()
    s.entry(s.new("DetectedIssue"), {"status": "final", "patient": s.ref(s.patient), "code": {"text": s.secret()}, "detail": "Interaction with methadone maintenance"}, hidden=True)
    s.entry(s.new("DetectedIssue"), {"status": "final", "patient": s.ref(s.patient), "code": {"text": f"duplicate order {s.keep()}"}})


@row("history", "versions and deletions of a withheld record")
def _(s):
    from situations_records import SITUATIONS
    SITUATIONS["history_of_a_record"](s)


@row("implicit-rules", "implicitRules on the program's server")
def _(s):
    s.make_patient()
    p = s.make_program()
    of_program(s, "Observation", implicitRules=f"{p.source}/rules/{s.secret()}", status="final", code={"text": s.secret()}, performer=[s.by_program()])
    s.vital()


def documented(path):
    """Ids in the first column of the table under "Channels"."""
    text = pathlib.Path(path).read_text().partition("\n## Channels")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([a-z0-9-]+)` \|.*\| (.+) \|$", text, re.M)


def check(path):
    root = pathlib.Path(__file__).resolve().parents[2]
    named = dict(documented(path))
    wrong = [f"{id}: it is not in {path}" for id in ROWS if id not in named]
    for id, how in named.items():
        if id in ROWS:
            continue
        files = [f for f in re.findall(r"`([^`]+)`", how) if "/" in f]
        if how.startswith("not yet"):
            continue
        if not files or not all((root / f).exists() for f in files):
            wrong.append(f"{id}: no row and no file that is there shows it")
    print("\n".join(wrong) or f"{len(named)} channels, {len(ROWS)} with a row here")
    return 1 if wrong else 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("tool", nargs="?")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--only")
    arguments.add_argument("--keep")
    arguments.add_argument("--check")
    given = arguments.parse_args()
    if given.check:
        return check(given.check)
    generate.TEMPLATES.update(ROWS)
    tool, wrong, tokens = generate.Tool(given.tool), 0, 0
    for id in [given.only] if given.only else ROWS:
        for seed in range(1, given.seeds + 1):
            case = generate.Case(seed, id)
            case.only = id
            found = generate.judge(case, tool)
            tokens += case.counted[1]
            if not case.world.secrets:
                found.append(("template", "no token is planted"))
            if found:
                wrong += 1
                generate.report(case, found, tool, given.keep)
                break
    print(f"{len(ROWS)} channels, {given.seeds} seeds each, {tokens} planted tokens, {wrong} channels open")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""Situations about the forms of records: documents, claims, attachments, nested Bundles, answers.  Sender: a hospital that is no program."""
import json

from model import Either, Hidden, Packed, Raw, Text, shown
from situations_program import situation as _situation
from world import ACT, HCPCS, ICD, LOINC, NPI, RXNORM, SCT, div

SITUATIONS = {}


def situation(*args, **kw):
    def add(make):
        make = _situation(*args, **kw)(make)
        from situations_program import SITUATIONS as others
        SITUATIONS[make.__name__] = others.pop(make.__name__)
        return make
    return add


@situation(alone=True)
def document_with_sections(s):
    """A Composition whose sections list the program's records beside others (C4)."""
    s.kind = "document"
    s.make_patient()
    s.make_program()
    own = s.condition()
    oud = s.sud_condition(recorder=s.by_program())
    other = s.sud_condition(recorder=s.by_program())
    section = lambda title, entries, *words: {"title": title, "text": div(*words), "entry": entries}
    composition = s.new("Composition")
    s.entries.insert(0, (composition, {
        "resourceType": "Composition", "id": composition.id, "status": "final", "type": {"text": f"summary {s.keep()}"}, **s.subject(), "date": s.moment(),
        "author": [{"display": f"Valley clinic {s.keep()}"}], "title": "Summary",
        "section": [section("Problems", [s.ref(own), s.hide(s.ref(oud))], f"<p>{s.keep()}</p>", s.hide(f"<p>{oud.words} {s.secret()}</p>")),
                    s.hide(section(f"Behavioral {s.secret()}", [s.ref(other)], f"<p>{other.words} {s.secret()}</p>"))]}, False))
    return {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:0c3f6a52-3b86-4f3e-9f7a-2b1f5d3f1c11"}, "timestamp": "2026-11-20T10:00:00Z"}


@situation(alone=True)
def document_of_the_program(s):
    """The program's own document: without its Composition nothing is a document, so nothing leaves."""
    s.kind = "document"
    s.make_patient()
    s.make_program()
    composition = s.new("Composition")
    s.entries.insert(0, (composition, {"resourceType": "Composition", "id": composition.id, "status": "final", "type": {"text": "summary"}, **s.subject(), "date": s.moment(),
                                       "author": [s.by_program()], "title": s.secret(), "section": [{"title": s.secret()}]}, True))
    s.entries = [(e, r, True) for e, r, _ in s.entries]
    s.w.secrets += s.w.kept
    s.w.kept.clear()
    return {"timestamp": "2026-11-20T10:00:00Z"}


@situation(alone=True)
def message(s):
    """A message whose MessageHeader keeps the foci that stay (C2)."""
    s.kind = "message"
    s.make_patient()
    s.make_program()
    own = s.vital()
    oud = s.sud_condition(recorder=s.by_program())
    header = s.new("MessageHeader")
    s.entries.insert(0, (header, {"resourceType": "MessageHeader", "id": header.id, "eventCoding": {"system": "http://hospital.example.org/events", "code": "changed"},
                                  "source": {"endpoint": "https://ehr.example.org/hl7"}, "focus": [s.hide(s.ref(oud)), s.ref(own)]}, False))
    return {"timestamp": "2026-11-20T10:00:00Z"}


@situation(grants=True)
def claim_of_two(s):
    """A hospital's Claim with a diagnosis that points at the program's record, the numbers that point at it, and a line for its encounter (C2)."""
    s.make_patient()
    s.make_program()
    own = s.condition()
    oud = s.sud_condition(recorder=s.by_program())
    visit = s.visit()
    dosing = s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.by_program()}, hidden=True)
    items = [{"sequence": 1, "diagnosisSequence": [1, s.hide(2)], "productOrService": {"text": f"office visit {s.keep()}"}, "encounter": [s.ref(visit)]},
             s.hide({"sequence": 2, "diagnosisSequence": [2], "productOrService": {"text": s.secret()}, "encounter": [s.ref(dosing)]})]
    s.entry(s.new("Claim"), {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(),
                             "provider": {"display": f"Valley clinic {s.keep()}"}, "priority": {"coding": [{"code": "normal"}]},
                             "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": f"plan {s.keep()}"}}],
                             "diagnosis": [{"sequence": 1, "diagnosisReference": s.ref(own)}, s.hide({"sequence": 2, "diagnosisReference": s.ref(oud)})], "item": items})


@situation(grants=True)
def benefit_with_total(s):
    """An ExplanationOfBenefit whose total is the sum of its lines: it is written anew (C8)."""
    s.make_patient()
    s.make_program()
    dosing = s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.by_program()}, hidden=True)
    visit = s.visit()
    prices = [s.draw.randint(20, 90) for _ in range(2)]
    money = lambda n: {"value": n if not isinstance(n, tuple) else (n[0] if s.granted else Either(*n)), "currency": "USD"}
    items = [{"sequence": 1, "productOrService": {"text": f"visit {s.keep()}"}, "encounter": [s.ref(visit)], "net": money(prices[0])},
             s.hide({"sequence": 2, "productOrService": {"text": s.secret()}, "encounter": [s.ref(dosing)], "net": money(prices[1])})]
    s.entry(s.new("Claim"), {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(),
                             "provider": {"display": f"Valley clinic {s.keep()}"}, "priority": {"coding": [{"code": "normal"}]},
                             "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "plan"}}], "item": items, "total": money((sum(prices), prices[0]))})


@situation(grants=True)
def nested_collection(s):
    """A Bundle in an entry: labelled, decided and cut on its own (C8)."""
    s.uuids = False                      # a urn:uuid is looked for in its own Bundle only
    s.make_patient()
    s.make_program()
    inner = []
    for hidden in s.draw.sample((False, True, True), 3):
        e = s.new("Observation")
        words = s.secret() if hidden else s.keep()
        resource = {"resourceType": "Observation", "id": e.id, "status": "final", "code": {"text": f"reading {words}"}, **s.subject(), "valueQuantity": {"value": s.w.number()}}
        if hidden:
            resource["performer"] = [s.by_program()]
        inner.append(s.hide({"fullUrl": e.full, "resource": resource}) if hidden else {"fullUrl": e.full, "resource": resource})
    s.entry(s.new("Bundle"), {"type": "collection", "entry": inner})


@situation()
def nested_in_binary(s):
    """A Bundle of the program, base64 in a Binary and in an attachment."""
    s.make_patient()
    s.make_program()
    text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {
        "resourceType": "Observation", "id": "x", "status": "final", "code": {"text": s.secret()}, "performer": [{"identifier": {"system": NPI, "value": s.program.npi}}]}}]})
    how = s.draw.choice(("plain", "gzip", "zlib", "twice", "utf16"))
    s.entry(s.new("Binary"), {"contentType": "application/fhir+json", "data": Packed(how, text)}, hidden=True)
    s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "content": [{"attachment": {"contentType": "application/fhir+json", "data": Packed(how, text)}}]}, hidden=True)
    s.entry(s.new("Binary"), {"contentType": "text/plain", "data": Packed(how, s.harmless())})


@situation(grants=True)
def history_of_a_record(s):
    """All versions of a withheld record, its DELETE among them (C1)."""
    s.make_patient()
    s.make_program()
    e = s.new("Condition", base="https://ehr.example.org/fhir")
    for version in range(2):
        s.entry(e, {"meta": {"versionId": str(version + 1)}, "code": {"text": s.secret()}, **s.subject(), "recorder": s.by_program()}, hidden=True)
    s.vital()


@situation(grants=True)
def parameters_in_an_entry(s):
    """Resources of a Parameters (C8)."""
    s.uuids = False
    s.make_patient()
    s.make_program()
    own, closed = s.new("Observation"), s.new("Observation")
    s.entry(s.new("Parameters"), {"parameter": [
        {"name": "kept", "resource": {"resourceType": "Observation", "id": own.id, "status": "final", "code": {"text": f"weight {s.keep()}"}, **s.subject()}},
        s.hide({"name": "other", "resource": {"resourceType": "Observation", "id": closed.id, "status": "final", "code": {"text": s.secret()}, **s.subject(), "performer": [s.by_program()]}})]})


@situation()
def group_that_counts(s):
    """Group.member and Group.quantity (C10)."""
    s.make_patient()
    s.make_program()
    doctor = s.entry(s.new("Practitioner"), {"name": [{"family": s.keep()}]})
    role = s.entry(s.new("PractitionerRole"), {"organization": s.by_program(), "code": [{"text": s.secret()}]}, hidden=True)
    quantity = 2 if s.granted else Either(Raw("2"), Raw("1"))
    s.entry(s.new("Group"), {"type": "practitioner", "actual": True, "quantity": quantity, "member": [{"entity": s.ref(doctor)}, s.hide({"entity": s.ref(role)})]})
    s.vital()


@situation(whole=False)
def high_water_labels(s):
    """Labels of a List recomputed from what stays are the sender's own where nothing of it was high (C8)."""
    s.make_patient()
    s.make_program()
    s.entry(s.new("Condition"), {"meta": {"security": [{"system": ACT, "code": "SUD"}, {"system": ACT, "code": "42CFRPart2"}]}, "code": {"text": s.secret()}, **s.subject(),
                                 "recorder": s.by_program()}, hidden=True)
    s.vital(meta={"tag": [{"system": "http://hospital.example.org/tags", "code": s.keep()}]})


@situation()
def parallel_arrays(s):
    """given and _given: a hole of one is null in the other (B3)."""
    s.make_patient(maritalStatus={"text": s.keep()}, _birthDate={"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "valueDateTime": "1970-02-11T10:00:00Z"}]})
    p = s.make_program()
    s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.by_program()}, hidden=True)
    s.entry(s.new("Practitioner"), {"name": [{"family": s.keep(), "given": ["Mia", "L."], "_given": [None, {"extension": [{"url": "http://hospital.example.org/ext/note", "valueString": s.keep()}]}]}]})
    s.vital(_effectiveDateTime=s.hide({"extension": [{"url": "http://hospital.example.org/ext/where", "valueString": f"at {p.name} {s.secret()}"}]}))


@situation()
def schedule_of_the_program(s):
    """HealthcareService, Schedule, Slot and Endpoint of a program: its directory (C3)."""
    s.make_patient()
    s.make_program()
    service = s.entry(s.new("HealthcareService"), {"providedBy": s.by_program(), "name": s.secret()}, hidden=True)
    schedule = s.entry(s.new("Schedule"), {"actor": [s.ref(service)], "comment": s.secret()}, hidden=True)
    s.entry(s.new("Slot"), {"schedule": s.ref(schedule), "status": "busy", "start": s.moment(), "end": s.moment(), "comment": s.secret()}, hidden=True)
    s.entry(s.new("Endpoint"), {"status": "active", "connectionType": {"code": "hl7-fhir-rest"}, "managingOrganization": s.by_program(), "payloadType": [{"text": "any"}],
                                "address": f"{s.program.source}/x", "name": s.secret()}, hidden=True)
    s.some()


@situation(grants=True)
def consent_in_the_bundle(s):
    """A Consent of the patient for the program, which names it (P6)."""
    s.make_patient()
    s.make_program()
    s.some()
    if not s.granted:
        s.entry(s.new("Consent"), {"status": "active", "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
                                   "patient": s.ref(s.patient), "dateTime": "2026-03-03", "organization": [s.by_program()],
                                   "provision": {"type": "permit", "actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": "Organization/elsewhere", "display": s.secret()}}],
                                                 "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]}}, hidden=True)


@situation(grants=True)
def imaging_and_devices(s):
    """ImagingStudy, DeviceUseStatement, ImmunizationRecommendation beside the program's, each of whatever type."""
    s.make_patient()
    s.make_program()
    visit = s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.by_program()}, hidden=True)
    s.entry(s.new("ImagingStudy"), {"status": "available", **s.subject(), "description": f"knee {s.keep()}"})
    s.entry(s.new("ImagingStudy"), {"status": "available", **s.subject(), "encounter": s.ref(visit), "description": s.secret()}, hidden=True)
    s.entry(s.new("Immunization"), {"status": "completed", "vaccineCode": {"text": f"influenza {s.keep()}"}, "patient": s.ref(s.patient), "occurrenceDateTime": s.day()})
    s.entry(s.new("Immunization"), {"status": "completed", "vaccineCode": {"text": f"hepatitis B {s.secret()}"}, "patient": s.ref(s.patient), "occurrenceDateTime": s.day(),
                                    "performer": [{"actor": s.by_program()}]}, hidden=True)
    s.entry(s.new("Media"), {"status": "completed", **s.subject(), "encounter": s.ref(visit), "content": {"contentType": "text/plain", "data": Packed("plain", s.secret())}}, hidden=True)

"""Situations: a hospital that is no program sends what came from one, or leads to one."""
from model import Hidden, Packed, Text
from world import ICD, LOINC, NPI, RXNORM, SCT, ACT, HCPCS, SUD_DRUGS, Program, div

SITUATIONS = {}


def situation(senders=("not-program", "unknown"), grants=False, alone=False, whole=True):
    """senders: of which it makes sense; grants: a consent may open it; alone: a Bundle of its own; whole: who knows of no program gets
    all of it."""
    def add(make):
        make.senders, make.grants, make.alone, make.whole = senders, grants, alone, whole
        SITUATIONS[make.__name__] = make
        return make
    return add


@situation(grants=True)
def otp_daily_dosing(s):
    """Daily doses at an opioid treatment program, whose times alone would tell."""
    s.make_patient()
    s.make_program()
    s.some()
    clinic = s.entry(s.new("Location"), {"name": f"{s.secret()} window", "managingOrganization": s.by_program()}, hidden=True)
    for day in range(s.draw.randint(2, 5)):
        visit = s.entry(s.new("Encounter"), {"status": "finished", "class": {"system": ACT, "code": "AMB"}, **s.subject(),
                                             "period": {"start": f"2026-10-{day + 1:02}T06:10:00Z"}, "serviceProvider": s.by_program(),
                                             "location": [{"location": s.ref(clinic)}]}, hidden=True)
        s.entry(s.new("MedicationAdministration"), {"status": "completed", "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "6813", "display": "methadone"}]},
                                                    **s.subject(), "context": s.ref(visit), "effectiveDateTime": f"2026-10-{day + 1:02}T06:12:00Z",
                                                    "dosage": {"text": f"witnessed {s.secret()}", "dose": {"value": s.w.number(), "unit": "mg"}}}, hidden=True)


@situation(grants=True)
def otp_vitals(s):
    """A blood pressure taken at a program tells no substance, and who took it tells all (SG-09)."""
    s.make_patient()
    s.make_program()
    s.vital()
    for _ in range(s.draw.randint(1, 3)):
        s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                       "performer": [s.by_program()], "valueQuantity": {"value": s.w.number(), "unit": "mm[Hg]"}, "note": [{"text": s.secret()}]}, hidden=True)


@situation()
def unit_of_a_hospital(s):
    """A unit of a general hospital, of whose records those that tell of no substance use leave without their source (H-6)."""
    s.make_patient()
    s.make_program().unit = True
    s.w.site["unitWithoutSource"] = True
    s.asks = False
    for _ in range(s.draw.randint(1, 2)):
        s.vital(performer=Hidden([s.by_program()]))
    s.visit(serviceProvider=Hidden(s.by_program()))
    s.entry(s.new("Procedure"), {"status": "completed", "code": {"text": f"change of dressing {s.keep()}"}, **s.subject(),
                                 "performer": [Hidden({"actor": s.by_program()}), {"actor": {"display": f"Nurse {s.keep()}"}}]})
    s.sud_condition(recorder=s.by_program())
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                   "meta": {"source": f"{s.program.source}/Observation/{s.secret()}"}, "performer": [s.by_program()],
                                   "valueQuantity": {"value": s.w.number(), "unit": "mm[Hg]"}}, hidden=True)


@situation(grants=True)
def known_by_one_patient(s):
    """Who may know of a program by one patient's consent learns nothing of another's tie to it."""
    s.make_patient()
    s.make_program()
    room = f"in room C{s.draw.randint(100000, 999999)}-{s.draw.randint(10, 99)}"
    s.vital(note=[{"text": f"{room} {s.keep()}"}])
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                   "performer": [s.by_program()], "note": [{"text": s.secret()}]}, hidden=True)
    other = s.new("Patient", "other")
    s.entry(other, {"name": [{"family": s.keep()}], "managingOrganization": Hidden(s.by_program()), "birthDate": "1970-01-01"})
    s.entry(s.new("Appointment"), {"status": "booked", "participant": [{"actor": s.ref(other), "status": "accepted"}],
                                   "supportingInformation": Hidden([s.by_program()]), "comment": s.keep()})
    s.entries.append((s.new("Observation"), {"resourceType": "Observation", "id": f"{s.prefix}theirs", "status": "final", "subject": s.ref(other),
                                             "code": {"text": "blood pressure"}, "performer": [s.by_program()],
                                             "note": [{"text": f"{room} {s.w.token('secret')}"}]}, True))
    who, role = s.new("Practitioner"), s.new("PractitionerRole")
    for entity, fields in ((who, {"name": [{"family": s.w.token("secret")}]}), (role, {"practitioner": s.ref(who), "organization": s.ref(s.program.entity)}),
                           (s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, "subject": s.ref(other), "serviceProvider": s.by_program(),
                                                 "participant": [{"individual": s.ref(role)}]})):
        s.entries.append((entity, {"resourceType": entity.type, "id": entity.id, **fields}, True))


@situation(grants=True)
def staff_known_by_one_patient(s):
    """Who works at a program, and its places: known by one patient's consent, they are no part of what another patient's records say."""
    s.make_patient()
    s.make_program()
    s.vital()
    who, role, place = s.new("Practitioner"), s.new("PractitionerRole"), s.new("Location")
    s.entry(who, {"name": [{"family": s.secret()}]}, hidden=True)
    s.entry(role, {"practitioner": s.ref(who), "organization": s.ref(s.program.entity)}, hidden=True)
    s.entry(place, {"name": s.secret(), "managingOrganization": s.by_program()}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                   "performer": [s.ref(who), s.ref(role)], "note": [{"text": s.secret()}]}, hidden=True)
    s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "location": [{"location": s.ref(place)}]}, hidden=True)
    other = s.new("Patient", "other")
    s.entry(other, {"name": [{"family": s.keep()}], "generalPractitioner": Hidden([s.ref(s.draw.choice((who, role)))])})
    s.entry(s.new("Appointment"), {"status": "booked", "comment": s.keep(), "participant": [{"actor": s.ref(other), "status": "accepted"}],
                                   "supportingInformation": Hidden([s.ref(s.draw.choice((who, role, place)))])})


@situation(grants=True)
def places_of_two_programs(s):
    """A role, a service and a home of two programs, of whom the consent lets at most the first be known; and somebody who works for both."""
    s.make_patient()
    first, granted = s.make_program(), s.granted
    s.granted = False
    other = s.make_program()
    numbers = [{"identifier": {"system": NPI, "value": p.npi}} for p in s.draw.sample((first, other), 2)]
    who, role, place, service, home = (s.new(t) for t in ("Practitioner", "PractitionerRole", "Location", "HealthcareService", "Organization"))
    s.vital()
    s.entry(role, {"organization": numbers[0], "location": [s.ref(place)], "code": [{"text": s.secret()}]}, hidden=True)
    s.entry(place, {"name": s.secret(), "managingOrganization": numbers[1]}, hidden=True)
    s.entry(service, {"name": s.secret(), "providedBy": numbers[1], "location": [s.ref(s.entry(s.new("Location"), {
        "name": s.secret(), "managingOrganization": numbers[0]}, hidden=True))]}, hidden=True)
    if both := s.draw.random() < 0.5:                         # the numbers mean it
        s.entry(home, {"name": s.secret(), "identifier": [n["identifier"] for n in numbers]}, hidden=True)
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationCodeableConcept": {"text": s.secret()}, **s.subject(),
                                         "requester": s.ref(home if both else role)}, hidden=True)
    if not both:
        s.entry(s.new("PractitionerRole"), {"practitioner": s.ref(who), "organization": {"identifier": {"system": NPI, "value": other.npi}}}, hidden=True)
    s.granted, s.program = granted, first
    if not both:
        s.entry(who, {"name": [{"family": s.secret()}]}, hidden=True)
        s.entry(s.new("PractitionerRole"), {"practitioner": s.ref(who), "organization": {"identifier": {"system": NPI, "value": first.npi}}}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                   "performer": [s.ref(first.entity)], "note": [{"text": s.secret()}]}, hidden=True)


@situation(senders=("not-program",))
def former_program(s):
    """An ordinary clinic that was a program until 2020: what it writes today stays as it is, and so does the clinic (program.h T8)."""
    s.make_patient()
    s.make_program(until="2020-01-01")
    for _ in range(s.draw.randint(1, 2)):
        s.vital(performer=[s.by_program()], effectiveDateTime=f"2025-0{s.draw.randint(1, 9)}-11")
    s.visit(serviceProvider=s.by_program(), period={"start": "2025-05-02"})
    for _ in range(s.draw.randint(0, 2)):
        s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8480-6", "Systolic blood pressure")), **s.subject(),
                                       "performer": [s.by_program()], "effectiveDateTime": f"2019-0{s.draw.randint(1, 9)}-11",
                                       "valueQuantity": {"value": s.w.number(), "unit": "mm[Hg]"}, "note": [{"text": s.secret()}]}, hidden=True)


@situation(grants=True)
def problem_list(s):
    """The program's diagnosis in the hospital's List, Encounter and CarePlan."""
    s.make_patient()
    s.make_program()
    kept = s.condition()
    oud = s.sud_condition(recorder=s.by_program())
    items = [{"item": s.ref(kept), "flag": {"text": s.keep()}}, s.hide({"item": s.ref(oud), "flag": {"text": s.secret()}})]
    s.draw.shuffle(items)
    s.entry(s.new("List"), {"status": "current", "mode": "working", **s.subject(), "entry": items})
    s.visit(diagnosis=[{"condition": s.ref(kept)}, s.hide({"condition": s.ref(oud, f"{oud.words} {s.secret()}"), "rank": 2})])
    s.entry(s.new("CarePlan"), {"status": "active", "intent": "plan", **s.subject(), "addresses": [s.hide(s.ref(oud)), s.ref(kept)],
                                "activity": [{"detail": {"status": "scheduled", "description": s.keep()}},
                                             s.hide({"reference": s.ref(oud), "progress": [{"text": s.secret()}]})]})


@situation(grants=True)
def patient_leads_to_program(s):
    """The Patient's own elements that lead to a program (P5)."""
    program = s.make_program()
    s.make_patient(identifier=[s.hide({"system": f"{program.source}/mrn", "value": s.secret()})],
                   generalPractitioner=s.hide([s.by_program()]), managingOrganization=s.hide(s.ref(program.entity)),
                   contact=[{"name": {"family": s.keep()}}, s.hide({"organization": s.ref(program.entity)})])
    s.some()


@situation(grants=True)
def reason_references(s):
    """A hospital's orders and procedures whose reason is the program's diagnosis."""
    s.make_patient()
    s.make_program()
    oud = s.sud_condition(recorder=s.by_program())
    own = s.condition()
    both = lambda: s.draw.sample([s.ref(own), s.hide(s.ref(oud, f"{oud.words} {s.secret()}" if s.draw.random() < 0.5 else None))], 2)
    s.drug(reasonReference=both())
    s.entry(s.new("Procedure"), {"status": "completed", "code": {"text": f"wound care {s.keep()}"}, **s.subject(), "reasonReference": both()})
    s.entry(s.new("ServiceRequest"), {"status": "active", "intent": "order", "code": {"text": f"chest film {s.keep()}"}, **s.subject(), "reasonReference": both(),
                                      "supportingInfo": s.hide([s.ref(oud)])})
    s.visit(reasonReference=s.hide([s.ref(oud)]))
    s.entry(s.new("Appointment"), {"status": "booked", "participant": [{"actor": s.ref(s.patient), "status": "accepted"}], "description": s.keep(),
                                   "reasonReference": both()})


@situation(grants=True)
def goals_and_care_team(s):
    """Goal.addresses, CareTeam.participant, Task.focus, Flag and Communication about the program's record."""
    s.make_patient()
    s.make_program()
    oud = s.sud_condition(recorder=s.by_program())
    s.entry(s.new("Goal"), {"lifecycleStatus": "active", "description": {"text": f"sleep eight hours {s.keep()}"}, **s.subject(), "addresses": s.hide([s.ref(oud)])})
    s.entry(s.new("CareTeam"), {"status": "active", **s.subject(), "participant": [{"member": s.ref(s.patient), "role": [{"text": s.keep()}]},
                                                                                   s.hide({"member": s.by_program(), "role": [{"text": s.secret()}]})]})
    s.entry(s.new("Task"), {"status": "requested", "intent": "order", "focus": s.ref(oud), "for": s.ref(s.patient), "description": s.secret()}, hidden=True)
    s.entry(s.new("Task"), {"status": "requested", "intent": "order", "for": s.ref(s.patient), "description": f"call about the cane {s.keep()}"})
    own = s.condition()
    s.entry(s.new("Communication"), {"status": "completed", **s.subject(), "about": [s.hide(s.ref(oud)), s.ref(own)], "payload": [{"contentString": f"see you soon {s.keep()}"}]})
    s.entry(s.new("Communication"), {"status": "completed", **s.subject(), "about": [s.ref(oud)], "payload": [{"contentString": f"about it {s.secret()}"}]}, hidden=True)


@situation(grants=True)
def brought_along(s):
    """What only withheld records point at goes with them; what others point at stays (C3)."""
    s.make_patient()
    s.make_program()
    nurse = s.entry(s.new("Practitioner"), {"name": [{"family": f"Pell{s.secret()}"}]}, hidden=True)
    doctor = s.entry(s.new("Practitioner"), {"name": [{"family": s.keep()}]})
    drug = s.entry(s.new("Medication"), {"code": s.concept((RXNORM, "6813", "methadone"), s.secret())}, hidden=True)
    sample = s.entry(s.new("Specimen"), {"type": {"text": s.secret()}, **s.subject()}, hidden=True)
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationReference": s.ref(drug), **s.subject(), "requester": s.by_program(),
                                         "recorder": s.ref(nurse)}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": {"text": f"urine {s.secret()}"}, **s.subject(), "performer": [s.by_program(), s.ref(doctor)], "specimen": s.ref(sample)}, hidden=True)
    s.vital(performer=[s.ref(doctor)])


@situation(grants=True)
def drug_of_two_programs(s):
    """One Medication that two patients take, of one program each, or the other of nobody known: each one's orders alone say whose it is."""
    s.make_patient()
    s.make_program()
    s.vital()
    drug = s.entry(s.new("Medication"), {"code": s.concept(s.draw.choice(SUD_DRUGS), s.secret())}, hidden=True)
    s.entry(s.new("MedicationRequest"), {"status": "active", "intent": "order", "medicationReference": s.ref(drug), **s.subject(), "requester": s.by_program(),
                                         "note": [{"text": s.secret()}]}, hidden=True)
    other = s.entry(s.new("Patient", "other"), {"name": [{"family": s.keep()}]})
    theirs = Program(s.w)
    s.w.programs.append(theirs)
    orders = [{"requester": {"identifier": {"system": NPI, "value": theirs.npi}}}]
    if s.w.sender == "unknown":
        orders.append({"requester": {"display": "the ward"}})
    for order in s.draw.sample(orders, s.draw.randint(1, len(orders))):
        entity = s.new("MedicationRequest")
        s.entries.append((entity, {"resourceType": "MedicationRequest", "id": entity.id, "status": "active", "intent": "order", "medicationReference": s.ref(drug),
                                   "subject": s.ref(other), **order, "note": [{"text": s.w.token("secret")}]}, True))


@situation(grants=True)
def report_and_results(s):
    """A program's DiagnosticReport and its results; the hospital's stays."""
    s.make_patient()
    s.make_program()
    results = [s.entry(s.new("Observation"), {"status": "final", "code": {"text": f"analyte {s.secret()}"}, **s.subject(), "performer": [s.by_program()],
                                              "valueString": s.secret()}, hidden=True) for _ in range(2)]
    s.entry(s.new("DiagnosticReport"), {"status": "final", "code": {"text": f"urine panel {s.secret()}"}, **s.subject(), "performer": [s.by_program()],
                                        "result": [s.ref(r) for r in results], "conclusion": s.secret()}, hidden=True)
    own = s.vital()
    s.entry(s.new("DiagnosticReport"), {"status": "final", "code": {"text": f"morning labs {s.keep()}"}, **s.subject(), "result": [s.ref(own)], "conclusion": s.harmless()})


@situation(grants=True)
def notes_name_the_program(s):
    """Notes of a hospital's records that name the program: name, NPI, telephone, street, host."""
    s.make_patient()
    p = s.make_program()
    s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "serviceProvider": s.by_program(), "period": {"start": s.moment()}}, hidden=True)
    said = [f"seen at {p.name} {s.secret()}", f"mail {s.secret()}@{p.host}", f"{s.secret()} of {p.name.upper()}, see {p.source}"]
    if p.in_bundle:
        said += [f"call {p.phone} {s.secret()}", f"lives near {p.line} {s.secret()}", f"NPI {p.npi} {s.secret()}"]
    notes = [s.hide({"text": s.draw.choice(said)}) for _ in range(2)] + [{"text": s.harmless()}]
    s.draw.shuffle(notes)
    s.vital(note=notes)


@situation(grants=True)
def narratives(s):
    """Rows and paragraphs of a narrative that repeat the withheld diagnosis (C4)."""
    s.make_patient()
    s.make_program()
    oud = s.sud_condition(recorder=s.by_program())
    row = lambda tag, text: f"<{tag}>{text}</{tag}>"
    matter = f"{oud.words} {s.secret()}"
    one = [f"<ul><li>{s.keep()}</li>", s.hide(row("li", matter)), f"<li>{s.keep()}</li></ul>"]
    two = [f"<table><thead><tr><th>Problem</th></tr></thead><tbody><tr><td>{s.keep()}</td></tr>", s.hide(f"<tr><td>{matter}</td><td>2021</td></tr>"), "</tbody></table>"]
    three = [row("p", s.keep()), s.hide(row("p", f"known <b>{oud.words}</b> {s.secret()}"))]
    for parts in s.draw.sample((one, two, three), 2):
        s.condition(text=div(*parts))


@situation(grants=True)
def contained_graph(s):
    """Contained resources of the program, used, unused, and pointing at each other."""
    s.make_patient()
    p = s.make_program()
    organization = {"resourceType": "Organization", "id": "org", "identifier": [{"system": NPI, "value": p.npi}], "name": p.name}
    doctor = {"resourceType": "Practitioner", "id": "doc", "name": [{"family": s.keep()}]}
    s.entry(s.new("MedicationRequest"), {"contained": [organization, {"resourceType": "Medication", "id": "med", "code": s.concept((RXNORM, "6813", "methadone"))}],
                                         "status": "active", "intent": "order", "medicationReference": {"reference": "#med"}, **s.subject(),
                                         "requester": {"reference": "#org"}, "note": [{"text": s.secret()}]}, hidden=True)
    s.vital(contained=[doctor], performer=[{"reference": "#doc"}])


@situation(grants=True)
def coverage_and_account(s):
    """A program's Account and Claim; the hospital's Coverage stays."""
    s.make_patient()
    s.make_program()
    payer = s.entry(s.new("Organization"), {"name": f"Shoreline Health Plan {s.keep()}"})
    coverage = s.entry(s.new("Coverage"), {"status": "active", "beneficiary": s.ref(s.patient), "payor": [s.ref(payer)]})
    s.entry(s.new("Account"), {"status": "active", "subject": [s.ref(s.patient)], "owner": s.by_program(), "name": s.secret()}, hidden=True)
    s.entry(s.new("Claim"), {"status": "active", "type": {"coding": [{"code": "professional"}]}, "use": "claim", "patient": s.ref(s.patient), "created": s.day(),
                             "provider": s.by_program(), "priority": {"coding": [{"code": "normal"}]}, "insurance": [{"sequence": 1, "focal": True, "coverage": s.ref(coverage)}],
                             "item": [{"sequence": 1, "productOrService": {"coding": [{"system": HCPCS, "code": "G2067"}], "text": s.secret()}}]}, hidden=True)
    s.entry(s.new("Account"), {"status": "active", "subject": [s.ref(s.patient)], "name": f"surgery {s.keep()}", "coverage": [{"coverage": s.ref(coverage)}]})


@situation(grants=True)
def provenance_and_audit(s):
    """Provenance and AuditEvent of withheld and of permitted records (P6, C2)."""
    s.make_patient()
    s.make_program()
    oud = s.sud_condition(recorder=s.by_program())
    own = s.condition()
    s.entry(s.new("Provenance"), {"target": [s.ref(own), s.hide(s.ref(oud))], "recorded": s.moment(), "agent": [{"who": {"display": f"unit clerk {s.keep()}"}}]})
    s.entry(s.new("Provenance"), {"target": [s.ref(oud)], "recorded": s.moment(), "agent": [{"who": s.by_program()}, {"who": {"display": s.secret()}}]}, hidden=True)
    s.entry(s.new("AuditEvent"), {"type": {"code": "rest"}, "recorded": s.moment(), "agent": [{"requestor": True, "name": s.secret()}], "source": {"observer": {"display": "ehr"}},
                                  "entity": [{"what": s.ref(oud)}]}, hidden=True)


@situation(grants=True)
def no_show_appointment(s):
    """Whoever did not come had applied for treatment (SG-47)."""
    s.make_patient()
    s.make_program()
    s.some()
    s.entry(s.new("Appointment"), {"status": "noshow", "description": s.secret(), "participant": [{"actor": s.ref(s.patient), "status": "accepted"},
                                                                                                 {"actor": s.by_program(), "status": "declined"}]}, hidden=True)


@situation(grants=True)
def detox_unit(s):
    """An identified unit of a general hospital: its Location is part of the program."""
    s.make_patient()
    s.make_program()
    unit = s.entry(s.new("Location"), {"name": f"{s.secret()} wing", "managingOrganization": s.by_program()}, hidden=True)
    room = s.entry(s.new("Location"), {"name": f"{s.secret()} room", "partOf": s.ref(unit)}, hidden=True)
    stay = s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "IMP"}, **s.subject(), "period": {"start": s.moment()},
                                        "location": [{"location": s.ref(room)}], "reasonCode": [{"text": s.secret()}]}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8867-4", "Heart rate")), **s.subject(), "encounter": s.ref(stay), "note": [{"text": s.secret()}]}, hidden=True)
    ward = s.entry(s.new("Location"), {"name": f"{s.keep()} ward"})
    s.visit(location=[{"location": s.ref(ward)}])


@situation(grants=True)
def episode_of_care(s):
    """What hangs on the program's EpisodeOfCare and Encounter (P4)."""
    s.make_patient()
    s.make_program()
    episode = s.entry(s.new("EpisodeOfCare"), {"status": "active", "patient": s.ref(s.patient), "managingOrganization": s.by_program(), "type": [{"text": s.secret()}]}, hidden=True)
    visit = s.entry(s.new("Encounter"), {"status": "finished", "class": {"code": "AMB"}, **s.subject(), "episodeOfCare": [s.ref(episode)]}, hidden=True)
    order = s.entry(s.new("ServiceRequest"), {"status": "active", "intent": "order", "code": {"text": s.secret()}, **s.subject(), "encounter": s.ref(visit)}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": {"text": s.secret()}, **s.subject(), "basedOn": [s.ref(order)], "valueQuantity": {"value": s.w.number()}}, hidden=True)
    s.some()


@situation(grants=True)
def program_address_as_source(s):
    """meta.source and fullUrl on the program's server, in the spellings that RFC 3986 6.2 takes as one."""
    s.make_patient()
    p = s.make_program()
    host = s.draw.choice((p.host, p.host.upper(), p.host + ".", p.host + ":443", p.host.capitalize()))
    source = f"https://{host}/fhir{s.draw.choice(('', '/', '#x', '/Condition/9'))}"
    s.entry(s.new("Observation"), {"meta": {"source": source}, "status": "final", "code": s.concept((LOINC, "2345-7", "Glucose")), **s.subject(), "valueString": s.secret()}, hidden=True)
    s.entry(s.new("Condition", base=p.source), {"code": {"text": f"rash {s.secret()}"}, **s.subject()}, hidden=True)
    s.vital(meta={"source": "https://hospital.example.org/fhir"})


@situation(grants=True, whole=False)
def labelled_part2(s):
    """A record that came labelled 42CFRPart2 and names its program as custodian."""
    s.make_patient()
    s.make_program()
    s.entry(s.new("DocumentReference"), {"meta": {"security": [{"system": ACT, "code": "42CFRPart2"}]}, "status": "current", **s.subject(), "custodian": s.by_program(),
                                         "description": s.secret(), "content": [{"attachment": {"contentType": "text/plain", "data": Packed("plain", s.secret()), "title": f"summary {s.secret()}"}}]}, hidden=True)
    s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "description": s.keep(),
                                         "content": [{"attachment": {"contentType": "text/plain", "data": Packed("plain", s.harmless()), "title": "foot film"}}]})


@situation()
def received_message_copies(s):
    """The program's letter as DocumentReference, Binary and DiagnosticReport.presentedForm: one copy and its twins (C7)."""
    s.make_patient()
    s.make_program()
    letter = Packed("plain", f"Dear colleague, we saw your patient {s.secret()} on Friday. Yours, the clinic.")
    binary = s.entry(s.new("Binary"), {"contentType": "text/plain", "data": letter}, hidden=True)
    s.entry(s.new("DocumentReference"), {"status": "current", **s.subject(), "author": [s.by_program()],
                                         "content": [{"attachment": {"contentType": "text/plain", "data": letter, "title": f"letter {s.secret()}"}},
                                                     {"attachment": {"url": f"Binary/{binary.id}"}}]}, hidden=True)
    s.entry(s.new("DiagnosticReport"), {"status": "final", "code": {"text": f"outside letter {s.secret()}"}, **s.subject(),
                                        "presentedForm": [{"contentType": "text/plain", "data": letter}]}, hidden=True)
    s.vital()


@situation(grants=True)
def signed_by_staff(s):
    """PractitionerRole at the program; the doctor who works elsewhere, too, stays."""
    s.make_patient()
    s.make_program()
    doctor = s.entry(s.new("Practitioner"), {"name": [{"family": s.keep()}]})
    clinic = s.entry(s.new("Organization"), {"name": f"Valley Clinic {s.keep()}"})
    s.entry(s.new("PractitionerRole"), {"practitioner": s.ref(doctor), "organization": s.ref(clinic)})
    role = s.entry(s.new("PractitionerRole"), {"practitioner": s.ref(doctor), "organization": s.by_program(), "specialty": [{"text": s.secret()}]}, hidden=True)
    s.entry(s.new("Procedure"), {"status": "completed", "code": {"text": f"counselling {s.secret()}"}, **s.subject(), "performer": [{"actor": s.ref(role)}]}, hidden=True)
    s.vital(performer=[s.ref(doctor)])


@situation(grants=True)
def extensions_that_point(s):
    """References and names of the program inside of extensions (C6)."""
    s.make_patient()
    p = s.make_program()
    oud = s.sud_condition(recorder=s.by_program())
    more = [s.hide({"url": "http://hospital.example.org/ext/related", "valueReference": s.ref(oud)}),
            s.hide({"url": "http://hospital.example.org/ext/from", "extension": [{"url": "who", "valueString": f"{p.name} {s.secret()}"}, {"url": "when", "valueDate": "2026-01-02"}]}),
            {"url": "http://hospital.example.org/ext/bed", "valueString": s.keep()}]
    s.draw.shuffle(more)
    s.vital(extension=more, _status=s.hide({"extension": [{"url": "http://hospital.example.org/ext/by", "valueString": f"per {p.name} {s.secret()}"}]}))


@situation(senders=("program",), grants=True)
def own_bundle_of_a_program(s):
    """A standalone program sends: that they belong together is protected, the Patient included (P5)."""
    p = s.make_program() if not s.w.programs else s.w.programs[0]
    s.program = p
    entity = s.new("Patient", "pat")
    s.patient = entity
    s.entry(entity, {"name": [{"family": s.secret()}], "managingOrganization": s.ref(p.entity)}, hidden=True)
    s.entry(s.new("Observation"), {"status": "final", "code": s.concept((LOINC, "8867-4", "Heart rate")), **s.subject(), "valueQuantity": {"value": s.w.number()}, "note": [{"text": s.secret()}]}, hidden=True)
    s.sud_condition()

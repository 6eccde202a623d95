"""Bundles that the scenarios push.  Written for this project."""

NPI = "http://hl7.org/fhir/sid/us-npi"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def entry(resource, method="PUT"):
    url = f"{resource['resourceType']}/{resource['id']}" if method == "PUT" else resource["resourceType"]
    return {"fullUrl": f"https://ehr.example.org/fhir/{resource['resourceType']}/{resource['id']}",
            "resource": resource, "request": {"method": method, "url": url}}


def bundle(*resources, type="transaction", method="PUT"):
    entries = [entry(r, method) for r in resources]
    if type not in ("transaction", "batch"):
        for e in entries:
            del e["request"]
    return {"resourceType": "Bundle", "type": type, "entry": entries}


def patient(id="p1"):
    return {"resourceType": "Patient", "id": id, "name": [{"family": "Rivera", "given": ["Ana"]}],
            "gender": "female", "birthDate": "1984-03-02"}


def observation(id="a1c", patient="p1", value="6.10"):
    return {"resourceType": "Observation", "id": id, "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c"}]},
            "subject": {"reference": f"Patient/{patient}"}, "effectiveDateTime": "2026-10-01",
            "valueString": value}


def condition(id="oud", patient="p1", code="F11.20", display="Opioid dependence, uncomplicated", **more):
    return {"resourceType": "Condition", "id": id,
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "code": {"coding": [{"system": ICD, "code": code, "display": display}]},
            "subject": {"reference": f"Patient/{patient}"}, **more}


def consent(id="c1", patient="p1", npi="1000000002", status="active", date="2026-01-05", end="2027-12-31",
            organization="Organization/riverside"):
    act = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
    return {"resourceType": "Consent", "id": id, "status": status,
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
                                  "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": f"Patient/{patient}"}, "dateTime": date,
            "performer": [{"reference": f"Patient/{patient}"}],
            "organization": [{"reference": organization}],
            "policy": [{"uri": "http://example.org/policies/part2-consent"}],
            "provision": {"type": "permit", "period": {"start": date, "end": end},
                          "actor": [{"role": {"coding": [{
                              "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                              "code": "IRCP"}]},
                              "reference": {"identifier": {"system": NPI, "value": npi}}}],
                          "purpose": [{"system": act, "code": code} for code in ("TREAT", "HPAYMT", "HOPERAT")]}}

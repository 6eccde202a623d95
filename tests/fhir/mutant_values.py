"""The tables of tests/fhir/mutants.py: wrong values, each with the rule of R4 that it breaks.

Written from R4's own pages (datatypes.html, json.html, narrative.html, the invariants of the resources); a value that R4
does not forbid must not be here.  In DATATYPES and INVARIANTS a right form stands beside the wrong one and has to pass.
"""
from r4_elements import Raw

GOOD_PRIMITIVES = {
    "boolean": True, "integer": 7, "unsignedInt": 7, "positiveInt": 7, "decimal": Raw("7.50"), "string": "x", "markdown": "x",
    "code": "x", "id": "x", "uri": "urn:x:y", "url": "http://planted.example", "canonical": "http://planted.example/c",
    "oid": "urn:oid:2.999", "uuid": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "date": "2020-02-29",
    "dateTime": "2020-02-29T23:59:59+14:00", "instant": "2020-02-29T23:59:59.123Z", "time": "23:59:59", "base64Binary": "QUJD",
}

# datatypes.html#primitive
BAD_PRIMITIVES = {
    "boolean": ["true", "yes", 1, 0, "", {"a": 1}],
    "integer": [2147483648, -2147483649, Raw("1.0"), Raw("1.5"), Raw("1e2"), "7", "", True, Raw("-0.5"), Raw("12345678901234567890")],
    "unsignedInt": [-1, 2147483648, Raw("0.5"), "0", False, Raw("1E0")],
    "positiveInt": [0, -1, 2147483648, Raw("1.0"), "1"],
    "decimal": ["7.5", "", True, "NaN", [1], {"value": 1}],
    "string": ["", 7, True, Raw("1.5"), {"a": "b"}],
    "markdown": ["", 7, False],
    "code": ["", " x", "x ", "x  y", "x\ty", "\nx", 7, True],
    "id": ["", "a_b", "a b", "a/b", "x" * 65, "é", "a:b", 7],
    "uri": ["", "http://a b", " http://a", "http://a\n", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:", "urn:uuid:x",
            "oid:1.2.3", "uuid:c757873d-ec9a-4326-a141-556f43239520", 7],
    "url": ["", "http://a b", "\thttp://a", 7],
    "canonical": ["", "http://a b", "relative/name", "name", "|1.0", 7],
    "oid": ["", "2.999", "urn:oid:3.1", "urn:oid:01.2", "urn:oid:1..2", "urn:oid:1.2.", "http://a", 7],
    "uuid": ["", "c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d-ec9a-4326-a141-55643239520",
             "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "urn:uuid:c757873d-ec9a-4326-a141-556f4323952g", 7],
    "date": ["", "2020-13", "2020-00", "2020-1", "2020-02-30", "2021-02-29", "1900-02-29", "20200101", "2020/01/01", "0000",
             "2020-01-01T00:00:00Z", "2020-01-00", "2020-04-31", "20", "02020", "2020-01-01 ", "today", 2020],
    "dateTime": ["", "2020-01-01T10:00", "2020-01-01T10:00Z", "2020-01-01T10:00:00", "2020-01-01T24:00:00Z", "2020-01-01T10:60:00Z",
                 "2020-01-01T10:00:61Z", "2020-01-01T10:00:00+15:00", "2020-01-01T10:00:00+14:01", "2020-01-01T10:00:00+1:00",
                 "2020-01-01 10:00:00Z", "2020-01-01t10:00:00z", "2020-01-01T10:00:00.Z", "2020-02-30T10:00:00Z", "2020-13", "T10:00:00Z",
                 "2020-01T10:00:00Z", "now", 2020],
    "instant": ["", "2020", "2020-01-01", "2020-01-01T10:00:00", "2020-01-01T10:00Z", "2020-02-30T10:00:00Z", "2020-01-01T24:00:00Z",
                "2020-01-01T10:00:00+0100", 1577836800],
    "time": ["", "24:00:00", "10:00", "10:60:00", "10:00:00Z", "1:00:00", "10:00:00+01:00", "T10:00:00", 10],
    "base64Binary": ["", "A", "QUI", "QU=D", "QUJD=", "====", "QUJ*", "QUJD-_AA", 7],
}

# One of each kind of JSON value.
OTHER_JSON_TYPES = ["text", 7, Raw("7.5"), True, {"a": "b"}, ["a"]]

# Right by form, in no value set, language, media type or currency list.
UNKNOWN_CODES = ["**", "no-such-code-1", "A**"]

PERIOD = {"start": "2020-02-01", "end": "2020-01-01"}
UCUM = "http://unitsofmeasure.org"


def quantity(value, code="mg", system=UCUM):
    return {"value": value, "unit": code, "system": system, "code": code}


def without(value, *names):
    return {key: one for key, one in value.items() if key not in names}


def repeat(**more):
    return {"repeat": more}


# (type, right, wrong, where below it the finding stands, rule)
DATATYPES = [
    ("Quantity", quantity(1), without(quantity(1), "system"), (), "qty-3"),
    ("Quantity", quantity(1), {**quantity(1), "comparator": "~"}, ("comparator",), "binding"),
    ("Range", {"low": quantity(1), "high": quantity(2)}, {"low": quantity(2), "high": quantity(1)}, (), "rng-2"),
    ("Period", {"start": "2020-01-01", "end": "2020-01-01"}, PERIOD, (), "per-1"),
    ("Period", {"start": "2020", "end": "2021"}, {"start": "2020-01-01T10:00:00Z", "end": "2020-01-01T09:59:59Z"}, (), "per-1"),
    ("Ratio", {"numerator": quantity(1), "denominator": quantity(2)}, {"numerator": quantity(1)}, (), "rat-1"),
    ("ContactPoint", {"system": "phone", "value": "1"}, {"value": "1"}, (), "cpt-2"),
    ("ContactPoint", {"system": "phone", "value": "1"}, {"system": "pigeon", "value": "1"}, ("system",), "binding"),
    ("ContactPoint", {"system": "sms", "value": "1", "rank": 1}, {"system": "sms", "value": "1", "rank": 0}, ("rank",), "primitive"),
    ("Attachment", {"contentType": "text/plain", "data": "QUJD"}, {"data": "QUJD"}, (), "att-1"),
    ("Attachment", {"contentType": "text/plain", "data": "QUJD", "size": 3},
     {"contentType": "text/plain", "data": "QUJD", "size": 4}, (), "attachment-size"),
    ("Attachment", {"contentType": "text/plain", "url": "http://a"}, {"contentType": "plain", "url": "http://a"}, ("contentType",), "binding"),
    ("Attachment", {"language": "en-US", "url": "http://a"}, {"language": "english!", "url": "http://a"}, ("language",), "binding"),
    ("Money", {"value": 1, "currency": "USD"}, {"value": 1, "currency": "DOL"}, ("currency",), "binding"),
    ("Timing", repeat(duration=1, durationUnit="h"), repeat(duration=1), ("repeat",), "tim-1"),
    ("Timing", repeat(period=1, periodUnit="d"), repeat(period=1), ("repeat",), "tim-2"),
    ("Timing", repeat(duration=1, durationUnit="h"), repeat(duration=-1, durationUnit="h"), ("repeat",), "tim-4"),
    ("Timing", repeat(period=1, periodUnit="d"), repeat(period=-1, periodUnit="d"), ("repeat",), "tim-5"),
    ("Timing", repeat(period=1, periodMax=2, periodUnit="d"), repeat(periodMax=2, periodUnit="d"), ("repeat",), "tim-6"),
    ("Timing", repeat(duration=1, durationMax=2, durationUnit="h"), repeat(durationMax=2, durationUnit="h"), ("repeat",), "tim-7"),
    ("Timing", repeat(count=1, countMax=2), repeat(countMax=2), ("repeat",), "tim-8"),
    ("Timing", repeat(when=["AC"], offset=30), repeat(offset=30), ("repeat",), "tim-9"),
    ("Timing", repeat(timeOfDay=["10:00:00"]), repeat(timeOfDay=["10:00:00"], when=["AC"]), ("repeat",), "tim-10"),
    ("Timing", repeat(dayOfWeek=["mon"]), repeat(dayOfWeek=["monday"]), ("repeat", "dayOfWeek", 0), "binding"),
    ("SampledData", {"origin": quantity(1), "period": 1, "dimensions": 1}, {"origin": quantity(1), "period": 1}, (), "cardinality"),
    ("Age", quantity(1, "a"), quantity(-1, "a"), (), "age-1"),
    ("Distance", quantity(1, "m"), quantity(1, "m", "http://units.example"), (), "dis-1"),
    ("Duration", quantity(1, "h"), quantity(1, "h", "http://units.example"), (), "drt-1"),
    ("Count", quantity(1, "1"), quantity(1, "mg"), (), "cnt-3"),
    ("Annotation", {"text": "x"}, {"authorString": "x"}, (), "cardinality"),
    ("Annotation", {"text": "x", "authorString": "x"}, {"text": "x", "authorString": "x", "authorReference": {"display": "x"}},
     ("authorReference",), "choice"),
    ("HumanName", {"use": "old", "family": "x"}, {"use": "older", "family": "x"}, ("use",), "binding"),
    ("HumanName", {"family": "x"}, {"family": "x", "period": PERIOD}, ("period",), "per-1"),
    ("Address", {"use": "home", "city": "x"}, {"use": "homely", "city": "x"}, ("use",), "binding"),
    ("Identifier", {"system": "urn:oid:2.999", "value": "1"}, {"system": "mrn", "value": "1"}, (), "identifier-system"),
    ("Identifier", {"use": "usual", "value": "1"}, {"use": "always", "value": "1"}, ("use",), "binding"),
    ("Coding", {"system": "http://a", "code": "x"}, {"system": "a", "code": "x"}, (), "coding-system"),
    ("CodeableConcept", {"coding": [{"system": "http://a", "code": "x"}]}, {"coding": [{"system": "http://a", "code": " "}]},
     ("coding", 0, "code"), "primitive"),
    ("Signature", {"type": [{"system": "http://a", "code": "x"}], "when": "2020-01-01T00:00:00Z", "who": {"display": "x"}},
     {"type": [{"system": "http://a", "code": "x"}], "who": {"display": "x"}}, (), "cardinality"),
    ("Reference", {"reference": "Patient/1", "type": "Patient"}, {"reference": "Patient/1", "type": "Group"}, (), "reference-type"),
    ("Reference", {"display": "x"}, {"reference": "#none"}, (), "ref-1"),
    ("Expression", {"language": "text/fhirpath", "expression": "true"}, {"language": "text/fhirpath"}, (), "exp-1"),
    ("UsageContext", {"code": {"code": "age", "system": "http://a"}, "valueRange": {"low": quantity(1)}},
     {"valueRange": {"low": quantity(1)}}, (), "cardinality"),
    ("RelatedArtifact", {"type": "citation", "citation": "x"}, {"type": "cited", "citation": "x"}, ("type",), "binding"),
    ("ParameterDefinition", {"use": "in", "type": "string"}, {"use": "inout", "type": "string"}, ("use",), "binding"),
    ("TriggerDefinition", {"type": "named-event", "name": "x"}, {"type": "named-event"}, (), "trd-3"),
    ("TriggerDefinition", {"type": "periodic", "timingDate": "2020-01-01"}, {"type": "periodic"}, (), "trd-3"),
    ("DataRequirement", {"type": "Patient", "limit": 1}, {"type": "Patient", "limit": 0}, ("limit",), "primitive"),
    ("Dosage", {"doseAndRate": [{"doseQuantity": quantity(1)}]},
     {"doseAndRate": [{"doseQuantity": quantity(1), "doseRange": {"low": quantity(1)}}]}, ("doseAndRate", 0, "doseRange"), "choice"),
]

CODE = {"coding": [{"system": "http://a", "code": "x"}]}
WHO = {"display": "x"}
HL7 = "http://terminology.hl7.org/CodeSystem/"


def concept(system, code):
    return {"coding": [{"system": HL7 + system, "code": code}]}


OBSERVATION = {"resourceType": "Observation", "status": "final", "code": CODE}
CONDITION = {"resourceType": "Condition", "subject": WHO, "clinicalStatus": concept("condition-clinical", "resolved"),
             "verificationStatus": concept("condition-ver-status", "confirmed")}
ALLERGY = {"resourceType": "AllergyIntolerance", "patient": WHO, "clinicalStatus": concept("allergyintolerance-clinical", "active"),
           "verificationStatus": concept("allergyintolerance-verification", "confirmed")}
QUESTIONNAIRE = {"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "1", "type": "string", "text": "x"}]}
COMPOSITION = {"resourceType": "Composition", "status": "final", "type": CODE, "date": "2020", "author": [WHO], "title": "x",
               "section": [{"text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}}]}
TASK = {"resourceType": "Task", "status": "draft", "intent": "order", "lastModified": "2020-02-01", "authoredOn": "2020-01-01"}
CODE_SYSTEM = {"resourceType": "CodeSystem", "status": "draft", "content": "complete", "concept": [{"code": "a"}]}
VALUE_SET = {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{"system": "http://a.example"}]}}
LIST = {"resourceType": "List", "status": "current", "mode": "changes", "entry": [{"item": WHO}]}

# (invariant, right, members that make it wrong (None: taken away), where)
INVARIANTS = [
    ("obs-6", {**OBSERVATION, "valueString": "x"}, {"dataAbsentReason": CODE}, ()),
    ("obs-7", {**OBSERVATION, "component": [{"code": CODE, "valueString": "x"}]}, {"valueString": "y"}, ()),
    ("obs-3", {**OBSERVATION, "referenceRange": [{"text": "x"}]}, {"referenceRange": [{"appliesTo": [CODE]}]}, ("referenceRange", 0)),
    ("con-4", {**CONDITION, "abatementDateTime": "2020"}, {"clinicalStatus": concept("condition-clinical", "active")}, ()),
    ("con-5", CONDITION, {"verificationStatus": concept("condition-ver-status", "entered-in-error")}, ()),
    ("con-1", {**CONDITION, "stage": [{"summary": CODE}]}, {"stage": [{"type": CODE}]}, ("stage", 0)),
    ("con-2", {**CONDITION, "evidence": [{"code": [CODE]}]}, {"evidence": [{"extension": [{"url": "http://a", "valueCode": "x"}]}]},
     ("evidence", 0)),
    ("ait-1", ALLERGY, {"clinicalStatus": None}, ()),
    ("ait-2", ALLERGY, {"verificationStatus": concept("allergyintolerance-verification", "entered-in-error")}, ()),
    ("pat-1", {"resourceType": "Patient", "contact": [{"gender": "other", "name": {"text": "x"}}]}, {"contact": [{"gender": "other"}]},
     ("contact", 0)),
    ("que-1", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "string", "text": "x"}, {"linkId": "2", "type": "display", "text": "x",
                              "item": [{"linkId": "2.1", "type": "display", "text": "x"}]}]}, ("item", 1)),
    ("que-2", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "string", "text": "x"}, {"linkId": "1", "type": "string", "text": "x"}]}, ()),
    ("que-3", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "display", "text": "x", "code": [{"system": "http://a", "code": "x"}]}]},
     ("item", 0)),
    ("que-6", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "display", "text": "x", "required": True}]}, ("item", 0)),
    ("que-8", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "group", "text": "x", "initial": [{"valueString": "x"}]}]}, ("item", 0)),
    ("que-9", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "display", "text": "x", "readOnly": True}]}, ("item", 0)),
    ("que-10", QUESTIONNAIRE, {"item": [{"linkId": "1", "type": "date", "text": "x", "maxLength": 3}]}, ("item", 0)),
    ("cmp-1", COMPOSITION, {"section": [{"title": "x"}]}, ("section", 0)),
    ("inv-1", TASK, {"authoredOn": "2020-03-01"}, ()),
    ("gol-1", {"resourceType": "Goal", "lifecycleStatus": "active", "description": CODE, "subject": WHO,
               "target": [{"measure": CODE, "detailString": "x"}]}, {"target": [{"detailString": "x"}]}, ("target", 0)),
    ("cpl-3", {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": WHO, "activity": [{"reference": WHO}]},
     {"activity": [{"reference": WHO, "detail": {"status": "scheduled"}}]}, ("activity", 0)),
    ("prr-1", {"resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": WHO, "code": CODE, "orderDetail": [CODE]},
     {"code": None}, ()),
    ("grp-1", {"resourceType": "Group", "type": "person", "actual": True, "member": [{"entity": WHO}]}, {"actual": False}, ()),
    ("lst-1", {**LIST, "emptyReason": None}, {"emptyReason": CODE}, ()),
    ("lst-2", {**LIST, "entry": [{"item": WHO, "deleted": True}]}, {"mode": "working"}, ()),
    ("lst-3", {**LIST, "mode": "working", "entry": [{"item": WHO, "date": "2020"}]}, {"mode": "snapshot"}, ()),
    ("org-1", {"resourceType": "Organization", "name": "x"}, {"name": None, "active": True}, ()),
    ("org-2", {"resourceType": "Organization", "name": "x", "address": [{"use": "work", "city": "x"}]},
     {"address": [{"use": "home", "city": "x"}]}, ("address", 0)),
    ("org-3", {"resourceType": "Organization", "name": "x", "telecom": [{"system": "phone", "use": "work", "value": "1"}]},
     {"telecom": [{"system": "phone", "use": "home", "value": "1"}]}, ("telecom", 0)),
    ("ppc-1", {"resourceType": "Consent", "status": "active", "scope": concept("consentscope", "patient-privacy"), "category": [CODE],
               "policy": [{"uri": "http://a"}]}, {"policy": None}, ()),
    ("vsd-1", VALUE_SET, {"compose": {"include": [{"version": "1"}]}}, ("compose", "include", 0)),
    ("vsd-2", VALUE_SET, {"compose": {"include": [{"valueSet": ["http://b.example"], "concept": [{"code": "x"}]}]}}, ("compose", "include", 0)),
    ("vsd-3", VALUE_SET, {"compose": {"include": [{"system": "http://a.example", "concept": [{"code": "x"}], "filter": [
        {"property": "x", "op": "=", "value": "y"}]}]}}, ("compose", "include", 0)),
    ("csd-1", CODE_SYSTEM, {"concept": [{"code": "a"}, {"code": "a"}]}, ()),
    ("nsd-1", {"resourceType": "NamingSystem", "name": "X", "status": "draft", "kind": "root", "date": "2020",
               "uniqueId": [{"type": "oid", "value": "2.999"}]}, {"uniqueId": [{"type": "uuid", "value": "c757873d-ec9a-4326-a141-556f43239520"}]}, ()),
    ("nsd-2", {"resourceType": "NamingSystem", "name": "X", "status": "draft", "kind": "root", "date": "2020",
               "uniqueId": [{"type": "oid", "value": "2.999", "preferred": True}]},
     {"uniqueId": [{"type": "oid", "value": "2.999", "preferred": True}, {"type": "oid", "value": "2.998", "preferred": True}]}, ()),
    ("sev-1", {"resourceType": "AuditEvent", "type": {"system": "http://a", "code": "x"}, "recorded": "2020-01-01T00:00:00Z",
               "agent": [{"requestor": True}], "source": {"observer": WHO}, "entity": [{"name": "x"}]},
     {"entity": [{"name": "x", "query": "QUJD"}]}, ("entity", 0)),
    ("inv-1", {"resourceType": "Parameters", "parameter": [{"name": "x", "valueString": "x"}]},
     {"parameter": [{"name": "x", "valueString": "x", "resource": {"resourceType": "Basic", "code": CODE}}]}, ("parameter", 0)),
    ("per-1", {"resourceType": "Encounter", "status": "planned", "class": {"system": "http://a", "code": "x"}, "period": {"start": "2020"}},
     {"period": PERIOD}, ("period",)),
    ("drt-1", {"resourceType": "Encounter", "status": "planned", "class": {"system": "http://a", "code": "x"}, "length": quantity(1, "h")},
     {"length": {"value": 1, "code": "h"}}, ("length",)),
]

# narrative.html#xhtml.  A text that begins with "=" is the whole div.
NARRATIVES = [
    ("=x", ("xhtml",)), ("=<div>x</div>", ("xhtml",)), ('=<p xmlns="http://www.w3.org/1999/xhtml">x</p>', ("xhtml", "txt-1")),
    ('=<div xmlns="http://www.w3.org/1999/xhtml">x', ("xhtml",)),
    ('=<!DOCTYPE html><div xmlns="http://www.w3.org/1999/xhtml">x</div>', ("xhtml",)),
    ('=<div xmlns="http://www.w3.org/1999/xhtml"/>', ("txt-2",)),
    ("", ("txt-2",)), (" \n ", ("txt-2",)), ("<p></p>", ("txt-2",)),
    ("<p>x", ("xhtml",)), ("<p>x</b></p>", ("xhtml",)), ("a & b", ("xhtml",)), ("&nbsp;x", ("xhtml",)), ("<p class=x>x</p>", ("xhtml",)),
    ('<p class="a" class="b">x</p>', ("xhtml",)), ("<?php x ?>x", ("xhtml",)), ("a < b", ("xhtml",)),
    ("<script>alert(1)</script>x", ("xhtml-active", "txt-1")), ('<p onclick="x()">x</p>', ("xhtml-active", "txt-1")),
    ('<a href="javascript:x()">x</a>', ("xhtml-active",)), ('<a href=" java&#115;cript:x()">x</a>', ("xhtml-active",)),
    ('<iframe src="http://a"></iframe>x', ("xhtml-active", "txt-1")), ("<form>x</form>", ("xhtml-active", "txt-1")),
    ('<input value="x"/>x', ("xhtml-active", "txt-1")), ("<object>x</object>", ("xhtml-active", "txt-1")),
    ('<a href="data:text/html,x">x</a>', ("xhtml-active",)), ('<p style="background: url(javascript:x)">x</p>', ("xhtml-active",)),
    ("<blink>x</blink>", ("txt-1",)), ('<p foo="x">x</p>', ("txt-1",)), ("<html><body>x</body></html>", ("txt-1",)),
    ('<link rel="stylesheet" href="http://a"/>x', ("txt-1", "xhtml-active")), ("<base href='http://a'/>x", ("txt-1", "xhtml-active")),
    ("<P>x</P>", ("txt-1",)), ('<a href="#nothing-here">x</a>', ("xhtml-link",)),
]


# ---- JSON that is none --------------------------------------------------------------------


def twice(text):
    return text.replace('"resourceType"', '"resourceType": "Patient",\n "resourceType"', 1)


def twice_escaped(text):
    return text.replace('"resourceType"', '"re\\u0073ourceType": "Patient",\n "resourceType"', 1)


BROKEN_JSON = [
    ("cut short", lambda text: text[:len(text) // 2]), ("nothing", lambda text: ""), ("a member twice", twice),
    ("a member twice, escaped", twice_escaped), ("a comma too many", lambda text: text.rstrip()[:-1] + ",}"),
    ("a byte order mark", lambda text: "\ufeff" + text), ("text behind", lambda text: text + "x"),
    ("two documents", lambda text: text + text), ("a lone surrogate", lambda text: text.replace('": "', '": "\\ud800', 1)),
    ("a null character", lambda text: text.replace('": "', '": "\\u0000', 1)),
    ("a line break in a string", lambda text: text.replace('": "', '": "\n', 1)),
    ("single quotes", lambda text: text.replace('"resourceType"', "'resourceType'", 1)),
    ("a comment", lambda text: "/* x */" + text), ("a number with a zero", lambda text: text.replace("{", '{"x": 01,', 1)),
    ("a plus", lambda text: text.replace("{", '{"x": +1,', 1)), ("NaN", lambda text: text.replace("{", '{"x": NaN,', 1)),
    ("a bad escape", lambda text: text.replace('": "', '": "\\x', 1)), ("a list", lambda text: "[" + text + "]"),
    ("a string", lambda text: '"x"'), ("nested too deep", lambda text: text.replace("{", '{"x": ' + "[" * 5000 + "]" * 5000 + ",", 1)),
]

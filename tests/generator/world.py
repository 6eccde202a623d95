"""A made-up world: patients, programs, recipients, consents; what situations (situations_*.py) are built with.

Names, numbers and addresses are made; codes are those of the fixtures and of consent/codes.facts.
"""
from model import Hidden, Raw

NPI = "http://hl7.org/fhir/sid/us-npi"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SCT = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
HCPCS = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'
HOME = "https://ehr.example.org/fhir"
AT = "2026-11-22T15:00:00Z"

FAMILIES = "Abara Quist Ferro Lindgren Okafor Maki Sorel Tanaka Urbina Voss Weir Yoder Zeller Heron Castellano Dubrovnik".split()
GIVEN = "Ada Bo Cleo Dov Esme Finn Gus Hana Iva Jude Kai Lena Mira Noor Otis Pia".split()
TREES = "Oak Alder Cedar Willow Birch Juniper Larch Maple Hazel Rowan Linden Aspen".split()
KINDS = ("Recovery", "Recovery Center", "Renewal Center", "Turning Point", "New Start House", "Second Chance Clinic")
STREETS = "Quarry Mill Foundry Tannery Harbor Orchard Station".split()

# What is permitted anywhere: (code, display) of matters that no rule of Part 2 knows.
CONDITIONS = ((ICD, "I10", "Essential (primary) hypertension"), (ICD, "E11.9", "Type 2 diabetes mellitus without complications"),
              (SCT, "38341003", "Hypertensive disorder"), (SCT, "195967001", "Asthma"), (ICD, "J45.909", "Unspecified asthma, uncomplicated"))
DRUGS = ((RXNORM, "6809", "Metformin"), (RXNORM, "29046", "Lisinopril"), (RXNORM, "7646", "Omeprazole"))
VITALS = ((LOINC, "8867-4", "Heart rate", "/min"), (LOINC, "2345-7", "Glucose", "mg/dL"), (LOINC, "4548-4", "Hemoglobin A1c", "%"),
          (LOINC, "8310-5", "Body temperature", "Cel"), (LOINC, "29463-7", "Body weight", "kg"))
NUMBERS = ("1.50", "72", "0.10", "1e2", "98.6", "120.0", "5", "12345678901234567890", "6.02E+3", "-0.0")
HARMLESS = ("sat in the blue chair", "prefers mornings", "walks with a cane", "asked about parking", "à la maison, crème brûlée 🙂",
            "called back on Tuesday", "left a hat", "speaks French at home")

# Who and where: a consent that opens nothing else needs no notice for them.
DIRECTORY = ("Organization", "Location", "Practitioner", "PractitionerRole", "HealthcareService", "Endpoint", "Medication", "Specimen")

# What tells of substance use by its code: (system, code, display) of tier 1.
SUD_CONDITIONS = ((ICD, "F11.20", "Opioid dependence, uncomplicated"), (ICD, "F10.20", "Alcohol dependence, uncomplicated"),
                  (ICD, "F14.10", "Cocaine abuse, uncomplicated"), (SCT, "75544000", "Opioid dependence"),
                  (SCT, "5602001", "Opioid abuse"), (ICD, "F11.21", "Opioid dependence, in remission"), (ICD, "F15.20", "Other stimulant dependence, uncomplicated"))
SUD_DRUGS = ((RXNORM, "352364", "Buprenorphine / Naloxone"), (RXNORM, "351265", "Buprenorphine 8 MG Sublingual Tablet"),
             (RXNORM, "3554", "Disulfiram"), (RXNORM, "82819", "Acamprosate"), (RXNORM, "1990745", "Methadone 40 MG dispersible tablet"))
# What a person would write; each is in no concept of what stays.
SUD_WORDS = ("takes Suboxone daily", "relapsed on heroin last week", "attends a methadone clinic", "opioid use disorder in early remission",
             "referred for alcohol detox", "admits cocaine use", "started Sublocade", "alcohol use disorder, severe", "is in a 12-step program",
             "on buprenorphine maintenance", "intravenous drug use")


def npi(draw):
    """Ten digits with the check digit of 45 CFR 162.406 (ISO 7812 over 80840 and the number)."""
    nine = "1" + "".join(draw.choice("0123456789") for _ in range(8))
    total = 24
    for i, c in enumerate(reversed(nine)):
        d = int(c) * (2 if i % 2 == 0 else 1)
        total += d - 9 if d > 9 else d
    return nine + str(-total % 10)


class Entity:
    def __init__(self, type, id, base):
        self.type, self.id = type, id
        self.full = f"urn:uuid:{id}" if base is None else f"{base}/{type}/{id}"
        self.base = base


class Program:
    """A registered Part 2 program, 42 CFR 2.11."""

    def __init__(self, world):
        draw = world.draw
        names = [f"{tree} {kind}" for tree in TREES for kind in KINDS if not any(p.tree == tree for p in world.programs)]
        self.name = draw.choice(names)
        self.tree = self.name.split()[0]
        self.slug = self.tree.lower()
        self.npi = npi(draw)
        self.host = f"{self.slug}.example.net"
        self.source = f"https://{self.host}/fhir"
        self.phone = f"+1 555 {draw.randint(200, 999)} {draw.randint(1000, 9999)}"
        self.line = f"{draw.randint(100, 999)} {self.tree} {draw.choice(STREETS)} Lane"
        self.entity = Entity("Organization", f"{self.slug}-org", HOME)
        self.in_bundle = draw.random() < 0.6
        self.open = False                # the recipient may know it
        self.until = None                # when it ended to be one
        self.unit = False                # of a general hospital

    def facts(self):
        return {**({"until": self.until} if self.until else {}), **({"unit": True} if self.unit else {}), "reference": [f"Organization/{self.entity.id}"], "identifier": [{"system": NPI, "value": self.npi}],
                "source": [self.source], **({} if self.until else {"name": [self.name]})}


class World:
    """One Bundle and one request."""

    def __init__(self, draw, sender):
        self.draw, self.sender = draw, sender
        self.programs, self.consents, self.entries, self.kept, self.secrets = [], [], [], [], []
        self.actors = {}
        self.site = {}                   # switches that a situation turns
        self.questionnaires = []         # known to who decides, and not in the Bundle
        self.tokens = 0
        self.kind = "collection"
        self.sets = []                   # (situation, entries)

    def token(self, kind):
        """Kept: vk…; secret: zq….  No two of a seed are alike."""
        self.tokens += 1
        draw = self.draw
        text = f"{'vk' if kind == 'kept' else 'zq'}{draw.randint(0, 99999):05}{draw.choice('abcdefghjkmnprstuwx')}{self.tokens % 1000:03}"
        (self.kept if kind == "kept" else self.secrets).append(text)
        return text

    def number(self):
        return Raw(self.draw.choice(NUMBERS))


class Situation:
    """What one template builds with: one patient, perhaps a program.  `granted`: a consent lets the recipient have the hidden part."""

    def __init__(self, world, prefix, granted=False):
        self.w, self.draw, self.prefix, self.granted = world, world.draw, prefix, granted
        self.entries = []
        self.opened = False              # a protected record leaves with the consent
        self.asks = True                 # there may be a consent that permits nothing
        self.uuids = self.draw.random() < 0.25
        self.count = 0
        self.patient = None
        self.program = None

    # ---- words

    def keep(self):
        return self.w.token("kept")

    def secret(self):
        return self.w.token("kept" if self.granted else "secret")

    def hide(self, value):
        """Not there for who may not have it."""
        self.opened |= self.granted
        return value if self.granted else Hidden(value)

    def harmless(self):
        return f"{self.draw.choice(HARMLESS)} {self.keep()}"

    def day(self):
        return f"2026-{self.draw.randint(1, 9):02}-{self.draw.randint(1, 28):02}"

    def moment(self):
        return f"{self.day()}T{self.draw.randint(7, 18):02}:{self.draw.randint(0, 59):02}:00{self.draw.choice(('Z', '-05:00', '+01:00'))}"

    def concept(self, row, text=None):
        concept = {"coding": [{"system": row[0], "code": row[1], "display": row[2]}]}
        if text:
            concept["text"] = text
        return concept

    # ---- entities

    def new(self, type, name=None, base=HOME):
        self.count += 1
        if self.uuids and base == HOME:
            h = f"{self.draw.getrandbits(128):032x}"
            return Entity(type, f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}", None)
        return Entity(type, f"{self.prefix}{name or type.lower()[:4]}{self.count}", base)

    def ref(self, entity, display=None, **more):
        """A Reference; relative or absolute as may be."""
        if entity.base is None:
            text = entity.full
        elif entity.base == HOME:
            text = self.draw.choice((f"{entity.type}/{entity.id}", f"{entity.type}/{entity.id}", entity.full))
        else:
            text = entity.full
        out = {"reference": text}
        if display:
            out["display"] = display
        if self.draw.random() < 0.15:
            out["type"] = entity.type
        out.update(more)
        return out

    def entry(self, entity, fields, hidden=False, mode=None):
        resource = {"resourceType": entity.type, "id": entity.id}
        resource.update(fields)
        if not hidden:
            self.decorate(resource)
        self.entries.append((entity, resource, hidden and not self.granted))
        self.opened |= hidden and self.granted and entity.type not in DIRECTORY
        return entity

    def decorate(self, resource):
        """Harmless things that people put into resources; a token in each."""
        extensions = [{"url": f"http://hospital.example.org/ext/{self.draw.choice(('ward', 'bed', 'note'))}", "valueString": self.harmless()}]
        if resource["resourceType"] in ("Bundle", "Binary", "Parameters"):
            return
        old = resource.get("extension", [])
        resource["extension"] = (old + extensions if self.draw.random() < 0.5 else extensions + old)
        if self.draw.random() < 0.2:
            resource.setdefault("language", "en-US")
        if self.draw.random() < 0.2 and "meta" not in resource:
            resource["meta"] = {"versionId": str(self.draw.randint(1, 9)), "lastUpdated": "2026-10-01T10:00:00.000Z"}

    # ---- what most situations have

    def make_patient(self, **fields):
        p = self.new("Patient", "pat")
        self.patient = p
        family = self.draw.choice(FAMILIES)
        resource = {"identifier": [{"system": "http://hospital.example.org/mrn", "value": f"{self.draw.randint(10 ** 7, 10 ** 8)}"}],
                    "name": [{"family": family, "given": [self.draw.choice(GIVEN), self.keep()]}],
                    "gender": self.draw.choice(("female", "male", "other", "unknown")), "birthDate": f"19{self.draw.randint(40, 99)}-02-11"}
        for name, value in fields.items():
            resource[name] = resource.get(name, []) + value if isinstance(value, list) and isinstance(resource.get(name), list) else value
        self.entry(p, resource)
        return p

    def subject(self):
        return {"subject": self.ref(self.patient)}

    def make_program(self, until=None):
        """With `until` records of today name it, and its resource stays with them."""
        p = Program(self.w)
        p.open = self.granted
        if until is not None:
            p.until, p.name = until, f"{p.tree} Medical Group"
        self.w.programs.append(p)
        self.program = p
        if p.in_bundle:
            self.entry(p.entity, {"identifier": [{"system": NPI, "value": p.npi}], "name": p.name, "active": True,
                                  "telecom": [{"system": "phone", "value": p.phone}], "address": [{"line": [p.line], "city": "Springfield"}]},
                       hidden=until is None)
        return p

    def by_program(self):
        """A reference that leads to the program."""
        p = self.program
        forms = [{"identifier": {"system": NPI, "value": p.npi}}, {"reference": f"{p.source}/Organization/x{self.draw.randint(1, 99)}"}]
        forms += [self.ref(p.entity), self.ref(p.entity, p.name)] * 2
        return self.draw.choice(forms)

    def vital(self, **fields):
        row = self.draw.choice(VITALS)
        resource = {"status": "final", "code": self.concept(row[:3]), **self.subject(), "effectiveDateTime": self.moment(),
                    "valueQuantity": {"value": self.w.number(), "unit": row[3]}, "note": [{"text": self.harmless()}]}
        resource.update(fields)
        return self.entry(self.new("Observation"), resource)

    def condition(self, **fields):
        resource = {"code": self.concept(self.draw.choice(CONDITIONS)), **self.subject(), "recordedDate": self.day(), "note": [{"text": self.harmless()}]}
        resource.update(fields)
        return self.entry(self.new("Condition"), resource)

    def drug(self, **fields):
        resource = {"status": "active", "intent": "order", "medicationCodeableConcept": self.concept(self.draw.choice(DRUGS)), **self.subject(),
                    "authoredOn": self.day(), "dosageInstruction": [{"text": f"once a day {self.keep()}"}]}
        resource.update(fields)
        return self.entry(self.new("MedicationRequest"), resource)

    def visit(self, **fields):
        resource = {"status": "finished", "class": {"system": ACT, "code": "AMB"}, **self.subject(),
                    "period": {"start": self.moment()}, "serviceType": {"text": f"general {self.keep()}"}}
        resource.update(fields)
        return self.entry(self.new("Encounter"), resource)

    def some(self):
        """One or more permitted records beside."""
        for _ in range(self.draw.randint(1, 3)):
            self.draw.choice((self.vital, self.condition, self.drug, self.visit))()

    def sud_condition(self, **fields):
        row = self.draw.choice(SUD_CONDITIONS)
        resource = {"code": self.concept(row, f"{row[2]} {self.secret()}"), **self.subject(), "recordedDate": self.day(), "note": [{"text": f"seen {self.secret()}"}]}
        resource.update(fields)
        entity = self.entry(self.new("Condition"), resource, hidden=True)
        entity.words = row[2]
        return entity


def div(*parts):
    """Narrative of parts, str or Hidden."""
    from model import Text
    return {"status": "generated", "div": Text(f"<div {XHTML}>", *parts, "</div>")}

"""Ways to break a right resource at a known place: the kinds of tests/fhir/mutations.py.

A kind is a generator: it looks at a Source and yields a Mutant wherever it applies.  A Mutant is a few edits and what
has to be found: the pointer that the finding names, and the rules of which one has to say it.  Nothing is copied before
a mutant is chosen, so a kind may yield thousands.
"""
import copy

from mutant_values import (BAD_PRIMITIVES, BROKEN_JSON, DATATYPES, GOOD_PRIMITIVES, INVARIANTS, NARRATIVES, OTHER_JSON_TYPES,
                           UNKNOWN_CODES)
from r4_elements import Raw, at, capital

KINDS = {}
ONCE = "primitives"                      # the source for mutants that need none
PLANTED = "http://planted.example/value"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'


class Source:
    """A right resource, what the definitions say of its parts, and its resources with their pointers."""

    def __init__(self, name, document, definitions):
        self.name, self.document, self.definitions = name, document, definitions
        self.nodes = list(definitions.walk(document))
        self.objects = [((), document["resourceType"])] + [(n.pointer, n.below) for n in self.nodes
                                                           if n.below is not None and isinstance(n.value, dict)]
        self.resources = [(p, path) for p, path in self.objects if "resourceType" in at(document, p)]


class Mutant:
    def __init__(self, source, edits, pointer, rules, note="", damage=None):
        self.source, self.edits, self.pointer, self.rules, self.note = source, edits, pointer, rules, note
        self.damage = damage             # of the text, where no edit of values can do it

    def document(self):
        out = copy.deepcopy(self.source.document)
        for edit in self.edits:
            edit(out)
        return out


def kind(*rules):
    def register(function):
        KINDS[function.__name__.replace("_", " ")] = (function, frozenset(rules))
        return function
    return register


def mutants_of(name, source):
    function, rules = KINDS[name]
    for edits, pointer, *rest in function(source):
        note = rest[0] if rest else ""
        wanted = frozenset(rest[1]) if len(rest) > 1 else rules
        yield Mutant(source, edits, pointer, wanted, note, rest[2] if len(rest) > 2 else None)


# ---- edits ----------------------------------------------------------------------------


def put(pointer, value):
    def edit(document):
        at(document, pointer[:-1])[pointer[-1]] = copy.deepcopy(value)
    return edit


def cut(pointer):
    def edit(document):
        at(document, pointer[:-1]).pop(pointer[-1], None) if isinstance(pointer[-1], str) else \
            at(document, pointer[:-1]).pop(pointer[-1])
    return edit


def push(pointer, value):
    """Behind the last item of a list, which is made when it is not there."""
    def edit(document):
        at(document, pointer[:-1]).setdefault(pointer[-1], []).append(copy.deepcopy(value))
    return edit


def rename(pointer, name):
    def edit(document):
        parent = at(document, pointer[:-1])
        items = [(name if key == pointer[-1] else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(items)
    return edit


def count(source, pointer):
    """How many items a list has by now."""
    parent = at(source.document, pointer[:-1])
    return len(parent.get(pointer[-1], []))


def lists(source):
    """Every list of the document that the definitions know, once: (pointer, first node)."""
    return [(n.pointer[:-1], n) for n in source.nodes if n.pointer[-1] == 0]


def singles(source):
    return [n for n in source.nodes if isinstance(n.pointer[-1], str)]


# ---- structure --------------------------------------------------------------------------


@kind("cardinality")
def required_member_removed(source):
    for pointer, path in source.objects:
        value = at(source.document, pointer)
        for name, element in source.definitions.children.get(path, {}).items():
            there = [key for key in value if source.definitions.member(path, key)[0] is element]
            if element.min > 0 and there and len(value) > len(there) and path != "Extension":
                yield [cut(pointer + (key,)) for key in there], pointer, f"{path}.{name}"


@kind("unknown-element")
def unknown_member(source):
    for pointer, path in source.objects:
        yield [put(pointer + ("notOfR4",), "x")], pointer + ("notOfR4",), path


@kind("unknown-element")
def member_of_another_type(source):
    """A member that R4 has, elsewhere."""
    for pointer, path in source.objects:
        for name, value in (("birthDate", "2000-01-01"), ("numerator", {"value": 1}), ("lastOccurrence", "2000-01-01")):
            if source.definitions.member(path, name)[0] is None:
                yield [put(pointer + (name,), value)], pointer + (name,), path


@kind("element-case")
def member_in_another_case(source):
    for n in singles(source) + [first for _, first in lists(source)]:
        pointer = n.pointer if isinstance(n.pointer[-1], str) else n.pointer[:-1]
        name = pointer[-1].upper() if pointer[-1] != pointer[-1].upper() else pointer[-1].lower()
        if n.element.min == 0 and "resourceType" != pointer[-1]:
            yield [rename(pointer, name)], pointer[:-1] + (name,), n.element.path


@kind("resource-type", "bundle")
def no_resource_type(source):
    for pointer, _ in source.resources[1:]:
        yield [cut(pointer + ("resourceType",))], pointer


@kind("resource-type")
def unknown_resource_type(source):
    for pointer, path in source.resources:
        for wrong in ("NotOfR4", path.lower(), "Resource", "DomainResource", "HumanName"):
            yield [put(pointer + ("resourceType",), wrong)], pointer + ("resourceType",), wrong


@kind("json-type", "primitive", "json-array", "xhtml", "bundle")
def other_json_type(source):
    for n in source.nodes:
        if "resource" == n.pointer[-1] or "contained" in n.pointer[-2:]:
            continue
        for value in OTHER_JSON_TYPES:
            same = isinstance(value, type(n.value)) or (isinstance(value, list) and isinstance(n.pointer[-1], str))
            digits = isinstance(value, Raw) or (isinstance(value, int) and not isinstance(value, bool))
            if not same and not (digits and n.type == "decimal"):
                yield [put(n.pointer, value)], n.pointer, f"{n.type} as {type(value).__name__}"


@kind("json-array", "bundle")
def array_where_one_stands(source):
    for n in singles(source):
        if not n.repeats and n.pointer[-1] != "resourceType":
            yield [put(n.pointer, [n.value])], n.pointer, n.element.path
            yield [put(n.pointer, [n.value, n.value])], n.pointer, n.element.path


@kind("json-array", "bundle")
def one_where_an_array_stands(source):
    for pointer, first in lists(source):
        yield [put(pointer, first.value)], pointer, first.element.path


@kind("json-empty", "primitive")
def empty(source):
    for n in source.nodes:
        blank = {} if n.below is not None else ""
        if n.pointer[-1] not in ("resource", "resourceType") and "contained" not in n.pointer[-2:]:
            if isinstance(blank, dict) or isinstance(n.value, str):
                yield [put(n.pointer, blank)], n.pointer, n.type
    for pointer, first in lists(source):
        yield [put(pointer, [])], pointer, first.element.path


@kind("json-null", "bundle")
def null(source):
    for n in source.nodes:
        if n.pointer[-1] != "resourceType":
            yield [put(n.pointer, None)], n.pointer, n.type


@kind("json-parallel")
def parallel_arrays_apart(source):
    for pointer, first in lists(source):
        if first.below is None and "_" + pointer[-1] not in at(source.document, pointer[:-1]):
            shadow = pointer[:-1] + ("_" + pointer[-1],)
            extension = {"extension": [{"url": PLANTED, "valueCode": "x"}]}
            length = count(source, pointer)
            yield [put(shadow, [extension] * (length + 1))], shadow, "longer"
            if length > 1:
                yield [put(shadow, [extension] * (length - 1))], shadow, "shorter"


@kind("json-type", "json-array")
def shadow_of_another_form(source):
    for n in singles(source):
        if n.below is None and n.element.name not in ("id", "url", "resourceType") and "_" + n.pointer[-1] not in \
                at(source.document, n.pointer[:-1]):
            shadow = n.pointer[:-1] + ("_" + n.pointer[-1],)
            yield [put(shadow, "x")], shadow, "a string"
            yield [put(shadow, [{"id": "x"}])], shadow, "a list"


@kind("choice")
def second_choice(source):
    for n in singles(source):
        if n.element.choice:
            for type in n.element.types:
                if type != n.type and type in GOOD_PRIMITIVES:
                    name = n.element.name.removesuffix("[x]") + capital(type)
                    yield [put(n.pointer[:-1] + (name,), GOOD_PRIMITIVES[type])], n.pointer[:-1] + (name,), n.element.path
                    break


@kind("choice", "unknown-element")
def choice_of_another_type(source):
    for n in singles(source):
        if n.element.choice:
            for type in ("Address", "code", "base64Binary", "Timing"):
                if type not in n.element.types:
                    name = n.element.name.removesuffix("[x]") + capital(type)
                    yield [rename(n.pointer, name)], n.pointer[:-1] + (name,), f"{n.element.path} as {type}"
                    break


# ---- values ----------------------------------------------------------------------------


@kind("primitive", "json-type", "json-array")
def bad_primitive_where_it_stands(source):
    for n in source.nodes:
        for bad in BAD_PRIMITIVES.get(n.type, ()) if n.element.name != "resourceType" else ():
            yield [put(n.pointer, bad)], n.pointer, f"{n.type} {bad!r:.40}"
        if n.element.name == "id" and (n.pointer[:-1], n.element.path.rsplit(".", 1)[0]) in source.resources:
            for bad in BAD_PRIMITIVES["id"]:
                yield [put(n.pointer, bad)], n.pointer, f"id {bad!r:.40}"


def planted_at(source, value):
    """An extension with the value, at the first few objects that may have one."""
    for pointer, path in source.objects[:6]:
        if "extension" in source.definitions.children.get(path, {}):
            yield push(pointer + ("extension",), {"url": PLANTED, **value}), \
                pointer + ("extension", count(source, pointer + ("extension",)))


@kind("primitive", "json-type", "json-array")
def bad_primitive_in_an_extension(source):
    for type, wrongs in BAD_PRIMITIVES.items():
        if type == "xhtml":
            continue
        for bad in wrongs:
            for edit, place in planted_at(source, {"value" + capital(type): bad}):
                yield [edit], place + ("value" + capital(type),), f"{type} {bad!r:.40}"


@kind()
def bad_datatype_in_an_extension(source):
    for type, _, bad, below, rule in DATATYPES:
        for edit, place in planted_at(source, {"value" + type: bad}):
            yield [edit], place + ("value" + type,) + below, f"{type} {rule}", {rule}


@kind()
def invariant_broken(source):
    """Resources of their own: in a row's first form right, in its second wrong."""
    for rule, good, wrong, below in INVARIANTS if source.name == ONCE else ():
        def edit(document, wrong=wrong, good=good):
            document.clear()
            document.update(copy.deepcopy({**good, **wrong}))
            for name in [key for key, value in document.items() if value is None]:
                del document[name]
        yield [edit], below, rule, {rule}


@kind("binding", "code-unknown", "bundle-type")
def code_outside_a_required_binding(source):
    for n in source.nodes:
        if n.element.required_set and n.type == "code":
            for bad in UNKNOWN_CODES:
                yield [put(n.pointer, bad)], n.pointer, n.element.required_set
        elif n.element.required_set and n.type == "CodeableConcept" and "coding" in n.value:
            yield [put(n.pointer + ("coding", 0, "code"), "**")], None, n.element.required_set


@kind("txt-1", "txt-2", "xhtml", "xhtml-active", "xhtml-link")
def bad_narrative(source):
    for pointer, path in source.resources:
        if "text" not in source.definitions.children.get(path, {}):
            continue
        for text, rules in NARRATIVES:
            text = DIV % text if not text.startswith("=") else text[1:]
            yield [put(pointer + ("text",), {"status": "generated", "div": text})], pointer + ("text", "div"), text[:60], rules


@kind("identifier-system", "coding-system", "identifier-value", "attachment-size", "security-unique", "coding-value-set")
def bad_system(source):
    for n in source.nodes:
        if n.type == "Identifier":
            for bad in ("mrn", "/mrn", "2.16.840.1.113883"):
                yield [put(n.pointer + ("system",), bad)], n.pointer, bad, {"identifier-system"}
            yield [put(n.pointer + ("system",), "urn:ietf:rfc:3986"), put(n.pointer + ("value",), "not absolute/1")], \
                n.pointer, "", {"identifier-value"}
        if n.type == "Coding" and "code" in n.value:
            for bad in ("loinc", "/CodeSystem/x", "LN"):
                yield [put(n.pointer + ("system",), bad)], n.pointer, bad, {"coding-system"}
            yield [put(n.pointer + ("system",), "http://hl7.org/fhir/ValueSet/observation-status")], n.pointer + ("system",), \
                "", {"coding-value-set"}
        if n.type == "Meta":
            label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
            yield [put(n.pointer + ("security",), [label, label])], n.pointer + ("security", 1), "", {"security-unique"}


# ---- extensions ---------------------------------------------------------------------------


@kind()
def bad_extension(source):
    core = "http://hl7.org/fhir/StructureDefinition/"
    modifiers = {path for path, rows in source.definitions.children.items() if "modifierExtension" in rows}
    rows = (({"valueString": "x"}, (), ("cardinality",)), ({"url": PLANTED}, (), ("ext-1", "ele-1")),
            ({"url": "planted", "valueString": "x"}, (), ("extension-url",)),
            ({"url": PLANTED, "valueString": "x", "extension": [{"url": "y", "valueString": "x"}]}, (), ("ext-1",)),
            ({"url": PLANTED, "valueString": "x", "valueCode": "x"}, ("valueCode",), ("choice",)),
            ({"url": core + "patient-birthTime", "valueDateTime": "2020-01-01T10:00:00Z"}, (), ("extension-context",)),
            ({"url": core + "data-absent-reason", "valueString": "unknown"}, ("valueString",), ("profile:type",)),
            ({"url": core + "data-absent-reason", "valueCode": "**"}, ("valueCode",), ("binding", "code-unknown")),
            ({"url": core + "patient-nationality", "extension": [{"url": "other", "valueString": "x"}]}, None, ("extension-part",)))
    for pointer, path in source.objects:
        table = source.definitions.children.get(path, {})
        if "extension" not in table or path in ("Extension", "Meta"):
            continue
        place = pointer + ("extension", count(source, pointer + ("extension",)))
        for value, below, rules in rows:
            if "extension-context" in rules and path == "Patient":
                continue
            where = None if below is None else pointer if "extension-context" in rules else place + below
            yield [push(pointer + ("extension",), value)], where, str(value)[:70], rules
        if path in modifiers:
            place = pointer + ("modifierExtension", count(source, pointer + ("modifierExtension",)))
            value = {"url": core + "data-absent-reason", "valueCode": "unknown"}
            yield [push(place[:-1], value)], place, "a plain one as modifier", {"extension-modifier"}


# ---- what stands elsewhere -------------------------------------------------------------------


@kind("element-id")
def element_id_twice(source):
    complexes = [n for n in source.nodes if isinstance(n.value, dict) and "resourceType" not in n.value and "id" not in n.value
                 and not any(step in ("contained", "resource") for step in n.pointer)]
    for first, second in zip(complexes, complexes[1:]):
        yield [put(first.pointer + ("id",), "twice"), put(second.pointer + ("id",), "twice")], None, second.element.path
        yield [put(first.pointer + ("id",), "white space")], first.pointer + ("id",), first.element.path


def domain(source):
    return [(p, path) for p, path in source.resources if "contained" in source.definitions.children.get(path, {})]


@kind()
def bad_contained(source):
    lone = {"resourceType": "Organization", "id": "lone", "name": "x"}
    for pointer, _ in domain(source):
        if pointer and "contained" in pointer:
            continue
        place = pointer + ("contained", count(source, pointer + ("contained",)))
        nested = {**lone, "contained": [{"resourceType": "Organization", "id": "inner", "name": "x", "partOf": {"reference": "#lone"}}],
                  "partOf": {"reference": "#inner"}}
        for value, below, rules in ((lone, (), ("dom-3",)), ({**lone, "meta": {"versionId": "1"}}, None, ("dom-4", "dom-3")),
                                    ({**lone, "meta": {"security": [{"code": "R", "system": "urn:oid:2.999"}]}}, None, ("dom-5", "dom-3")),
                                    (nested, None, ("dom-2",)),
                                    ({"resourceType": "Organization", "name": "x"}, (), ("contained-id",))):
            yield [push(place[:-1], value)], place + below if below is not None else None, rules[0], rules


@kind("ref-1", "reference-type", "reference-form", "primitive")
def broken_reference(source):
    for n in source.nodes:
        if n.type == "Reference" and n.element.targets:
            yield [put(n.pointer, {"reference": "#nobody"})], n.pointer, "a contained one that is not there", {"ref-1"}
            yield [put(n.pointer, {"reference": "Patient/a b"})], n.pointer, "white space", {"reference-form", "primitive"}
            wrong = next(one for one in ("Binary", "Slot", "Patient") if one not in n.element.targets)
            if "Resource" not in n.element.targets:
                yield [put(n.pointer, {"type": wrong, "display": "x"})], n.pointer, wrong, {"reference-type"}
            yield [put(n.pointer, {"type": "Patient", "reference": "Group/1"})], None, "type and text disagree", \
                {"reference-type", "reference-target"}


@kind("reference-target", "profile:target")
def reference_to_another_type(source):
    """To a contained resource that the element does not admit."""
    for n in source.nodes:
        if n.type == "Reference" and n.element.targets and "Resource" not in n.element.targets and "contained" not in n.pointer:
            owner = max((p for p, _ in domain(source) if n.pointer[:len(p)] == p), key=len, default=None)
            if owner is None:
                continue
            if "Binary" not in n.element.targets:
                lone = {"resourceType": "Binary", "id": "lone", "contentType": "text/plain"}
                yield [push(owner + ("contained",), lone), put(n.pointer, {"reference": "#lone"})], n.pointer, n.element.path


# ---- Bundles ------------------------------------------------------------------------------


def bundles(source):
    return [(p, at(source.document, p)) for p, path in source.resources if path == "Bundle"]


@kind()
def bad_entry(source):
    for pointer, bundle in bundles(source):
        for i, entry in enumerate(bundle.get("entry", [])):
            place = pointer + ("entry", i)
            url, id = entry.get("fullUrl", ""), entry.get("resource", {}).get("id")
            type = entry.get("resource", {}).get("resourceType", "Basic")
            if id and url.startswith("http"):
                yield [put(place + ("fullUrl",), f"http://x.example/{type}/other")], place + ("fullUrl",), "another id", {"bundle-full-url"}
                yield [put(place + ("fullUrl",), f"http://x.example/Slot/{id}")], place + ("fullUrl",), "another type", {"bundle-full-url"}
            if url:
                yield [put(place + ("fullUrl",), f"{type}/{id or 'x'}")], place + ("fullUrl",), "relative", {"bundle-full-url"}
                yield [put(place + ("fullUrl",), f"http://x.example/{type}/{id or 'x'}/_history/1")], place + ("fullUrl",), "a version", \
                    {"bdl-8"}
                if bundle.get("type") != "history":
                    yield [push(place[:-1], entry)], None, "twice", {"bdl-7"}
            if bundle.get("type") in ("transaction", "batch"):
                yield [cut(place + ("request",))], place, "no request", {"bdl-3"}
                yield [put(place + ("response",), {"status": "200"})], None, "a response", {"bdl-4"}
            elif bundle.get("type") != "history":
                yield [put(place + ("request",), {"method": "PUT", "url": f"{type}/x"})], None, "a request", {"bdl-3"}
            if bundle.get("type") != "searchset":
                yield [put(place + ("search",), {"mode": "match"})], None, "search", {"bdl-2"}
        if bundle.get("type") not in ("searchset", "history"):
            yield [put(pointer + ("total",), 7)], None, "total", {"bdl-1"}
        yield [put(pointer + ("type",), "transacton")], pointer + ("type",), "type", {"bundle-type", "binding"}
        if bundle.get("type") == "document":
            yield [cut(pointer + ("identifier",))], pointer, "no identifier", {"bdl-9"}
            yield [cut(pointer + ("timestamp",))], pointer, "no timestamp", {"bdl-10"}
            yield [cut(pointer + ("entry", 0))], None, "no Composition", {"bdl-11"}


# ---- text --------------------------------------------------------------------------------


@kind("json")
def not_json(source):
    for note, damage in BROKEN_JSON:
        yield [], None, note, {"json", "bundle"}, damage

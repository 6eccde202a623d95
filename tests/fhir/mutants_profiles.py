"""More kinds of tests/fhir/mutations.py: what our own package's profiles and Questionnaires ask.

What has to be refused is read from the package's differentials by rows of their own, without the snapshot generator: a row
with `min` is taken away, a pattern or fixed value is changed, a row with `max` 1 comes twice.
"""
import json
import pathlib

from mutants import ONCE, cut, kind, push, put
from r4_elements import at

PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "packages/sluice.behavioral-health"
DEFINITIONS = {}


def definitions():
    if not DEFINITIONS:
        for path in PACKAGE.glob("*-*.json"):
            one = json.loads(path.read_text())
            DEFINITIONS[one["url"]] = one
    return DEFINITIONS


def rows(source):
    """The rows of the profiles that the root claims, those of their bases too; slices only as the whole."""
    for url in source.document.get("meta", {}).get("profile", []):
        while url in definitions():
            for row in definitions()[url]["differential"]["element"]:
                if "." in row["path"] and "." not in row["id"].partition(":")[2] and "extension" not in row["path"]:
                    yield row
            url = definitions()[url].get("baseDefinition")


def places(source, row):
    """(pointer of the parent, pointers of what the row speaks of), for each parent that is there."""
    parent, _, name = row["path"].rpartition(".")
    parents = [()] if "." not in parent else [n.pointer for n in source.nodes if n.element.path == parent]
    for pointer in parents:
        yield pointer, [n.pointer for n in source.nodes if n.pointer[:len(pointer)] == pointer and n.element.name == name
                        and len(n.pointer) - len(pointer) in (1, 2) and all(isinstance(s, int) for s in n.pointer[len(pointer) + 1:])]


def pattern_of(row):
    return next((value for name, value in row.items() if name.startswith(("pattern", "fixed"))), None)


@kind("profile:cardinality", "cardinality")
def what_a_profile_requires_removed(source):
    for row in rows(source):
        if row.get("min", 0) > 0 and "sliceName" not in row:
            for parent, there in places(source, row):
                if there and len(at(source.document, parent)) > 1:
                    yield [cut(there[0][:len(parent) + 1])], parent, row["id"]


@kind("profile:cardinality", "cardinality", "profile:slicing")
def a_required_slice_removed(source):
    for row in rows(source):
        if row.get("min", 0) > 0 and "sliceName" in row and pattern_of(row):
            for parent, there in places(source, row):
                if there:
                    yield [cut(there[0][:len(parent) + 1])], parent, row["id"]
                    yield [put(one + ("coding", 0, "code"), "other") for one in there], None, row["id"]


@kind("profile:pattern", "profile:fixed")
def another_value_than_the_profiles(source):
    for row in rows(source):
        pattern = pattern_of(row)
        if pattern is not None and "sliceName" not in row:
            for _, there in places(source, row):
                for one in there:
                    if isinstance(pattern, str):
                        yield [put(one, "proposal")], one, row["id"], {"profile:fixed"}
                    else:
                        inner = ("coding", 0, "code") if "coding" in pattern else ("code",)
                        yield [put(one + inner, "other")], one, row["id"]


@kind("profile:cardinality")
def more_than_the_profile_admits(source):
    for row in rows(source):
        if row.get("max") == "1" and "sliceName" not in row:
            for parent, there in places(source, row):
                if there and isinstance(there[0][-1], int):
                    yield [push(there[0][:-1], at(source.document, there[0]))], there[0], row["id"]


@kind()
def vital_signs(source):
    """R4's own profiles, implied by the code."""
    if source.name != ONCE:
        return
    ucum = {"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    weight = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
              "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
              "subject": {"display": "x"}, "effectiveDateTime": "2020-01-01", "valueQuantity": ucum}
    whole = lambda document, **more: (document.clear(), document.update({**weight, **more}))

    def wrong(*names, **more):
        return [lambda document: (whole(document, **more), [document.pop(name) for name in names])]
    yield wrong("category"), (), "no category", {"profile:cardinality"}
    yield wrong("subject"), (), "no subject", {"profile:cardinality"}
    yield wrong("effectiveDateTime"), (), "no time", {"profile:cardinality"}
    yield wrong("valueQuantity"), (), "no value", {"vs-2"}
    yield wrong(valueQuantity={**ucum, "code": "stone"}), None, "another unit", {"binding", "profile:fixed", "profile:pattern"}
    yield wrong(valueQuantity={**ucum, "system": "http://units.example"}), None, "another system", {"profile:fixed", "profile:pattern"}
    yield wrong("valueQuantity", valueString="70 kg"), None, "another type", {"profile:type", "profile:cardinality", "profile:slicing"}


@kind()
def an_answer_the_questionnaire_does_not_take(source):
    if source.document["resourceType"] != "QuestionnaireResponse" or source.document.get("questionnaire") not in definitions():
        return
    items = source.document["item"]
    for i, item in enumerate(items):
        place = ("item", i)
        yield [put(place + ("linkId",), "/none")], place, "linkId", {"questionnaire-linkid"}
        if "answer" in item:
            answer = item["answer"][0]
            yield [push(place + ("answer",), answer)], None, "twice", {"questionnaire-repeats"}
            yield [put(place + ("answer", 0), {"valueUri": "urn:x:y"})], None, "another type", {"questionnaire-type"}
            if "valueCoding" in answer:
                yield [put(place + ("answer", 0, "valueCoding", "code"), "LA0-0")], None, "no option", {"questionnaire-option"}
        if i > 0 and items[i - 1]["linkId"] != item["linkId"]:
            yield [put(place, items[i - 1]), put(("item", i - 1), item)], None, "order", {"questionnaire-order"}


@kind("score-range")
def a_total_out_of_range(source):
    claimed = source.document.get("meta", {}).get("profile", [""])[0].rsplit("/", 1)[-1]
    if source.document["resourceType"] == "Observation" and claimed.endswith("-score") and claimed != "bh-screening-score":
        for n in source.nodes:
            if n.pointer in (("valueInteger",), ("valueQuantity", "value")):
                yield [put(n.pointer, 400)], None, claimed

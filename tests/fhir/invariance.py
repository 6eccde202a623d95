"""The same document in other words has the same findings.

    invariance.py --sluice build/sluice --definitions definitions/node_modules [--seed N] [--list] [--cases DIR]

Said otherwise, each alone and all together:

    order      members of objects in another order
    space      other white space: none, tabs, CR LF, deep indentation
    escapes    some characters as \\uXXXX, in names too, and / as \\/
    ids        other ids of resources, with the references, fullUrls, links and definitions that name them
    urls       other canonical URLs, names, ids and files of the definitions that come with the document
    file       another file name (each of them has one)

Rule, severity, number, place (without indexes) and the verdict have to stay.  Asked of the examples of our package, and
where ../shared is of the validator cases with their definitions and of some of the instances there.  What would hold
for these documents only, by a name, an id, a URL or their bytes, does not survive.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from r4_elements import CORE, Raw, decimals

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "packages/sluice.behavioral-health"
DEFINING = ("StructureDefinition", "ValueSet", "Questionnaire")
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
WAYS = ("order", "space", "escapes", "ids", "all")


# ---- said otherwise ------------------------------------------------------------------------


def reordered(value, draw):
    if isinstance(value, dict):
        names = list(value)
        draw.shuffle(names)
        return {name: reordered(value[name], draw) for name in names}
    return [reordered(one, draw) for one in value] if isinstance(value, list) else value


def quoted(text, draw):
    """Each character as itself or as an escape that means it."""
    out = []
    for c in text:
        code = ord(c)
        if c in '"\\' or code < 0x20 or draw.random() < 0.2:
            if code >= 0x10000:
                high, low = 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff)
                out.append(f"\\u{high:04x}\\u{low:04X}")
            else:
                out.append("\\/" if c == "/" and draw.random() < 0.5 else f"\\u{code:04x}")
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def said(value, draw, space, escapes):
    gaps = ["", " ", "\n", "\t", "\r\n", "  \n      "] if space else [""]
    word = (lambda text: quoted(text, draw)) if escapes else (lambda text: json.dumps(text, ensure_ascii=False))

    def one(value):
        gap = draw.choice(gaps)
        if isinstance(value, Raw):
            return value
        if isinstance(value, str):
            return word(value)
        if isinstance(value, dict):
            return "{" + gap + ("," + gap).join(word(n) + gap + ":" + gap + one(v) for n, v in value.items()) + gap + "}"
        if isinstance(value, list):
            return "[" + gap + ("," + gap).join(one(v) for v in value) + gap + "]"
        return json.dumps(value)
    return draw.choice(gaps) + one(value) + draw.choice(gaps)


def strings(value, change):
    """Every string that is a value, changed."""
    if isinstance(value, dict):
        return {name: strings(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [strings(one, change) for one in value]
    return change(value) if isinstance(value, str) and not isinstance(value, Raw) else value


def resources(value):
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str):
            yield value
        for one in value.values():
            yield from resources(one)
    elif isinstance(value, list):
        for one in value:
            yield from resources(one)


def new_id(old, draw_seed):
    """As long, of the same case, and not the same."""
    draw = random.Random(f"{draw_seed}{old}")
    return "".join(draw.choice("ghjkmnpq") if c.isalpha() else draw.choice("2345") if c.isdigit() else c for c in old)


def with_other_ids(document, seed):
    known, text = {}, json.dumps(document)
    for one in resources(document):
        if isinstance(one.get("id"), str) and ID.fullmatch(one["id"]) and "urn:uuid:" + one["id"] not in text:
            known[one["resourceType"], one["id"]] = new_id(one["id"], seed)
    contained = {id: new for (_, id), new in known.items()}
    if len({(type, new) for (type, _), new in known.items()}) != len(known):
        return document                  # two would become one
    spot = re.compile(r"(?<![\w\-.])([A-Z][A-Za-z]+)([/_])([A-Za-z0-9\-.]{1,64})(?![\w\-])")
    names = re.compile(r"#([A-Za-z0-9\-.]{1,64})(?=$|[\"'])")

    def change(text):
        text = spot.sub(lambda m: m[1] + m[2] + known.get((m[1], m[3]), m[3]), text)
        return names.sub(lambda m: "#" + contained.get(m[1], m[1]), text)

    def rename(one):
        for inner in resources(one):
            key = (inner["resourceType"], inner.get("id"))
            if isinstance(inner.get("id"), str) and key in known:
                inner["id"] = known[key]
        return one
    # The anchors of a narrative are not ids of resources, unless they are spelled Type_id.
    return rename(strings(document, change))


# ---- definitions under other names ----------------------------------------------------------


def built_in(definitions):
    urls = set()
    folder = pathlib.Path(definitions)
    for path in [*(folder / CORE).glob("*.min.json"), *folder.glob("hl7.*/*.json")]:
        urls.update(re.findall(r'"url"\s*:\s*"(http[^"]+)"', path.read_text()))
    return urls


class Renamed:
    """A package of definitions whose URLs, names, ids and files are others."""

    def __init__(self, folder, kept, seed):
        self.documents = []
        self.urls, self.spot = {}, None
        self.seed = seed
        for path in sorted(folder.glob("*.json")):
            one = decimals(path.read_text())
            if path.name != "package.json":
                self.documents.append(one)
                url = one.get("url", "")
                if one.get("resourceType") in DEFINING and url.startswith("http") and url not in kept:
                    self.urls[url] = f"http://said-otherwise.test/{one['resourceType']}/{self.word(url)}"

    def word(self, text):
        return "n%08x" % random.Random(f"{self.seed}{text}").getrandbits(32)

    def change(self, text):
        """Wherever it stands: in expressions too."""
        if self.spot is None:
            self.spot = re.compile("(" + "|".join(map(re.escape, sorted(self.urls, key=len, reverse=True))) + r")(?![\w\-/.])")
        return self.spot.sub(lambda m: self.urls[m[1]], text) if self.urls else text

    def write(self, folder):
        folder.mkdir()
        (folder / "package.json").write_text(json.dumps({"name": "said.otherwise", "version": "9.9.9", "fhirVersions": ["4.0.1"],
                                                         "dependencies": {}}))
        for one in self.documents:
            url = one.get("url", "")
            one = strings(one, self.change)
            if url in self.urls:
                one["id"] = self.word("id" + url)
                if isinstance(one.get("name"), str) and one["resourceType"] != "Questionnaire":
                    one["name"] = "N" + self.word("name" + url)
            (folder / f"{self.word(json.dumps(one))}.json").write_text(json.dumps(one))


def plain_package(folder, target):
    target.mkdir()
    for path in sorted(folder.glob("*.json")):
        if path.name != "package.json":
            (target / path.name).write_text(path.read_text())
    (target / "package.json").write_text(json.dumps({"name": "as.it.is", "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": {}}))
    return target


# ---- asking ------------------------------------------------------------------------------------


def ask(sluice, package, profiles, files):
    command = [sluice, "validate", "--json", "--known-extensions"]
    command += ["--package", str(package)] if package else []
    done = subprocess.run(command + [option for url in profiles for option in ("--profile", url)] + [str(file) for file in files],
                          capture_output=True, text=True, timeout=300, check=False)
    answers = {}
    for line in done.stdout.splitlines():
        one = json.loads(line)
        answers[one["file"]] = (one["valid"], digest(one["outcome"]["issue"]))
    return [answers.get(str(file), ("no answer", done.stderr.strip()[-200:])) for file in files]


def digest(issues):
    """How often each rule spoke; where, when it spoke once: of several equal findings only the first is placed."""
    found, places = collections.Counter(), {}
    for one in issues:
        times = re.search(r"\((\d+) times", one["details"]["text"])
        rule = one["severity"], one.get("diagnostics", "")
        found[rule] += int(times[1]) if times else 1
        places[rule] = re.sub(r"\[\d+\]", "", (one.get("expression") or ["-"])[0])
    return frozenset((*rule, times, places[rule] if times == 1 else "") for rule, times in found.items())


class Trial:
    def __init__(self, sluice, seed, kept, scratch):
        self.sluice, self.seed, self.kept, self.scratch = sluice, seed, kept, scratch
        self.draw = random.Random(seed)
        self.files = 0
        self.asked, self.differ = collections.Counter(), []

    def write(self, text):
        self.files += 1
        path = self.scratch / ("%s-%06d.json" % ("".join(self.draw.choice("abcxyz") for _ in range(6)), self.files))
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return path

    def otherwise(self, document, way):
        if way in ("ids", "all"):
            document = with_other_ids(document, self.seed)
        if way in ("order", "all"):
            document = reordered(document, self.draw)
        return said(document, self.draw, way in ("space", "all"), way in ("escapes", "all"))

    def compare(self, name, way, before, after):
        self.asked[way] += 1
        if before != after:
            self.differ.append((name, way, before, after))

    def group(self, folder, profiles, named):
        """Documents that share definitions and profiles."""
        package = plain_package(folder, self.scratch / f"plain{self.files}") if folder else None
        files, what = [], []
        for name, text, document in named:
            files.append(self.write(text))
            what.append((name, None))
            for way in WAYS:
                files.append(self.write(self.otherwise(document, way)))
                what.append((name, way))
        first = {}
        for (name, way), answer in zip(what, ask(self.sluice, package, profiles, files)):
            if way is None:
                first[name] = answer
            else:
                self.compare(name, way, first[name], answer)
        if folder:
            self.group_renamed(folder, profiles, named, first)

    def group_renamed(self, folder, profiles, named, first):
        renamed = Renamed(folder, self.kept, self.seed)
        if not renamed.urls:
            return
        target = self.scratch / f"renamed{self.files}"
        renamed.write(target)
        files = [self.write(said(strings(document, renamed.change), self.draw, False, False)) for _, _, document in named]
        for (name, _, _), answer in zip(named, ask(self.sluice, target, [renamed.change(url) for url in profiles], files)):
            self.compare(name, "urls", first[name], answer)


def strict(text):
    """The document, or None where its text says something that Python cannot say again."""
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: dict(pairs) if len(dict(pairs)) == len(pairs) else 1 / 0)
        return decimals(text) if document is not None and "\\ud" not in text else None
    except (ValueError, ZeroDivisionError):
        return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sluice", required=True)
    parser.add_argument("--definitions", default=str(ROOT / "definitions/node_modules"))
    parser.add_argument("--cases", default=str(ROOT.parent / "shared/cases/validator"))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SLUICE_SEED", "5")))
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if not pathlib.Path(options.definitions).exists():
        print("the definitions are not here; skipped")
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(os.path.abspath(options.sluice), options.seed, built_in(options.definitions), pathlib.Path(scratch))
        examples = [(path.stem, path.read_text()) for path in sorted(PACKAGE.glob("example/*.json"))]
        trial.group(PACKAGE, [], [(name, text, decimals(text)) for name, text in examples])
        root = pathlib.Path(options.cases)
        groups = collections.defaultdict(list)
        for case in json.loads((root / "cases.json").read_text()) if (root / "cases.json").exists() else []:
            text = (root / case["instance"]).read_text()
            document = strict(text)
            if document is not None:
                groups[case["pack"], tuple(case["profiles"])].append((case["id"], text, document))
        data = sorted(path for path in (ROOT.parent / "shared/data/bh-examples").rglob("*.json") if path.stat().st_size < 50000)
        texts = [(path.stem, path.read_text()) for path in trial.draw.sample(data, min(60, len(data)))]
        trial.group(None, [], [(name, text, strict(text)) for name, text in texts if strict(text) is not None])
        for (pack, profiles), named in groups.items():
            trial.group(root / pack if pack else None, profiles, named)
    print(f"seed {options.seed}; {len(examples)} examples, {len(texts)} instances, {sum(map(len, groups.values()))} cases")
    wrong = collections.Counter(way for _, way, _, _ in trial.differ)
    for way in (*WAYS, "urls"):
        print(f"{way:8} {trial.asked[way] - wrong[way]:>5} of {trial.asked[way]} the same")
    for name, way, before, after in trial.differ if options.list else trial.differ[:5]:
        print(f"{name}: {way}: valid {before[0]} then {after[0]}")
        if isinstance(before[1], frozenset) and isinstance(after[1], frozenset):
            print("    gone", sorted(before[1] - after[1])[:4], "\n    new ", sorted(after[1] - before[1])[:4])
    return 1 if trial.differ else 0


if __name__ == "__main__":
    sys.exit(main())

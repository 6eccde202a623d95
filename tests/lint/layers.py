"""lint/layers -- a folder includes only what its .may-include allows.

    layers.py ROOT            the lint; exit 1 and a line a finding
    layers.py --self-check    plants violations and wants each of them found

A .may-include holds words: a glob relative to the root (`*` within a folder,
`**/` over folders), <header> or <pattern> for system headers, <*> for any.
A line `file.c: words` allows them to that file alone.  `#` begins a comment.

Two things hold whatever a .may-include says: a layer includes itself and
lower layers only (LOWER), and <*> does not cover SINGLE_USE.
"""
import pathlib
import re
import sys
import tempfile

LOWER = {
    "base": set(),
    "fhir": {"base"},
    "consent": {"base", "fhir"},
    "mappings": {"base", "fhir"},
    "care": {"base", "fhir"},
    "inspect": {"base", "consent"},
    "gateway": {"base", "fhir", "consent", "mappings", "care", "inspect"},
}
SINGLE_USE = re.compile(r"cjson/.*")          # base/json_author.c writes JSON, nobody else
SOURCES = {".c", ".h", ".def"}
# Built from facts, in the build folder (docs/decisions/0038-code-sets-are-built-from-facts.md).
BUILT = {"consent/codes_rows.def", "consent/code_sources.def", "consent/terms_table.def", "gateway/ledger/verify_py.def"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(\S+))', re.M)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def pattern(glob):
    out = ""
    for part in re.split(r"(\*\*/|\*)", glob):
        out += {"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part))
    return re.compile(out)


class Rules:
    """One .may-include."""

    def __init__(self, path):
        self.everyone, self.single = [], {}
        for line in path.read_text().splitlines():
            line = line.split("#")[0].strip()
            owner = re.match(r"([\w./-]+):\s", line)
            words = re.findall(r"<[^>]+>|\S+", line[owner.end():] if owner else line)
            (self.single.setdefault(owner[1], []) if owner else self.everyone).extend(words)

    def allow(self, source, name, system):
        for word in self.everyone + self.single.get(source, []):
            if word.startswith("<") != system:
                continue
            bare = word.strip("<>")
            if system and bare == "*":
                if not SINGLE_USE.fullmatch(name):
                    return True
            elif pattern(bare).fullmatch(name):
                return True
        return False


def rules_of(folder, root):
    """The nearest .may-include at or above the folder."""
    while True:
        if (folder / ".may-include").exists():
            return Rules(folder / ".may-include"), folder
        if folder == root:
            return None, None
        folder = folder.parent


def check_include(root, source, layer, rules, base, match):
    name, system = (match[1], False) if match[1] else (match[2], True)
    if match[3]:
        return f"includes {match[3]}, which is no plain name"
    if not system:
        if ".." in name or not ((root / name).is_file() or name in BUILT):
            return f'includes "{name}", which is not a path from the root'
        top = name.split("/")[0]
        if top != layer and top not in LOWER[layer]:
            return f'includes "{name}": {top} is not below {layer}'
    if not rules.allow(str(source.relative_to(base)), name, system):
        return f"includes {name}, which {base.name}/.may-include does not allow"
    return None


def check(root):
    found = []
    for layer in LOWER:
        for source in sorted((root / layer).rglob("*")):
            if source.suffix not in SOURCES:
                continue
            rules, base = rules_of(source.parent, root)
            text = COMMENT.sub(lambda m: "\n" * m[0].count("\n"), source.read_text())
            for match in INCLUDE.finditer(text):
                why = "has no .may-include" if rules is None else \
                    check_include(root, source, layer, rules, base, match)
                if why:
                    line = text.count("\n", 0, match.start()) + 1
                    found.append(f"{source.relative_to(root)}:{line}: {why}")
    return found


PLANTED = {
    # what: (file, text, a word of the finding or None for "is fine")
    "upward": ("fhir/up.c", '#include "consent/c.h"\n', "not below"),
    "sibling": ("mappings/side.c", '#include "consent/c.h"\n', "not below"),
    "not from the root": ("fhir/near.c", '#include "f.h"\n', "path from the root"),
    "relative": ("fhir/dots.c", '#include "../base/b.h"\n', "path from the root"),
    "system header": ("base/net.c", "#include <sys/socket.h>\n", "does not allow"),
    "computed": ("base/macro.c", "#include HEADER\n", "no plain name"),
    "spaced": ("base/spaced.c", "  #  include <time.h>\n", "does not allow"),
    "cJSON by star": ("gateway/json.c", "#include <cjson/cJSON.h>\n", "does not allow"),
    "other file's right": ("base/other.c", "#include <special.h>\n", "does not allow"),
    "widened .may-include": ("consent/wide.c", '#include "gateway/g.h"\n', "not below"),
    "own right": ("base/owner.c", "#include <special.h>\n", None),
    "any system header": ("gateway/io.c", "#include <event2/event.h>\n", None),
    "downward": ("gateway/deep/down.c", '#include "base/b.h"\n', None),
    "in a comment": ("base/said.c", '/* #include "consent/c.h" */\n', None),
}


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for layer, allowed in {"base": "base/*.h <string.h>\nowner.c: <special.h>\n", "fhir": "*/*.h\n",
                               "consent": "*/*.h\n", "mappings": "*/*.h\n", "care": "", "inspect": "",
                               "gateway": "**/*.h\n<*>\n"}.items():
            (root / layer).mkdir()
            (root / layer / ".may-include").write_text(allowed)
            (root / layer / f"{layer[0]}.h").write_text("")
        for file, text, _ in PLANTED.values():
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).write_text(text)
        found = check(root)
        for what, (file, _, word) in PLANTED.items():
            hits = [line for line in found if line.startswith(file + ":")]
            assert (not hits if word is None else len(hits) == 1 and word in hits[0]), f"{what}: {hits}"
    return []


found = self_check() if sys.argv[1] == "--self-check" else check(pathlib.Path(sys.argv[1]).resolve())
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)

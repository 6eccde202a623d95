"""lint/headers -- every header compiles alone, twice in one file, and is guarded.

    headers.py ROOT BUILD     the lint; exit 1 and what the compiler said
    headers.py --self-check BUILD

BUILD holds compile_commands.json: a header is compiled with the flags of a
source of its own folder, or of its layer.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

FOLDERS = ("base", "fhir", "consent", "mappings", "care", "gateway", "tests/support")
DROP = re.compile(r"-[cM].*|-o|.*\.[co]|.*\.o\.d")


def flags_by_folder(build, root):
    """{folder: (directory, compiler and flags)} from the first source of each."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if not file.is_relative_to(root):
            continue
        words = shlex.split(entry["command"])
        kept = [word for at, word in enumerate(words)
                if not DROP.fullmatch(word) and (at == 0 or words[at - 1] not in ("-o", "-MF", "-MT"))]
        for folder in file.relative_to(root).parents:
            found.setdefault(str(folder), (entry["directory"], kept))
    return found


def flags_for(folder, flags):
    while folder not in flags:
        if folder == ".":
            return None
        folder = os.path.dirname(folder) or "."
    return flags[folder]


def guard_of(header):
    return "SLUICE_" + re.sub(r"[/.-]", "_", header).upper()


def check_header(root, header, flags):
    chosen = flags_for(os.path.dirname(header), flags)
    if chosen is None:
        return None                            # its layer is not built
    text = (root / header).read_text()
    if f"#ifndef {guard_of(header)}\n#define {guard_of(header)}\n" not in text:
        return f"{header}: its guard is not {guard_of(header)}"
    directory, words = chosen
    # To stdout: a compiler removes its output when it fails, and root may remove /dev/null.
    done = subprocess.run(words + ["-I", str(root), "-O0", "-U_FORTIFY_SOURCE", "-S", "-o", "-", "-x", "c", "-"], cwd=directory, text=True,
                          input=f'#include "{header}"\n#include "{header}"\n', capture_output=True)
    return f"{header} does not compile alone:\n{done.stderr}" if done.returncode else None


def check(root, flags):
    headers = [str(path.relative_to(root)) for folder in FOLDERS for path in sorted((root / folder).rglob("*.h"))]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda header: check_header(root, header, flags), headers)
    return [line for line in found if line], len(headers)


PLANTED = {
    "base/needs.h": ("size_t f(void);\n", "does not compile"),
    "base/twice.h": (None, "guard"),
    "base/warns.h": ("static int unused(void) { return 1; }\n", "does not compile"),
    "base/good.h": ("#include <stddef.h>\nsize_t f(void);\n", None),
}


def self_check(flags):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "base").mkdir()
        for header, (text, _) in PLANTED.items():
            guard = guard_of(header)
            (root / header).write_text(f"#ifndef {guard}\n#define {guard}\n{text}#endif\n" if text else "int x;\n")
        found, count = check(root, flags)
        assert count == len(PLANTED)
        for header, (_, word) in PLANTED.items():
            hits = [line for line in found if line.startswith(header)]
            assert (not hits if word is None else len(hits) == 1 and word in hits[0]), f"{header}: {hits}"
    return []


build = pathlib.Path(sys.argv[2]).resolve()
if sys.argv[1] == "--self-check":
    found = self_check(flags_by_folder(build, pathlib.Path(__file__).resolve().parents[2]))
else:
    root = pathlib.Path(sys.argv[1]).resolve()
    found, count = check(root, flags_by_folder(build, root))
    print(f"{count} headers")
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)

"""lint/banned -- what no source may call, what no file may say, what is too long.

    banned.py ROOT            the lint; exit 1 and a line a finding
    banned.py --self-check    plants violations and wants each of them found

Calls are looked for in C with comments and strings blanked, words in every
text file.  Formats that are no literals are the compiler's to find (-Wformat=2
in cmake/flags.cmake); here every function that takes a format must say so.
"""
import os
import pathlib
import re
import sys
import tempfile

PURE = ("base/", "fhir/", "consent/", "mappings/", "care/")
LAYERS = PURE + ("gateway/",)

# (where a path must begin, what may not be called, why)
CALLS = [
    ("", r"strcpy|strcat|stpcpy|v?sprintf|gets|strtok(?:_r)?", "has no bound"),
    ("", r"ato(?:i|l|ll|f)|v?[fs]?scanf", "cannot say that it failed: span_to_u64, cursor"),
    ("", r"alloca|_?(?:sig)?setjmp|_?(?:sig)?longjmp", "hides where memory or control goes"),
    ("", r"rand|srand|random|tmpnam|mktemp|tempnam", "can be guessed"),
    ("", r"strncpy|strncat", "does not do what its name says"),
    (PURE, r"time|clock_gettime|gettimeofday|localtime\w*|gmtime\w*|mktime", "pure layers are told the time"),
    (PURE, r"fopen|open|read|write|socket|getenv|printf|puts|putchar|perror|exit|pthread_\w+",
     "pure layers do no I/O"),
    (PURE, r"qsort", "takes memory from the heap for large arrays: base/sort.h"),
    ("consent/", r"tape_raw", "escapes hide codes: tape_text_eq, tape_text"),
    (LAYERS, r"cJSON_Parse\w*", "untrusted JSON is read by the tape alone"),
]
# A prototype that ends in a format and an ellipsis, and then at once.
FORMAT = re.compile(r"(\w+)\([^;{}]*\bconst char \*\s*(?:format|fmt)?\s*,\s*\.\.\.\s*\)\s*;")
GOTO = re.compile(r"\bgoto\s+(?!out\b)(\w+)")
WORDS = [
    (re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b"), "unfinished work belongs in an issue"),
    (re.compile(r"(?<![\w.:/}])/(?:home|root|work|farm|Users)/\w"), "the path of somebody's machine"),
]
SKIP_FOLDERS = re.compile(r"build(?:-.*)?|node_modules|\.git|__pycache__|corpus|golden")
TEXT = re.compile(r".*\.(?:c|h|def|py|sh|md|cmake|txt|json|conf|tsv|csv|ts|tsx|css|html|yml|yaml|scn)|"
                  r"(?:.*/)?(?:\.may-include|\.clang-format|CMakeLists\.txt|run|demo|test|bootstrap|build)")
LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|/\*.*?\*/|//[^\n]*', re.S)


def blank(text):
    """Comments become spaces, the insides of literals too; lines stay."""
    def keep(match):
        inside = re.sub(r"[^\n]", " ", match[0][1:-1])
        edge = match[0][0] if match[0][0] in "\"'" else " "
        return edge + inside + edge
    return LITERAL.sub(keep, text)


def check_code(path, text):
    code = blank(text)
    for where, names, why in CALLS:
        if path.startswith(where):
            for match in re.finditer(rf"(?<![\w.>])({names})\s*\(", code):
                yield match.start(), f"{match[1]}: {why}"
    for match in FORMAT.finditer(code):
        yield match.start(), f"{match[1]}: takes a format and does not say so: __attribute__((format(printf, n, m)))"
    for match in GOTO.finditer(code):
        yield match.start(), f"goto {match[1]}: only `out`, to release a foreign handle"


def check_shape(path, text):
    """A function fits on a screen or two, a file in a head."""
    lines, opened = text.split("\n"), None
    if len(lines) > 1000:
        yield 0, f"{len(lines)} lines: a file has at most 1000"
    for number, line in enumerate(lines):
        if line == "{":
            opened = number
        elif line == "}" and opened is not None:
            if number - opened > 90:
                yield sum(map(len, lines[:opened])) + opened, f"a function of {number - opened} lines: at most 90"
            opened = None


def check_text(path, text):
    if path == "tests/lint/banned.py":
        return
    for word, why in WORDS:
        for match in word.finditer(text):
            yield match.start(), f"{match[0]}: {why}"


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not SKIP_FOLDERS.fullmatch(name))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if TEXT.fullmatch(path):
                yield path


def check(root):
    found = []
    for path in files(root):
        text = (root / path).read_text(errors="replace")
        hits = list(check_text(path, text))
        if path.endswith((".c", ".h")):
            hits += check_code(path, text)
            hits += check_shape(path, text) if path.startswith(LAYERS) else []
        found += [f"{path}:{text.count(chr(10), 0, at) + 1}: {what}" for at, what in sorted(hits)]
    return found


PLANTED = [
    # (file, text, a word of the finding or None for "is fine")
    ("base/a.c", "void f(void) { strcpy (a, b); }", "strcpy"),
    ("tests/b.c", "int x = atoi(s);", "atoi"),
    ("gateway/c.c", "sscanf(s, \"%d\", &n);", "sscanf"),
    ("fhir/d.c", "t = time(NULL);", "time"),
    ("consent/e.c", "span_eq(tape_raw(t, n), code);", "tape_raw"),
    ("gateway/f.c", "x = cJSON_ParseWithLength(p, n);", "cJSON"),
    ("gateway/j.c", "goto again;", "goto"),
    ("gateway/k.c", "x = alloca(n);", "alloca"),
    ("docs/l.md", "see /" + "home/somebody/x", "machine"),
    ("docs/m.md", "TO" + "DO: write", "unfinished"),
    ("base/n.c", "qsort(a, n, 4, f);", "qsort"),
    ("fhir/o.c", "int\nf(void)\n{\n" + "\n" * 95 + "}", "at most 90"),
    ("fhir/p.c", "int x;\n" * 1001, "at most 1000"),
    ("base/q.h", "void say(struct x *, const char *format, ...);", "takes a format"),
    ("base/ok0.h", "void say(const char *format, ...)\n    __attribute__((format(printf, 1, 2)));", None),
    ("base/ok1.c", "/* strcpy(a, b) */ const char *s = \"atoi(x)\"; s->time(0); my_time(0); goto out;", None),
    ("gateway/ok2.c", "time(NULL); fprintf(stderr, \"%s\" \"x\", s); vsnprintf(a, n, format, args);", None),
    ("gateway/ok3.c", "tape_raw(t, n); snprintf(out, n, \"strcpy(%d)\", 1);", None),
    ("docs/ok4.md", "GET https://example.org/home/x and ${ROOT}/home/x", None),
]


def self_check():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text, _ in PLANTED:
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text + "\n")
        found = check(root)
        for path, _, word in PLANTED:
            hits = [line for line in found if line.startswith(path + ":")]
            assert (not hits if word is None else len(hits) == 1 and word in hits[0]), f"{path}: {hits}"
    return []


found = self_check() if sys.argv[1] == "--self-check" else check(pathlib.Path(sys.argv[1]).resolve())
print("\n".join(found), end="\n" if found else "")
sys.exit(1 if found else 0)

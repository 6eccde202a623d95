#!/usr/bin/python3
"""Links of the documentation lead somewhere.

    links.py ROOT          checks
    links.py --self-check  plants mistakes and wants each of them found

In Markdown: relative links and their anchors; paths in backticks that begin with a folder of ours
(`gateway/stages/parse.c`; a module may be named without its ending). In sources: docs/NAME.md in
comments. Paths with <, * or an ellipsis are patterns and not checked. A page of docs/ that no
other page links to is a mistake too.
"""
import os
import re
import sys
import tempfile

OURS = ("base", "fhir", "consent", "mappings", "care", "gateway", "console", "tests", "docs", "scripts",
        "samples", "cmake", "definitions")
SKIP = re.compile(r"^(build.*|node_modules|\.git|__pycache__|corpus)$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\s]+)`")
PAGE = re.compile(r"docs/[A-Za-z0-9/._-]+\.md")
SOURCES = (".c", ".h", ".def", ".py", ".cmake", ".txt", ".sh")


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not SKIP.match(f)]
        for name in names:
            yield os.path.join(folder, name)


def anchors(path):
    """GitHub's anchors of the headings."""
    found = set()
    for line in open(path, encoding="utf-8"):
        if line.startswith("#"):
            text = re.sub(r"[`*]", "", line.lstrip("#").strip()).lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def prose(text):
    """Without fenced and indented blocks, whose text is not linked."""
    text = re.sub(r"^```.*?^```", lambda m: "\n" * m.group().count("\n"), text, flags=re.M | re.S)
    return re.sub(r"^(    ).*$", "", text, flags=re.M)


def exists(root, path):
    path = os.path.join(root, path.rstrip("/"))
    return os.path.exists(path) or any(os.path.exists(path + end) for end in (".h", ".c", ".md"))


def check_page(root, path, complain, linked):
    for number, line in enumerate(prose(open(path, encoding="utf-8").read()).split("\n"), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            whole = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
            linked.add(whole if whole != path else None)
            if not os.path.exists(whole):
                complain(path, number, f"{target} leads nowhere")
            elif anchor and anchor not in anchors(whole):
                complain(path, number, f"{target}: there is no such heading")
        for word in CODE.findall(line):
            if word.split("/")[0] in OURS and "/" in word and not re.search(r"[<>*…{}()=$]|\.\.\.", word):
                if not exists(root, word.split("#")[0]):
                    complain(path, number, f"`{word}` is not there")


def check_source(root, path, complain):
    for number, line in enumerate(open(path, encoding="utf-8", errors="replace"), 1):
        for page in PAGE.findall(line):
            if not os.path.exists(os.path.join(root, page)):
                complain(path, number, f"{page} is not there")


def check(root):
    found = []

    def complain(path, line, what):
        found.append(f"{os.path.relpath(path, root)}:{line}: {what}")

    linked = set()
    for path in sorted(files(root)):
        if path.endswith(".md"):
            check_page(root, path, complain, linked)
        elif path.endswith(SOURCES) and os.path.basename(os.path.dirname(path)) != "lint":  # they plant mistakes
            check_source(root, path, complain)
    for path in sorted(files(os.path.join(root, "docs"))):
        if path.endswith(".md") and path not in linked and os.path.dirname(path) not in linked:
            complain(path, 1, "no page links here")
    return found


def self_check():
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(root + "/docs")
        os.makedirs(root + "/base")
        open(root + "/base/span.h", "w").write("/* docs/gone.md and docs/here.md */\n")
        open(root + "/docs/here.md", "w").write("# A heading: of `sorts`\n\n    `base/indented.c`\n[self](#a-heading-of-sorts)\n")
        open(root + "/docs/orphan.md", "w").write("# Nobody links here, [not even itself](orphan.md)\n")
        open(root + "/README.md", "w").write(
            "[good](docs/here.md) [good](docs/here.md#a-heading-of-sorts) [web](https://example.org)\n"
            "[bad](docs/gone.md)\n[bad](docs/here.md#nowhere)\n`base/span` `base/span.h` `base/` `base/test_<x>.c`\n"
            "`base/gone.c`\n```\n[in a block](nowhere)\n```\n")
        found = check(root)
    wanted = ["README.md:2: docs/gone.md leads nowhere", "README.md:3: docs/here.md#nowhere: there is no such heading",
              "README.md:5: `base/gone.c` is not there", "base/span.h:1: docs/gone.md is not there",
              "docs/orphan.md:1: no page links here"]
    if sorted(found) != sorted(wanted):
        sys.exit("links.py: wanted " + repr(wanted) + ", found " + repr(found))


if sys.argv[1] == "--self-check":
    self_check()
else:
    problems = check(os.path.abspath(sys.argv[1]))
    print("\n".join(problems))
    sys.exit(1 if problems else 0)

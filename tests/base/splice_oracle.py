"""The tape and the splices against Python's json, on random documents.

    splice_oracle.py TOOL [CASES [SEED]]

TOOL is tests/base/tool_splice.c.  Two questions for every case:
  - is the document accepted exactly when Python's reader, made as strict as
    docs/decisions/0004-strict-json.md asks for, accepts it;
  - is the edited document, read by Python, the tree that deleting, replacing
    and appending on Python's own tree gives, numbers compared as text.
"""
import json
import random
import re
import subprocess
import sys


class Refused(Exception):
    pass


class Number(str):
    pass


class Object(list):
    """Pairs in document order."""


def no_constant(_):
    raise Refused("constant")


def number(text):
    """As the tape: no infinity, nothing that vanishes, no endless digits."""
    match = re.fullmatch(r"-?(\d+)(?:\.\d+)?(?:[eE]([+-]?\d+))?", text)
    if match is None or len(text) > 128:
        raise Refused("number")
    if match[2] is not None:
        exponent = int(match[2])
        if exponent < -308 or (not match[2].startswith("-") and exponent + len(match[1]) > 308):
            raise Refused("magnitude")
    return Number(text)


def pairs(members):
    names = [name for name, _ in members]
    if len(set(names)) != len(names):
        raise Refused("duplicate")
    return Object(members)


def check(value, depth=0):
    if isinstance(value, (Object, list)) and depth >= 64:
        raise Refused("depth")
    if isinstance(value, Object):
        for name, inner in value:
            check(name)
            check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check(inner, depth + 1)
    elif isinstance(value, str) and not isinstance(value, Number):
        if "\0" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            raise Refused("text")
    return value


def read(body):
    """The tree, or Refused."""
    try:
        text = body.decode("utf-8", "strict")
        return check(json.loads(text, parse_float=number, parse_int=number,
                                parse_constant=no_constant, object_pairs_hook=pairs))
    except (ValueError, RecursionError) as why:
        raise Refused(str(why))


class Node:
    def __init__(self, value):
        self.value, self.name, self.children = value, None, []
        self.cut, self.replaced, self.added = False, None, []


def number_nodes(value, table, name=None):
    """The tree with the tape's numbers: preorder, a name before its value."""
    if name is not None:
        table.append(None)
    node = Node(value)
    node.name = name
    table.append(node)
    if name is not None:
        table[-2] = node                       # cutting the name cuts the member
    if isinstance(value, Object):
        node.children = [number_nodes(inner, table, inner_name) for inner_name, inner in value]
    elif isinstance(value, list):
        node.children = [number_nodes(inner, table) for inner in value]
    return node


GONE = object()


def expected(node):
    if node.cut:
        return GONE
    if node.replaced is not None:
        return node.replaced
    if not isinstance(node.value, list):
        return node.value
    kept = [(child.name, expected(child)) for child in node.children]
    kept = [(name, value) for name, value in kept if value is not GONE]
    if node.children and not kept and not node.added:
        return GONE
    if isinstance(node.value, Object):
        return Object(kept + node.added)
    return [value for _, value in kept] + [value for _, value in node.added]


def random_value(chance, depth=0):
    pick = chance.random()
    if depth < 7 and pick < (1 if depth == 0 else 0.45):
        size = chance.choice([0, 1, 1, 2, 3, 5, 9])
        if chance.random() < 0.5:
            return {random_text(chance) + str(i): random_value(chance, depth + 1) for i in range(size)}
        return [random_value(chance, depth + 1) for _ in range(size)]
    return chance.choice([None, True, False, 0, -1, 1.5, 1e-7, 12345678901234567890, random_text(chance)])


def random_text(chance):
    bits = ["a", "id", "F32.1", "\u00e9", "\u20ac", "\U0001f600", "\"", "\\", "/", "\n", "\x01", " ", "{", ",", "\u2028"]
    return "".join(chance.choice(bits) for _ in range(chance.choice([0, 1, 2, 5, 20, 40])))


def random_body(chance):
    style = chance.choice([{}, {"indent": 2}, {"indent": "\t"}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}])
    body = json.dumps(random_value(chance), ensure_ascii=chance.random() < 0.5, **style).encode()
    if chance.random() < 0.4:
        body = damage(chance, bytearray(body))
    return bytes(body)


def damage(chance, body):
    for _ in range(chance.randint(1, 3)):
        if not body:
            break
        at = chance.randrange(len(body))
        kind = chance.randrange(4)
        if kind == 0:
            body[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del body[at]
        elif kind == 2:
            body.insert(at, chance.choice(b'"\\{}[],:0123456789.eE+-tfnu \n\x00\x1f\x7f\x80\xc3\xe2\xff'))
        else:
            body[at:at] = chance.choice([b"\\u0000", b"\\ud800", b"\\udc00", b"\\u0061", b"1e999", b"NaN", b"01",
                                         b"\xef\xbb\xbf", b'"a":1,"a":2,', b"-", b"\\"])
    return body


def random_edits(chance, table):
    """Edits for the tool, applied to the numbered tree at the same time."""
    words = []
    for i in range(chance.choice([0, 1, 2, 5, 20])):
        at = chance.randrange(1, len(table))
        node, is_name = table[at], at + 1 < len(table) and table[at + 1] is table[at]
        kind = chance.choice("cccra")
        if kind == "a" and isinstance(node.value, list) and not is_name:
            member = isinstance(node.value, Object)
            words.append(f'a{at}="new{i}":{i}' if member else f"a{at}={i}")
            node.added.append((f"new{i}" if member else None, Number(i)))
        elif kind == "r" and not is_name:
            words.append(f'r{at}=["new",{i}]')
            node.replaced = ["new", Number(i)]
        else:
            words.append(f"c{at}")
            node.cut = True
    return " ".join(words)


def ask(tool, body, edits):
    tool.stdin.write(f"{len(body)} {edits}\n".encode() + body)
    tool.stdin.flush()
    head = tool.stdout.readline().decode().split()
    if head[0] != "OK":
        return None, head[1], 0
    return tool.stdout.read(int(head[2])), "", int(head[1])


def one_case(chance, tool, tally):
    body = random_body(chance)
    try:
        tree = read(body)
    except Refused as why:
        result, _, _ = ask(tool, body, "")
        assert result is None, f"accepted, Python refuses ({why}): {body!r}"
        tally["refused"] += 1
        return
    table = [None]
    root = number_nodes(tree, table)
    edits = random_edits(chance, table)
    result, why, count = ask(tool, body, edits)
    assert result is not None, f"refused ({why}), Python accepts: {body!r}"
    assert count == len(table) - 1, f"{count} nodes, Python has {len(table) - 1}: {body!r}"
    want = expected(root)
    if want is GONE:
        assert result == b"", f"something is left of {body!r} after {edits}"
    else:
        assert read(result) == want, f"{body!r} after {edits} became {result!r}, want {want!r}"
    tally["edited" if edits else "read"] += 1


def main():
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    tally = {"refused": 0, "read": 0, "edited": 0}
    with subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tool:
        for _ in range(cases):
            one_case(chance, tool, tally)
        tool.stdin.close()
    print(tally)
    assert min(tally.values()) > cases / 50, "the cases are too much alike"
    assert tool.returncode == 0


main()

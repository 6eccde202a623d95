"""Documents with hidden parts, written twice: as the Bundle that was sent and as its twin.

A document is made of dict, list, str, int, bool, None and

    Hidden(value)     in the Bundle, not in the twin; what it leaves empty goes, too
    Either(one, twin) one value in the Bundle, another in the twin
    Text(parts)       a string of str and Hidden(str)
    Packed(how, text) base64 of a text (str or Text): how is plain, gzip, zlib, utf16, twice
    Raw(text)         a number as it is to be written

print_both() decides on white space, order of members and escapes once, so that both have the same style: white space
before a value belongs to it, and a container's first survivor takes the place of its first item (redaction rule B1).
"""
import base64
import gzip
import json
import zlib


class Hidden:
    def __init__(self, value):
        self.value = value


class Either:
    def __init__(self, one, twin):
        self.one, self.twin = one, twin


class Text:
    def __init__(self, *parts):
        self.parts = parts

    def of(self, hidden):
        return "".join(p if isinstance(p, str) else p.value for p in self.parts if hidden or isinstance(p, str))


class Packed:
    def __init__(self, how, text):
        self.how, self.text = how, text

    def of(self, hidden):
        text = self.text.of(hidden) if isinstance(self.text, Text) else self.text
        return pack(self.how, text)


class Raw:
    def __init__(self, text):
        self.text = text


def pack(how, text):
    plain = text.encode() if isinstance(text, str) else text
    if how == "utf16":
        plain = b"\xff\xfe" + text.encode("utf-16-le")
    elif how == "gzip":
        plain = gzip.compress(plain, 9, mtime=0)
    elif how == "zlib":
        plain = zlib.compress(plain)
    elif how == "twice":
        plain = base64.b64encode(plain)
    return base64.b64encode(plain).decode()


class Style:
    """How a document is written; every field off is compact JSON."""
    FIELDS = ("pretty", "loose", "escapes", "unordered")

    def __init__(self, draw=None, **fields):
        for name in self.FIELDS:
            setattr(self, name, fields.get(name, draw.random() < 0.4 if draw else False))
        self.indent = draw.choice((1, 2, 4)) if draw else 2

    def __str__(self):
        return ",".join(name for name in self.FIELDS if getattr(self, name)) or "compact"


SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text, style, draw):
    """A list with one piece of JSON a character."""
    out = []
    for c in text:
        if c in SHORT or c < " ":
            out.append(SHORT.get(c) or f"\\u{ord(c):04x}")
        elif style.escapes and draw.random() < 0.08:
            if ord(c) > 0xffff:
                v = ord(c) - 0x10000
                out.append(f"\\u{0xd800 + (v >> 10):04x}\\u{0xdc00 + (v & 0x3ff):04X}")
            else:
                out.append("\\/" if c == "/" and draw.random() < 0.5 else f"\\u{ord(c):04{draw.choice('xX')}}")
        else:
            out.append(c)
    return "".join(out)


class Printer:
    def __init__(self, style, draw):
        self.style, self.draw = style, draw

    def space(self, depth):
        if self.style.pretty:
            return "\n" + " " * (depth * self.style.indent)
        if self.style.loose and self.draw.random() < 0.3:
            return self.draw.choice((" ", "\t", "\n  ", "\r\n", "   "))
        return ""

    def string(self, value):
        """(in the Bundle, in the twin)"""
        q = lambda text: quoted(text, self.style, self.draw)
        if isinstance(value, Text):
            parts = [(q(p if isinstance(p, str) else p.value), isinstance(p, str)) for p in value.parts]
            return ('"' + "".join(p for p, _ in parts) + '"', '"' + "".join(p for p, kept in parts if kept) + '"')
        if isinstance(value, Packed):
            one, twin = value.of(True), value.of(False)
            return '"' + one + '"', '"' + twin + '"'
        return ('"' + q(value) + '"',) * 2

    def scalar(self, value):
        if isinstance(value, (str, Text, Packed)):
            return self.string(value)
        if isinstance(value, Raw):
            return value.text, value.text
        return (json.dumps(value),) * 2

    def value(self, value, depth=0):
        """(in the Bundle, in the twin); None in the twin: it is not there"""
        if isinstance(value, Hidden):
            return self.value(value.value, depth)[0], None
        if isinstance(value, Either):
            return self.value(value.one, depth)[0], self.value(value.twin, depth)[0]
        if isinstance(value, dict):
            members = list(value.items())
            if self.style.unordered:
                self.draw.shuffle(members)
            return self.container("{}", members, depth)
        if isinstance(value, (list, tuple)):
            return self.container("[]", [(None, item) for item in value], depth)
        return self.scalar(value)

    def container(self, brackets, items, depth):
        opened, closed = self.space(depth + 1), self.space(depth)
        one, twin = [], []
        for name, item in items:
            head = "" if name is None else self.string(name)[0] + self.space_around(":")
            before = self.space_before_comma() + "," + self.space(depth + 1)
            full, rest = self.value(item, depth + 1)
            one.append((before, head + full))
            if rest is not None:
                twin.append((before, head + rest))
        if not items:
            return brackets, brackets
        return tuple(brackets[0] + opened + "".join((before if i else "") + text for i, (before, text) in enumerate(side))
                     + closed + brackets[1] if side else None for side in (one, twin))

    def space_around(self, mark):
        if self.style.pretty:
            return mark + " "
        if self.style.loose:
            return self.draw.choice(("", " ")) + mark + self.draw.choice(("", " "))
        return mark

    def space_before_comma(self):
        return self.draw.choice(("", "", " ", "\n")) if self.style.loose else ""


def print_both(document, style, draw):
    one, twin = Printer(style, draw).value(document)
    return one.encode(), b"" if twin is None else twin.encode()


def shown(value):
    """The document with nothing hidden: for whoever may have it."""
    if isinstance(value, Hidden):
        return shown(value.value)
    if isinstance(value, Either):
        return shown(value.one)
    if isinstance(value, Text):
        return value.of(True)
    if isinstance(value, Packed):
        return value.of(True)
    if isinstance(value, dict):
        return {k: shown(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(v) for v in value]
    return value

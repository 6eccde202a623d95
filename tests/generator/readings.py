"""Everything that somebody could read in bytes, written without any code of Sluice.

As they are; strings of the JSON; each of them with entities, percent escapes and JSON escapes resolved, without tags, decoded from
base64, unpacked, as UTF-16; and the readings of these, four deep.
"""
import base64
import binascii
import gzip
import html
import json
import re
import urllib.parse
import zlib

BASE64 = re.compile(r"[A-Za-z0-9+/_\-]{8,}={0,2}")


def strings_of(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from strings_of(member)
    elif isinstance(value, list):
        for item in value:
            yield from strings_of(item)


def unpacked(data):
    for open_it in (gzip.decompress, zlib.decompress):
        try:
            yield open_it(data)
        except (OSError, EOFError, zlib.error):
            pass


def texts_of(data):
    """Bytes as texts."""
    yield data.decode("utf-8", "replace")
    for encoding in ("utf-16-le", "utf-16-be"):
        if len(data) > 3 and (data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[1::2].count(0) > len(data) // 4 or data[::2].count(0) > len(data) // 4):
            yield data.decode(encoding, "replace")


def further(text):
    if "&" in text:
        yield html.unescape(text)
    if "<" in text:
        yield re.sub(r"<[^>]*>", "", text)
        yield re.sub(r"<[^>]*>", " ", text)
    if "%" in text:
        yield urllib.parse.unquote(text)
    if "\\u" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    for found in BASE64.findall(re.sub(r"\s", "", text)):
        for alphabet in (found, found.replace("-", "+").replace("_", "/")):
            try:
                data = base64.b64decode(alphabet + "=" * (-len(alphabet) % 4))
            except (binascii.Error, ValueError):
                continue
            for plain in [data, *unpacked(data)]:
                yield from texts_of(plain)


def readings(data):
    todo = [(text, 0) for text in texts_of(data)]
    try:
        todo += [(text, 0) for text in strings_of(json.loads(data))]
    except ValueError:
        pass
    seen = set()
    while todo:
        text, depth = todo.pop()
        if text in seen:
            continue
        seen.add(text)
        yield text
        if depth < 4:
            todo += [(more, depth + 1) for more in further(text)]


def found_in(data, tokens):
    """Those of the tokens that somebody can read."""
    found = set()
    for text in readings(data):
        lower = text.lower()
        found |= {t for t in tokens if t in lower}
    return found

"""How good input is spoiled: seeded, so that the same number makes the same input."""

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Document = dict[str, Any]
Spoiled = tuple[str, bytes]
"""What was done, and what came of it."""

HERE = "@@HERE@@"
DEPTHS = (30, 200, 450, 900, 985, 1100, 20_000)
LENGTHS = (129, 257, 3_000, 30_000, 300_000)

VALUES: dict[str, tuple[bytes, ...]] = {
    "a wrong type": (
        *(b"null", b"true", b"7", b"-1", b"1.5", b'"x"', b'""', b"[]", b"{}"),
        *(b'[["x"]]', b'{"a": {"b": 1}}', b'["x", "x"]'),
    ),
    "a huge number": (
        *(b"1" + b"0" * 400, b"1e999", b"-1e999", b"1e-999", b"NaN", b"-Infinity", b"-0"),
        *(b"9223372036854775808", b"-9223372036854775809", b"9" * 5000, b"2147483648"),
    ),
    "a NUL": (b'"\\u0000"', b'"a\\u0000b"', b'"a\x00b"'),
    "half a character": (b'"\\ud800"', b'"\\udc00\\ud800"', b'"x\\udfff"', b'"\xed\xa0\x80"'),
    "control characters": (
        *(b'"\\u001b[31m"', b'"a\\nb"', b'"\\u202e\\u0085"', b'"\\ufeff"'),
        *(b'"a\\r\\nX: y"', b'"\\u2028"', b'"\\uffff"'),
    ),
    "an impossible date": (
        *(b'"0000-00-00T00:00:00Z"', b'"2026-02-30T10:00:00Z"', b'"2026-13-01T10:00:00Z"'),
        *(
            b'"0001-01-01T00:00:00+14:00"',
            b'"9999-12-31T23:59:59-14:00"',
            b'"2026-01-01T25:61:61Z"',
        ),
        *(b'"1969-12-31T23:59:59Z"', b'"99999-01-01T00:00:00Z"', b"1764000000", b'"1764000000"'),
        *(b'"0001-01-01"', b'"9999-12-31"', b'"2026-W01-1"', b'"hoy"'),
    ),
    "a zone that is none": (
        *(b'"2026-01-01T10:00:00+99:99"', b'"2026-01-01T10:00:00+24:00"'),
        *(b'"2026-01-01T10:00:00[America/Nada]"', b'"2026-01-01T10:00:00 CST"'),
        *(b'"America/Nada"', b'"../../etc/localtime"', b'"2026-01-01T10:00:00"'),
    ),
    "words for a machine": (
        *(b'"\' OR 1=1 --"', b'"../../etc/passwd"', b'"<script>alert(1)</script>"'),
        *(b'"{{7*7}}"', b'"%s%n%d"', b'"${jndi:ldap://x}"', b'"=1+1"', b'"a,b;c\\td"'),
    ),
}


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in list(items):
        yield value, name
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _with(rng: Random, document: Document, raw: bytes) -> bytes:
    """The document with one member, anywhere in it, written as these bytes."""
    spoiled = copy.deepcopy(document)
    holder, name = rng.choice(list(_places(spoiled)))
    holder[name] = HERE
    return _encoded(spoiled).replace(f'"{HERE}"'.encode(), raw)


def _deep(rng: Random, document: Document) -> bytes:
    depth = rng.choice(DEPTHS)
    if rng.random() < 0.5:
        return _with(rng, document, b"[" * depth + b"]" * depth)
    return _with(rng, document, b'{"a":' * depth + b"1" + b"}" * depth)


def _huge_text(rng: Random, document: Document) -> bytes:
    return _with(rng, document, b'"' + rng.choice((b"x", b"\xc3\xb1")) * rng.choice(LENGTHS) + b'"')


def _missing(rng: Random, document: Document) -> bytes:
    spoiled = copy.deepcopy(document)
    holder, name = rng.choice([p for p in _places(spoiled) if isinstance(p[0], dict)])
    del holder[name]
    return _encoded(spoiled)


def _twice(rng: Random, document: Document) -> bytes:
    name = rng.choice(list(document))
    other = rng.choice((b'"x"', b"null", b"{}", _encoded(document[name])))
    return b"{" + _encoded(name) + b": " + other + b", " + _encoded(document)[1:]


def _unknown(rng: Random, document: Document) -> bytes:
    spoiled = copy.deepcopy(document)
    holders = [spoiled, *(v for _, v in spoiled.items() if isinstance(v, dict))]
    names = ("nombre", "__proto__", "ñ", "", "a" * 300, "$ref", "__class__", "\ud800", "\x00")
    rng.choice(holders)[rng.choice(names)] = rng.choice(("Guadalupe Ejemplar", {"a": [1]}, 1))
    return json.dumps(spoiled).encode()


def _cut_off(rng: Random, document: Document) -> bytes:
    whole = _encoded(document)
    return whole[: rng.randrange(len(whole))]


def broken_bytes(rng: Random, content: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        spoiled[rng.randrange(len(spoiled))] = rng.choice((0, 0x80, 0xC0, 0xFF, rng.randrange(256)))
    return bytes(spoiled)


def _another_form(rng: Random, document: Document) -> bytes:
    whole = _encoded(document)
    return rng.choice(
        (
            *(b"", b" ", b"null", b"[]", b"{}", b'"x"', b"0", b"[1, [2]]", b"\xef\xbb\xbf" + whole),
            *(whole + whole, whole + b"x", b"[" + whole + b"]", b"x=1&y=2", b"<a/>", b"%PDF-1.4"),
            *(whole.decode("utf-8", "replace").encode("utf-16"), gzip.compress(whole, mtime=0)),
        )
    )


SPOILS: dict[str, Callable[[Random, Document], bytes]] = {
    "nested deep": _deep,
    "a huge text": _huge_text,
    "a member missing": _missing,
    "a member twice": _twice,
    "an unknown member": _unknown,
    "cut off": _cut_off,
    "broken bytes": lambda rng, document: broken_bytes(rng, _encoded(document)),
    "another form": _another_form,
}


def spoil(rng: Random, document: Document) -> Spoiled:
    kind = rng.choice([*VALUES, *SPOILS])
    if kind in VALUES:
        return kind, _with(rng, document, rng.choice(VALUES[kind]))
    return kind, SPOILS[kind](rng, document)


SCRAPS = (
    *("0", "-1", "1e9", "9" * 40, "9" * 5000, "null", "~", "''", "sí", "2026-02-30", "9999-12-31"),
    *("0001-01-01", "0x1F", ".inf", ".nan", "[]", "{}", "[a, [b, {c: d}]]", "{a: {b: c}}"),
    *("&a x", "*a", "!!int 3", "!!timestamp x", "!!binary x", "!!python/name:os.system x"),
    *("- - -", "? x", "a" * 3000, "'", '"', "|", "# x", "\t", "\u2028", "America/Nada", "+99:99"),
    *('"\\ud800"', '"\\0"', "24:00", "09:00-08:00", "['15:00', '09:00']", "=", "<<: *a", "%d%d"),
    *("max(a.b,c.d)", "a / 0", "[" * 2000, "{a: " * 2000),
)


def spoil_text(rng: Random, text: str) -> Spoiled:
    """Spoil a file of lines, as YAML is."""
    lines = text.splitlines(keepends=True)
    place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    key, colon, _ = lines[place].partition(":")
    kind = rng.choice(("a value", "a line", "bytes", "cut off", "an encoding", "nested", "size"))
    match kind:
        case "a value":
            lines[place] = f"{key}{colon} {rng.choice(SCRAPS)}\n"
        case "a line":
            lines[place : place + rng.randint(0, 2)] = ["  " * rng.randint(0, 3) + lines[other]]
        case "nested":
            lines[place] = f"{key}{colon} " + rng.choice("[{") * rng.choice(DEPTHS) + "\n"
        case "size":
            lines[place] = f"{key}{colon} " + "x" * rng.choice(LENGTHS) + "\n"
    content = "".join(lines).encode()
    match kind:
        case "bytes":
            content = broken_bytes(rng, content)
        case "cut off":
            content = content[: rng.randrange(len(content))]
        case "an encoding":
            content = "".join(lines).encode(rng.choice(("utf-16", "utf-32", "cp037", "utf-7")))
    return kind, content


CELLS = (
    *("", " ", "x" * 5000, "x" * 200_000, "\x00", "a\x00b", "2026-02-30 10:00", "9999-12-31"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1e999", "-1", "9" * 400, "NaN"),
    *("25:61", "2026-04-05 02:30", "=1+1", "' OR 1=1 --", "\u202e", "Ñandú", "\ufeff", "\x1b[31m"),
)


def spoil_csv(rng: Random, header: list[str], rows: list[list[str]]) -> Spoiled:
    """Spoil a table, as a file of a source's own making."""
    rows = copy.deepcopy(rows)
    kind = rng.choice(
        ("cells", "quotes", "columns", "bytes", "an encoding", "gzip", "form", "size")
    )
    if kind == "cells":
        for _ in range(rng.randint(1, 5)):
            row = rng.choice(rows)
            row[rng.randrange(len(row))] = rng.choice(CELLS)
    elif kind == "columns":
        rng.choice([header, *rows]).insert(rng.randrange(3), rng.choice(CELLS))
    text = "".join(",".join(row) + rng.choice(("\n", "\r\n")) for row in (header, *rows))
    if kind == "quotes":
        place = rng.randrange(len(text))
        text = text[:place] + rng.choice(('"', '""', '","', '"\n')) + text[place:]
    if kind == "size":
        text += rng.choice(
            ("x" * 2_500_000, "," * 1_500_000, '"' + "x\n" * 600_000, "\n" * 900_000)
        )
    if kind == "an encoding":
        encoding = rng.choice(("utf-16", "utf-32", "cp037", "latin-1", "utf-7"))
        return kind, text.encode(encoding, "replace")
    content = text.encode()
    if kind == "bytes":
        content = broken_bytes(rng, content)
    elif kind == "gzip":
        packed = gzip.compress(content * rng.choice((1, 50)), mtime=0)
        cut = packed[: rng.randrange(2, len(packed))]
        content = rng.choice((cut, broken_bytes(rng, packed), packed + b"x" * 30, packed + packed))
    elif kind == "form":
        content = rng.choice(
            (b"", b"\n\n", b"PK\x03\x04" + content, b"\x00" * 5000, b"%PDF", b"{}")
        )
    return kind, content

"""Ways to damage a file: its text, and what it says."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

TEXT = "\x1b[31m\u202e\n::error::x[/x]@all https://example.invalid \ud800"
"""What no terminal, log or page should take for anything but text."""

DEEP: list[Any] = []
for _ in range(900):
    DEEP = [DEEP]

ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2**64, 10**30, -(10**30), 10**4000, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", " ", "0", "-0", "007", "+1", "1e5", "0x", "0x0", "0xzz", "\uff10", "9" * 101, "9" * 5_000, "x" * 5_000),
    *(TEXT, "\0", "\ud800", "..", "../../x", "/dev/null", "/", "a/b\0c", "[/x]", "[red]", "${HOME}", "%s%n", "{0}"),
    *("constructor", "__class__", "uint256", "uint999", "tuple", "(", "uint256[", "address[2**64]", "null", "NaN"),
    *([], {}, [[]], [None], [{}], {"": {}}, {"\x1b": "\x1b"}, DEEP, ["x"] * 1_000),
)
"""Values where others are expected."""

BYTES = (
    *(
        b"\0",
        b"\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b'"',
        b"'",
        b"\\",
        b",",
        b":",
        b"=",
        b"[",
        b"]",
        b"{",
    ),
    *(b"[" * 100_000, b'{"a":' * 5_000, b" " * 100_000, b"\\ud800", b"\xed\xa0\x80", b"//", b"#", b"nan", b"-", b"e"),
    *(TEXT.encode("utf-8", "replace"), b"0x" + b"f" * 5_000, b"9" * 5_000, b"1e999"),
)
"""What is put into a text."""

Path = tuple[Any, ...]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """A file with one to three changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        content = _by_meaning(content, draw) if draw.random() < 0.7 else draw.choice(TEXTUAL)(content, draw)
    return content


def _by_meaning(content: bytes, draw: random.Random) -> bytes:
    """Of JSON, a value; of tables and settings, the words."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return _word(content, draw)
    path = _somewhere(document, draw)
    if not path:
        return _json(draw.choice(ODD))
    *above, last = path
    holder = document
    for key in above:
        holder = holder[key]
    draw.choice(STRUCTURAL)(holder, last, draw)
    return _json(document)


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _somewhere(document: Any, draw: random.Random) -> Path:
    """The path of a value; of one kind of place as often as of another, however many of them there are."""
    kinds: dict[str, list[Path]] = {}
    for path in _paths(document, ()):
        kinds.setdefault("/".join("*" if isinstance(key, int) else key for key in path), []).append(path)
    return draw.choice(kinds[draw.choice(list(kinds))]) if kinds else ()


def _paths(value: Any, path: Path) -> Iterator[Path]:
    if path:
        yield path
    if len(path) < 12:
        for key, part in (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        ):
            yield from _paths(part, (*path, key))


# --- Of what a document says ------------------------------------------------------------------------------------------


def _odd(holder: Any, key: Any, draw: random.Random) -> None:
    holder[key] = draw.choice(ODD)


def _gone(holder: Any, key: Any, draw: random.Random) -> None:
    del holder[key]


def _of_another(holder: Any, key: Any, draw: random.Random) -> None:
    other = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    holder[key], holder[other] = holder[other], holder[key]


def _renamed(holder: Any, key: Any, draw: random.Random) -> None:
    if isinstance(holder, dict):
        holder[draw.choice((TEXT, "", "x", key.upper(), key + " "))] = holder.pop(key)
    else:
        holder.insert(key, draw.choice(ODD))


def _more(holder: Any, key: Any, draw: random.Random) -> None:
    if isinstance(holder, dict):
        holder[draw.choice((TEXT, "", "x", "constructor"))] = draw.choice(ODD)
    else:
        holder += [holder[key]] * draw.choice((1, 2, 50))


def _another_type(holder: Any, key: Any, draw: random.Random) -> None:
    value = holder[key]
    holder[key] = draw.choice(([value], {"x": value}, str(value), json.dumps(value), not value))


def _near(holder: Any, key: Any, draw: random.Random) -> None:
    """Almost what it was."""
    value = holder[key]
    if isinstance(value, str):
        at = draw.randrange(len(value) + 1)
        holder[key] = value[:at] + draw.choice(("0", "x", "\0", "é", "", TEXT, "/..", "'", '"', ".")) + value[at + 1 :]
    elif isinstance(value, (int, float)):
        holder[key] = draw.choice((-value, value + 1, value * 10**20, value / 2))
    else:
        _odd(holder, key, draw)


STRUCTURAL: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    _odd,
    _odd,
    _gone,
    _of_another,
    _renamed,
    _more,
    _another_type,
    _near,
)


# --- Of how it is written ---------------------------------------------------------------------------------------------


def _word(content: bytes, draw: random.Random) -> bytes:
    """Another number or word in the place of one."""
    words = [*re.finditer(rb"\"[^\"\n]*\"|[-+.\w]+", content)]
    if not words:
        return draw.choice(BYTES)
    word, new = draw.choice(words), draw.choice(ODD)
    text = draw.choice((json.dumps(new), str(new)[:6_000])).encode("utf-8", "replace")
    return content[: word.start()] + text + content[word.end() :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _without(content: bytes, draw: random.Random) -> bytes:
    start, size = draw.randrange(len(content) + 1), draw.choice((1, 2, 10, 100))
    return content[:start] + content[start + size :]


def _with(content: bytes, draw: random.Random) -> bytes:
    at = draw.choice((0, len(content), draw.randrange(len(content) + 1)))
    return content[:at] + draw.choice(BYTES) + content[at:]


def _flipped(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return b"\0"
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def _twice(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = draw.randrange(len(lines))
    return b"".join([*lines[: at + 1], *lines[at:]])


def _exchanged(content: bytes, draw: random.Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    draw.shuffle(lines)
    return b"".join(lines)


def _otherwise_encoded(content: bytes, draw: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return draw.choice(
        (text.encode("utf-16"), b"\xef\xbb\xbf" + content, text.replace("\n", "\r\n").encode(), b"", b"\n")
    )


TEXTUAL: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _word,
    _cut,
    _without,
    _with,
    _with,
    _flipped,
    _twice,
    _exchanged,
    _otherwise_encoded,
)

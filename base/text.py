"""Text from contracts, nodes and traces, made safe to show; and names that are looked for among others."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from difflib import get_close_matches

from rich.markup import escape

from marginspec.base.errors import BadInput

MOST_SHOWN = 4_000
"""Characters of one text that are shown."""


def printable(text: str, limit: int = 200) -> str:
    """Untrusted text on one line, without control or bidirectional-override characters, cut to `limit`."""
    clean = visible(text, "")
    return clean if len(clean) <= limit else clean[:limit] + "…"


def visible(text: str, kept: str = "\n\t\u00a0\u2009\u202f") -> str:
    """Untrusted text without control or bidirectional-override characters, but for `kept`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else f"\\u{ord(c):04x}" for c in text)


def safe(text: str) -> str:
    """Untrusted text within what Rich prints: printable, on one line, and no markup."""
    return escape(printable(text, MOST_SHOWN))


def named(patterns: Iterable[str], known: Iterable[str], what: str) -> set[str]:
    """The names that patterns of a shell fit, such as `REF-LIQ-*`; BadInput for one that fits none, with a near name.

    what: how a message begins, up to the pattern.
    """
    names, found = list(known), set[str]()
    for pattern in patterns:
        fitting = fnmatch.filter(names, pattern)
        if not fitting:
            near = get_close_matches(pattern, names, 1)
            raise BadInput(f"{what} {printable(pattern, 60)}" + (f"; did you mean {near[0]}?" if near else ""))
        found.update(fitting)
    return found

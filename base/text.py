"""Text from contracts, nodes and traces, made safe to show; and names that are looked for among others."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from difflib import get_close_matches

from marginspec.base.errors import BadInput


def printable(text: str, limit: int = 200) -> str:
    """Untrusted text on one line, without control or bidirectional-override characters, cut to `limit`."""
    clean = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return clean if len(clean) <= limit else clean[:limit] + "…"


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

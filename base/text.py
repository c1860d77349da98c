"""Text from contracts, nodes and traces, made safe to show."""


def printable(text: str, limit: int = 200) -> str:
    """Untrusted text on one line, without control or bidirectional-override characters, cut to `limit`."""
    clean = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return clean if len(clean) <= limit else clean[:limit] + "…"

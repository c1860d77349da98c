"""The code of a contract as the EVM reads it."""

from __future__ import annotations

from collections.abc import Iterator

PUSH1, PUSH32 = 0x60, 0x7F


def instructions(code: bytes) -> Iterator[int]:
    """The places of all instructions; PUSH1 to PUSH32 have constants behind them, of 1 to 32 bytes."""
    at = 0
    while at < len(code):
        yield at
        at += code[at] - PUSH1 + 2 if PUSH1 <= code[at] <= PUSH32 else 1

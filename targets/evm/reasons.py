"""Why a contract reverted, as text safe to show: revert reasons are untrusted."""

import functools
import hashlib

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from marginspec.base.text import printable
from marginspec.targets.evm.chain import Reverted

_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
SHOWN = 68
"""Bytes of a revert's data that are shown: a selector and two words."""


_KINDS = ("Panic(", "custom 0x", "empty", "halt: ", "malformed 0x", "text ")
"""How what is no text begins; a contract's own text that begins so is told from it."""


def reason(reverted: Reverted) -> str:
    """`Error(string)` as its text, `Panic(0x11)`, `custom 0x…`, `empty`, or the kind of halt."""
    return f"halt: {printable(reverted.halt)}" if reverted.halt else _decoded(reverted.data)


@functools.lru_cache(maxsize=256)  # a contract says the same few things over and over
def _decoded(data: bytes) -> str:
    try:
        if data[:4] == _ERROR_STRING:
            text = printable(decode(["string"], data[4:])[0])
            return f"text {text!r}" if text.startswith(_KINDS) else text
        if data[:4] == _PANIC:
            return f"Panic({decode(['uint256'], data[4:])[0]:#x})"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return f"malformed 0x{_short(data)}"
    return f"custom 0x{_short(data)}" if data else "empty"


def _short(data: bytes) -> str:
    """Bytes in hexadecimal; of many, the first and a digest of all, so that no two are taken for the same."""
    if len(data) <= SHOWN:
        return data.hex()
    return f"{data[:SHOWN].hex()}… ({len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()[:16]}…)"

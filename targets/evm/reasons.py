"""Why a contract reverted, as text safe to show: revert reasons are untrusted."""

import functools

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from marginspec.base.text import printable
from marginspec.targets.evm.chain import Reverted

_ERROR_STRING = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


def reason(reverted: Reverted) -> str:
    """`Error(string)` as its text, `Panic(0x11)`, `custom 0x…`, `empty`, or the kind of halt."""
    return f"halt: {printable(reverted.halt)}" if reverted.halt else _decoded(reverted.data)


@functools.lru_cache(maxsize=256)  # a contract says the same few things over and over
def _decoded(data: bytes) -> str:
    try:
        if data[:4] == _ERROR_STRING:
            return printable(decode(["string"], data[4:])[0])
        if data[:4] == _PANIC:
            return f"Panic({decode(['uint256'], data[4:])[0]:#x})"
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return f"malformed 0x{data[:64].hex()}"
    return f"custom 0x{data[:64].hex()}" if data else "empty"

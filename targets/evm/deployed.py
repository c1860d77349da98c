"""What a contract that is deployed somewhere was created with: an artifact of it, so that it can be deployed here.

The transaction that created it has its creation code. Nothing is sent: the node may be of any chain.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.book import locate
from marginspec.targets.evm.wire import Refused, Wire

FEW = 10_000
"""Blocks that are looked through one by one, of a chain for development."""

DEPLOYMENT = re.compile(r"(?P<name>\w+)=(?P<address>0x[0-9a-fA-F]{40})@(?P<url>.+)")


def deployed(url: str, address: str, shipped: Artifact) -> Artifact:
    """The contract at an address, under the name and the interface of the one that is shipped.

    Raises `BadInput` when there is no contract, or its creation cannot be read; `TargetFailed` when the node fails.
    """
    wire = Wire(url)
    try:
        latest = locate(wire, None).number
        if not _has_code(wire, address, latest):
            raise BadInput(f"there is no contract at {address} of the node at {wire.name}")
        created = _created(wire, address, latest)
    finally:
        wire.close()
    words = _words(next((entry.get("inputs", []) for entry in shipped.abi if entry.get("type") == "constructor"), []))
    if words is None or len(created) <= 32 * words:
        raise BadInput(f"{address}: its constructor's arguments cannot be told from its code: give an artifact")
    return Artifact(shipped.name, shipped.abi, created[: len(created) - 32 * words])


def _has_code(wire: Wire, address: str, block: int) -> bool | None:
    """Whether there is a contract at an address in a block; None when the node does not know that any more."""
    (code,) = wire.ask([("eth_getCode", [address, hex(block)])])
    return None if isinstance(code, Refused) else isinstance(code, str) and code not in ("", "0x")


def _created(wire: Wire, address: str, latest: int) -> bytes:
    """The data of the transaction that created a contract."""
    for number in _blocks(wire, address, latest):
        (block,) = wire.ask([("eth_getBlockByNumber", [hex(number), True])])
        try:
            for sent in block["transactions"]:
                if sent.get("to") is None and _address(sent["from"], int(sent["nonce"], 16)) == address.lower():
                    return bytes.fromhex(str(sent["input"]).removeprefix("0x"))
        except (TypeError, ValueError, KeyError, AttributeError):
            raise wire.failed(f"it reports a block {number} that is none") from None
    raise BadInput(f"{address} was created by another contract, or at the beginning: give an artifact")


def _blocks(wire: Wire, address: str, latest: int) -> Sequence[int]:
    """Where to look: the first block that has the contract's code or, where the node has forgotten that, all of few."""
    low, high = 0, latest
    while low < high:
        middle = (low + high) // 2
        known = _has_code(wire, address, middle)
        if known is None and latest <= FEW:
            return range(latest + 1)
        if known is None:
            raise BadInput(
                f"the node at {wire.name} has forgotten block {middle}: give an archive node, or an artifact"
            )
        low, high = (low, middle) if known else (middle + 1, high)
    return (low,)


def _address(sender: str, nonce: int) -> str:
    """The address of the contract that a sender's transaction creates: of the RLP list of the two."""
    count = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if len(count) != 1 or count[0] >= 0x80:
        count = bytes([0x80 + len(count)]) + count
    pair = b"\x94" + bytes.fromhex(sender.removeprefix("0x")) + count
    return "0x" + keccak(bytes([0xC0 + len(pair)]) + pair)[12:].hex()


def _words(inputs: Sequence[Mapping[str, Any]]) -> int | None:
    """How many words arguments take in the ABI; None when that depends on their values."""
    total = 0
    for each in inputs:
        kind, lengths = str(each["type"]).partition("[")[0], re.findall(r"\[(\d*)\]", str(each["type"]))
        one = _words(each["components"]) if kind == "tuple" else None if kind in ("string", "bytes") else 1
        if one is None or "" in lengths:
            return None
        for length in lengths:
            one *= int(length)
        total += one
    return total

"""Where a contract keeps a variable: of Solidity by the `storageLayout` of its compiler, of Vyper by its slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from eth_abi.abi import encode
from eth_utils.crypto import keccak

WORD = 32


class Place(NamedTuple):
    """A value in storage: its slot, how many bytes of the word are below it, how many it has, whether it has a sign."""

    slot: int
    offset: int = 0
    width: int = WORD
    is_signed: bool = False

    def of(self, word: int) -> int:
        """Return the value, of the word in its slot."""
        bits = 8 * self.width
        value = word >> 8 * self.offset & (1 << bits) - 1
        return value - (1 << bits) if self.is_signed and value >> bits - 1 else value


class Storage:
    """The variables of a contract. layout: what the compiler says, `storage` and `types`."""

    def __init__(self, layout: Mapping[str, Any]) -> None:
        self._types = layout["types"]
        self._variables = {entry["label"]: entry for entry in layout["storage"]}

    def place(self, variable: str, *path: Any) -> Place:
        """Return where a value is. path: keys of maps, numbers of elements and names of members, from the outside."""
        entry = self._variables[variable]
        slot, offset, kind = int(entry["slot"]), entry["offset"], entry["type"]
        for step in path:
            slot, offset, kind = self._inside(slot, self._types[kind], step)
        label, width = self._types[kind]["label"], int(self._types[kind]["numberOfBytes"])
        return Place(slot, offset, width, label.startswith("int"))

    def _inside(self, slot: int, kind: Mapping[str, Any], step: Any) -> tuple[int, int, str]:
        if kind["encoding"] == "mapping":
            key = encode([self._types[kind["key"]]["label"]], [step])
            return _hashed(key + slot.to_bytes(WORD, "big")), 0, kind["value"]
        if kind["encoding"] == "dynamic_array":
            width = int(self._types[kind["base"]]["numberOfBytes"])
            beyond, at = divmod(step, WORD // width)
            return _hashed(slot.to_bytes(WORD, "big")) + beyond, at * width, kind["base"]
        member = next(member for member in kind["members"] if member["label"] == step)
        return slot + int(member["slot"]), member["offset"], member["type"]


def slot_of_vyper(slot: int, *keys: str | int) -> int:
    """Return where a Vyper contract keeps an entry of a map. slot: the map's. keys: accounts' addresses and numbers."""
    for key in keys:
        number = int(key, 16) if isinstance(key, str) else key
        slot = _hashed(slot.to_bytes(WORD, "big") + number.to_bytes(WORD, "big"))
    return slot


def slot_of_solidity(slot: int, *keys: str) -> int:
    """Return where a Solidity contract keeps an entry of a map by addresses, or without keys where an array's begin."""
    if not keys:
        return _hashed(slot.to_bytes(WORD, "big"))
    for key in keys:
        slot = _hashed(int(key, 16).to_bytes(WORD, "big") + slot.to_bytes(WORD, "big"))
    return slot


def _hashed(data: bytes) -> int:
    return int.from_bytes(keccak(data), "big")

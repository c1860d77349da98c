"""Types and values of a contract's ABI as Solidity: declarations of structs and functions, expressions, literals.

An entry is what a contract's ABI has of an argument or a result: `name`, `type`, of a struct `components`, and for
contracts in Solidity `internalType`. Values are integers, truth values, text, addresses and bytes in hexadecimal, and
lists of such.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eth_utils.address import to_checksum_address

Entry = Mapping[str, Any]

Text = str | tuple[str, list["Text"], str]
"""Text that can be broken: what stands before a list, its items, and what stands after it."""

WIDTH = 120
INDENT = 4
UINT256_MAX = 2**256 - 1

# Of the words that Solidity reserves, those that might be the name of an argument.
RESERVED = frozenset(
    ("after", "case", "default", "final", "from", "in", "let", "match", "of", "reference", "static", "var")
)


def plain(said: str) -> str:
    """Any text as one line of printable ASCII, for a comment."""
    return ascii(said)[1:-1]


def literal(text: str) -> str:
    """A string literal of any text, which is UTF-8 to a contract."""
    kept = (chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\' else f"\\x{byte:02x}" for byte in text.encode())
    return f'"{"".join(kept)}"'


def integer(value: int) -> str:
    """An integer as a person would write it."""
    if value == UINT256_MAX:
        return "type(uint256).max"
    digits = str(abs(value)).rstrip("0")
    zeros = len(str(abs(value))) - len(digits)
    if zeros >= 9:
        return f"{'-' if value < 0 else ''}{digits}e{zeros}"
    return f"{value:_}" if abs(value) >= 10_000 else str(value)


def address(value: str) -> str:
    """An address as an expression."""
    short = f"{int(value, 16):#x}"
    return f"address({short if len(short) < 20 else to_checksum_address(value)})"


def elementary(entries: Sequence[Entry]) -> bool:
    """Whether every one of these is a single word."""
    return all(re.fullmatch(r"u?int\d+|address|bool|bytes\d+", entry["type"]) for entry in entries)


def word_type(outputs: Sequence[Entry], place: int) -> str:
    """The type of a word in what a function returns, none of which is of dynamic length."""
    return list(_words(outputs))[place]


def _words(entries: Sequence[Entry]) -> Iterator[str]:
    for entry in entries:
        if array := _array(entry):
            inner, length = array
            yield from list(_words([inner])) * length
        elif entry["type"] == "tuple":
            yield from _words(entry["components"])
        else:
            yield str(entry["type"])


def _array(entry: Entry) -> tuple[Entry, int] | None:
    """What an array is of, and how many."""
    found = re.fullmatch(r"(.*)\[(\d+)\]", entry["type"])
    return ({**entry, "type": found[1]}, int(found[2])) if found else None


def laid_out(text: Text, indent: int, around: int = 0) -> str:
    """Text on one line where it fits behind `indent` spaces, `around` more being taken, else one line for each item."""
    flat = _flat(text)
    if isinstance(text, str) or indent + around + len(flat) <= WIDTH:
        return flat
    before, items, after = text
    if len(items) == 1:
        return f"{before}{laid_out(items[0], indent, around + len(before) + len(after))}{after}"
    lines = [" " * (indent + INDENT) + laid_out(item, indent + INDENT) for item in items]
    return f"{before}\n{f',{chr(10)}'.join(lines)}\n{' ' * indent}{after}"


def _flat(text: Text) -> str:
    return text if isinstance(text, str) else f"{text[0]}{', '.join(map(_flat, text[1]))}{text[2]}"


# --- Declarations -----------------------------------------------------------------------------------------------


def function(entry: Entry) -> Text:
    """The declaration of an external function; without results where they are no single words."""
    inputs: list[Text] = [_declared(given, " memory") for given in entry["inputs"]]
    outputs = ", ".join(_declared(result, "") for result in entry["outputs"])
    returns = f" returns ({outputs})" if outputs and elementary(entry["outputs"]) else ""
    mutability = f" {entry['stateMutability']}" if entry["stateMutability"] in ("view", "pure") else ""
    return f"function {entry['name']}(", inputs, f") external{mutability}{returns};"


def structs(entry: Entry, path: str = "") -> dict[str, str]:
    """Declarations of the structs that a type is made of, by name, inner ones first. path: what it is part of."""
    if array := _array(entry):
        return structs(array[0], path)
    if entry["type"] != "tuple":
        return {}
    inside = path + capital(entry["name"])
    found = {name: text for part in entry["components"] for name, text in structs(part, inside).items()}
    fields = "".join(f"    {_declared(part, '', inside)};\n" for part in entry["components"])
    name = struct_name(entry, path)
    return {**found, name: f"struct {name} {{\n{fields}}}\n"}


def struct_name(entry: Entry, path: str = "") -> str:
    """What the contract calls a struct; where its ABI does not say, after the arguments that it is part of."""
    known = str(entry.get("internalType", "")).removeprefix("struct ").split("[")[0].rpartition(".")[2]
    return known or path + capital(entry["name"])


def capital(name: str) -> str:
    """A name with a capital in front, the rest as it is."""
    return name[:1].upper() + name[1:]


def _declared(entry: Entry, location: str, path: str = "") -> str:
    name = "" if re.fullmatch(r"arg\d+", entry["name"]) else entry["name"]
    name += "_" if name in RESERVED else ""
    kind = entry["type"]
    if kind.startswith("tuple"):
        kind = struct_name(entry, path) + kind.removeprefix("tuple")
    return f"{kind}{'' if elementary([entry]) else location} {name}".rstrip()


# --- Expressions ------------------------------------------------------------------------------------------------


class Values:
    """Values as expressions. addresses: expressions by address. named: variables that hold a struct, and its value.

    derived: such variables, by the hash of what they hold, in hexadecimal.
    """

    def __init__(self, addresses: Mapping[str, str], named: Mapping[str, Any], derived: Mapping[str, str]) -> None:
        self._addresses, self._named, self._derived = addresses, named, derived

    def of(self, entries: Sequence[Entry], values: Sequence[Any], alone: bool = False) -> list[Text]:
        """Arguments. alone: nothing but the expressions says what type they are."""
        return [self._value(entry, value, "", alone) for entry, value in zip(entries, values, strict=True)]

    def struct(self, entry: Entry, value: Sequence[Any], path: str = "") -> Text:
        """A struct by its fields. path: what it is part of."""
        inside = path + capital(entry["name"])
        pairs = zip(entry["components"], value, strict=True)
        return f"{struct_name(entry, path)}(", [self._value(part, item, inside) for part, item in pairs], ")"

    def _value(self, entry: Entry, value: Any, path: str, alone: bool = False) -> Text:
        kind = entry["type"]
        if array := _array(entry):
            # An array has the type of its first item.
            return "[", [self._value(array[0], item, path, alone=not place) for place, item in enumerate(value)], "]"
        if kind == "tuple":
            found = next((name for name, held in self._named.items() if held == value), None)
            return found or self.struct(entry, value, path)
        if kind == "address":
            return self._addresses[value]
        if kind == "bool":
            return str(value).lower()
        if kind == "string":
            return literal(value)
        if kind == "bytes":
            return f'hex"{value}"' if value else '""'
        if kind.startswith("bytes"):
            known = self._derived.get(value)
            return f"keccak256(abi.encode({known}))" if known else f'{kind}(hex"{value}")'
        return f"{kind}({integer(value)})" if alone else integer(value)

"""A candidate build in the place of one contract, from any file that `build_output` knows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.abi import abi_to_signature, function_abi_to_4byte_selector

from marginspec.base.errors import BadInput
from marginspec.base.text import printable
from marginspec.targets.evm.build_output import contracts_in, creation_code, interface, unlinked

ENTRIES = ("constructor", "error", "event", "fallback", "function", "receive")
SHOWN = 8
"""Of the contracts in a file, so many are named where none is the right one."""


@dataclass(frozen=True)
class Function:
    """A function of a contract: its name, its signature as the EVM has it, whether it changes state and takes ether."""

    name: str
    signature: str
    selector: bytes
    changes: bool
    payable: bool


@dataclass(frozen=True)
class Artifact:
    """A contract that can be deployed: its interface and its creation code."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes

    def functions(self) -> list[Function]:
        """The functions of the interface, in its order. Raises BadInput for an entry that is none."""
        return [_function(self.name, entry) for entry in self.abi if entry.get("type", "function") == "function"]

    def selectors(self) -> Selectors:
        """Selectors by the names of functions. An overloaded one has its full signature alone, `f(uint256)`."""
        return Selectors(self.name, self.functions())

    def misfit(self, shipped: Artifact, needed: Collection[str] | None = None) -> str:
        """Why this is no build of a contract of which another is known; empty if it is.

        needed: names of the functions that matter, of all if None.
        """
        own = {function.signature: function.name for function in self.functions()}
        for each in shipped.functions():
            if each.signature not in own and (needed is None or each.name in needed):
                alike = [signature for signature, name in own.items() if name == each.name]
                return ", it has ".join([f"it lacks function {each.signature}", *alike[:1]])
        takes, expected = self._constructor(), shipped._constructor()
        return "" if takes == expected else f"its constructor takes {takes}, expected {expected}"

    def _constructor(self) -> str:
        """The types that the constructor takes."""
        for entry in self.abi:
            if entry.get("type") == "constructor":
                return "(" + _function(self.name, {**entry, "name": "constructor"}).signature.partition("(")[2]
        return "()"

    @property
    def has_fallback(self) -> bool:
        """Whether the contract takes calls to functions that it does not have."""
        return any(entry.get("type") == "fallback" for entry in self.abi)

    @property
    def has_receive(self) -> bool:
        """Whether the contract takes calls without data."""
        return any(entry.get("type") == "receive" for entry in self.abi)


class Selectors(dict[str, bytes]):
    """Selectors by name, for functions that are not overloaded; of every function by its full signature.

    Iterating shows the names alone. BadInput for a function that is not there, or whose name does not say which.
    """

    def __init__(self, contract: str, functions: Sequence[Function]) -> None:
        count = Counter(function.name for function in functions)
        super().__init__({f.name: f.selector for f in functions if count[f.name] == 1})
        self._contract = contract
        self._by_signature = {function.signature: function.selector for function in functions}

    def __missing__(self, name: str) -> bytes:
        if name in self._by_signature:
            return self._by_signature[name]
        overloads = [signature for signature in self._by_signature if signature.startswith(f"{name}(")]
        if overloads:
            raise BadInput(f"{self._contract}: function {name} is overloaded: name one of {', '.join(overloads)}")
        raise BadInput(f"{self._contract}: there is no function {printable(name, 80)}")


def _function(contract: str, entry: Mapping[str, Any]) -> Function:
    try:
        if not isinstance(entry["name"], str) or not entry["name"]:
            raise TypeError("no name")
        signature = abi_to_signature(entry)  # type: ignore[arg-type]
        selector = function_abi_to_4byte_selector(entry)  # type: ignore[arg-type]
    except Exception:  # whatever a library makes of what somebody wrote
        shown = printable(json.dumps(entry, default=str), 80)
        raise BadInput(f"artifact {contract}: {shown} in field abi is no function with a name and inputs") from None
    mutability = entry.get("stateMutability", "view" if entry.get("constant") is True else "nonpayable")
    changes = mutability not in ("view", "pure")
    payable = entry.get("stateMutability") == "payable" or entry.get("payable") is True
    return Function(signature.partition("(")[0], signature, selector, changes, payable)


@dataclass(frozen=True)
class Candidate:
    """A build in the place of the contract `name`, as it was read, once. sha256: of what was read, in hexadecimal."""

    name: str
    file: Path
    artifact: Artifact
    sha256: str

    @property
    def option(self) -> str:
        """What `--artifact` says of it."""
        return f"{self.name}={self.file}"


def candidates(options: Sequence[str] | None) -> list[Candidate]:
    """What `--artifact NAME=FILE` names, any number of times. Raises BadInput: unusable, or a contract named twice."""
    found: dict[str, Candidate] = {}
    for option in options or ():
        name, equals, file = option.partition("=")
        if not (name and equals and file):
            raise BadInput(f"--artifact {option!r}: expected NAME=FILE, for example Morpho=out/Morpho.sol/Morpho.json")
        if name in found:
            raise BadInput(f"--artifact {name}: given twice, {found[name].file} and {file}")
        found[name] = _candidate(name, Path(file))
    return list(found.values())


def load_artifact(name: str, path: Path) -> Artifact:
    """Read an artifact; anything unusable is one line of `BadInput`."""
    return _candidate(name, path).artifact


def _candidate(name: str, path: Path) -> Candidate:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(f"artifact {path}: {error.strerror or error}") from None
    return Candidate(name, path, _parsed(name, path, text), hashlib.sha256(text).hexdigest())


def _parsed(name: str, path: Path, text: bytes) -> Artifact:
    try:
        data = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"artifact {path}: not JSON ({error})") from None
    if not isinstance(data, dict):
        raise BadInput(f"artifact {path}: expected a JSON object with abi and bytecode")
    return artifact(name, _one_contract(name, data, path), str(path))


def artifact(name: str, data: Mapping[str, Any], origin: str) -> Artifact:
    """An artifact from its JSON object."""
    try:
        abi, code = interface(data), creation_code(data)
    except (ValueError, RecursionError):
        abi, code = None, None
    if not isinstance(abi, list) or not all(isinstance(entry, dict) for entry in abi):
        raise BadInput(f"artifact {origin}: field abi is missing or not a list of objects")
    if odd := next((entry for entry in abi if entry.get("type", "function") not in ENTRIES), None):
        raise BadInput(
            f"artifact {origin}: {printable(json.dumps(odd, default=str), 80)} in field abi is of no known type"
        )
    if not isinstance(code, str) or not code.removeprefix("0x"):
        raise BadInput(f"artifact {origin}: no creation bytecode (an interface or abstract contract?)")
    if libraries := unlinked(code):
        named = ", ".join(printable(each, 40) for each in libraries)
        raise BadInput(f"artifact {origin}: bytecode has unlinked libraries ({named}): link them first")
    try:
        return Artifact(name, abi, bytes.fromhex(code.removeprefix("0x")))
    except ValueError:
        raise BadInput(f"artifact {origin}: bytecode is not hexadecimal") from None


def _one_contract(name: str, data: dict[str, Any], path: Path) -> Mapping[str, Any]:
    try:
        found = list(contracts_in(data))
    except (TypeError, RecursionError):
        raise BadInput(f"artifact {path}: what stands in the place of contracts is no object") from None
    if not found:
        raise BadInput(f"artifact {path}: there is no contract in it")
    having = [each for each in found if each[1] in ("", name)]
    if len(having) != 1:
        those = ", ".join(printable(f"{file}:{each}", 80) for file, each, _ in (having or found)[:SHOWN])
        more = f" and {len(having or found) - SHOWN} more" if len(having or found) > SHOWN else ""
        raise BadInput(f"artifact {path}: {len(having)} contracts named {name}, expected 1; it has {those}{more}")
    ((_, _, contract),) = having
    if not isinstance(contract, Mapping):
        raise BadInput(f"artifact {path}: contract {name} is not an object with abi and bytecode")
    return contract

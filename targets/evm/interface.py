"""Calls and answers of a contract by the names of its interface: `eth_abi` encodes and decodes, nothing by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple

from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact, Function
from marginspec.targets.evm.chain import Chain


class Interface:
    """The functions of a contract, by their names where these are not overloaded, else by their signatures."""

    def __init__(self, artifact: Artifact) -> None:
        """Read the interface. Raises BadInput for one that is none."""
        self._artifact = artifact
        self._selectors = artifact.selectors()
        functions = [entry for entry in artifact.abi if entry.get("type", "function") == "function"]
        self._entries: dict[str, Mapping[str, Any]] = {}
        for known, entry in zip(artifact.functions(), functions, strict=True):
            self._entries |= {known.name: entry, known.signature: entry}

    def creation(self, *arguments: Any) -> bytes:
        """Return the creation code with the arguments of the constructor."""
        constructor = next((entry for entry in self._artifact.abi if entry.get("type") == "constructor"), {})
        return self._artifact.bytecode + encode(_types(constructor.get("inputs", ())), arguments)

    def call(self, function: str, *arguments: Any) -> bytes:
        """Return the data of a call: the selector and the arguments as the interface types them.

        Structs are sequences; addresses are texts.
        """
        return self._selectors[function] + encode(_types(self._entries[function]["inputs"]), arguments)

    def results(self, function: str, data: bytes) -> tuple[Any, ...]:
        """Return what a function returned."""
        return decode(_types(self._entries[function]["outputs"]), data)

    def functions(self) -> list[Function]:
        """Return all functions, in the order of the interface."""
        return self._artifact.functions()

    def fields(self, function: str, argument: int) -> list[str]:
        """Return the names of the fields of a struct that a function takes."""
        return [part["name"] for part in self._entries[function]["inputs"][argument]["components"]]


class LiveContract:
    """A contract at an address. Every method raises `Reverted` where the contract does."""

    def __init__(self, chain: Chain, interface: Interface, address: str) -> None:
        self._chain, self.interface, self.address = chain, interface, address

    def transact(self, sender: str, function: str, *arguments: Any) -> None:
        """Call a function and keep what it does."""
        self._chain.transact(sender, self.address, self.interface.call(function, *arguments))

    def ask(self, function: str, *arguments: Any) -> tuple[Any, ...]:
        """Return what a function returns, and keep nothing of what it does."""
        data = self._chain.call(self.address, self.interface.call(function, *arguments))
        return self.interface.results(function, data)

    def value(self, function: str, *arguments: Any) -> Any:
        """Return the first of what a function returns."""
        return self.ask(function, *arguments)[0]


def united(name: str, behind: Sequence[Artifact]) -> Artifact:
    """Return the interface of a proxy: the functions of all that it hands calls on to, without code."""
    entries: dict[str, dict[str, Any]] = {}
    for each in behind:
        functions = [entry for entry in each.abi if entry.get("type", "function") == "function"]
        entries |= {known.signature: entry for known, entry in zip(each.functions(), functions, strict=True)}
    return Artifact(name, list(entries.values()), b"")


def replaced_by(
    shipped: Mapping[str, Artifact],
    candidates: Mapping[str, Artifact],
    system: str,
    needed: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> dict[str, Artifact]:
    """Return the contracts of a system, some of them replaced by candidate builds.

    needed: names of the functions that a candidate must have, by contract; all of the shipped one where it is not told.
    Raises BadInput for a candidate that no contract of the system has the name or the functions of.
    """
    for name, candidate in candidates.items():
        if name not in shipped:
            raise BadInput(f"--artifact {name}: {system} has {', '.join(shipped)}")
        if misfit := candidate.misfit(shipped[name], needed.get(name)):
            raise BadInput(f"--artifact {name}: not a build of {name}, {misfit}")
    return {**shipped, **candidates}


def _types(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [collapse_if_tuple(dict(parameter)) for parameter in parameters]

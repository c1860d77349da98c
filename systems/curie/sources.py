"""The Solidity sources of Curie and their compiler, for planted bugs.

Neither travels with marginspec: `make packages` fetches the npm packages, by their digests. What is compiled of the
sources is what the package has, but for the digest of the sources at its end.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.systems.curie.deployment import ACCOUNTS, EXCHANGE, FUND, HOUSE, PACKAGE, VAULT, shipped_contracts
from marginspec.targets.evm.fetched import are_fetched, compile_standard, fetched_folder

SOLC = "solc-0.7.6"
IMPORTED = {
    "@openzeppelin/contracts-upgradeable/": "openzeppelin-contracts-upgradeable-3.4.2",
    "@openzeppelin/contracts/": "openzeppelin-contracts-3.4.1-solc-0.7-2",
    "@uniswap/v3-core/": "uniswap-v3-core-1.0.1",
    "@uniswap/v3-periphery/": "uniswap-v3-periphery-1.0.1",
    "@perp/perp-oracle-contract/": "perp-perp-oracle-contract-0.6.7",
    "@perp/voting-escrow/": "perp-voting-escrow-1.2.0",
}
"""Packages that the sources import, by how their files' names begin."""

REBUILT = (HOUSE, EXCHANGE, ACCOUNTS, VAULT, FUND, "OrderBook", "ClearingHouseConfig")
SETTINGS = {"optimizer": {"enabled": True, "runs": 100}, "evmVersion": "berlin"}
OUTPUTS = ("abi", "evm.bytecode.object")


def fetched() -> bool:
    """Whether the packages that the sources need are here."""
    return are_fetched(PACKAGE, SOLC, *IMPORTED.values())


def read() -> dict[str, str]:
    """Return the source files of `REBUILT` and of all that they import, by name. Raises BadInput: not fetched."""
    found: dict[str, str] = {}
    todo = [f"contracts/{name}.sol" for name in REBUILT]
    while todo:
        if (name := todo.pop()) not in found:
            found[name] = _file(name).read_text(encoding="utf-8")
            todo += _imported(name, found[name])
    return dict(sorted(found.items()))


def _file(name: str) -> Path:
    for begin, package in IMPORTED.items():
        if name.startswith(begin):
            return fetched_folder(package) / name.removeprefix(begin)
    return fetched_folder(PACKAGE) / name


def _imported(name: str, text: str) -> list[str]:
    """The names of the files that a file imports: one that begins with a dot is beside it."""
    imported = re.findall(r"""(?m)^import [^;]*?["']([^"']+)["'];""", text)
    folder = posixpath.dirname(name)
    return [posixpath.normpath(posixpath.join(folder, each)) if each.startswith(".") else each for each in imported]


def _needs(name: str, files: dict[str, str]) -> set[str]:
    """A file and all that it imports."""
    found, todo = set[str](), [name]
    while todo:
        if (each := todo.pop()) not in found:
            found.add(each)
            todo += _imported(each, files[each])
    return found


def compiled(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return abi and bytecode of each of `REBUILT`, by name; what no changed file is part of is as the package has it.

    Raises BadInput for what does not compile.
    """
    own, shipped = read(), shipped_contracts()
    changed = {name for name, text in files.items() if text != own.get(name)}
    touched = [name for name in REBUILT if _needs(f"contracts/{name}.sol", files) & changed]
    same = {name: {"abi": shipped[name].abi, "bytecode": shipped[name].bytecode.hex()} for name in REBUILT}
    return same | (rebuilt(files, touched) if touched else {})


def rebuilt(files: dict[str, str], names: list[str]) -> dict[str, dict[str, Any]]:
    """Return abi and bytecode of some contracts. Raises BadInput for what does not compile."""
    asked = {"language": "Solidity", "sources": {name: {"content": text} for name, text in files.items()}}
    wanted = {"outputSelection": {f"contracts/{name}.sol": {name: OUTPUTS} for name in names}}
    request = json.dumps({**asked, "settings": {**SETTINGS, **wanted}}, sort_keys=True)

    def make() -> dict[str, Any]:
        print(f"marginspec: compiling {', '.join(names)} with {SOLC} (once)", file=sys.stderr, flush=True)
        found = compile_standard(SOLC, request)
        return {name: _contract(found[f"contracts/{name}.sol"][name]) for name in names}

    return dict(kept(SOLC, request, make))


def _contract(built: dict[str, Any]) -> dict[str, Any]:
    return {"abi": built["abi"], "bytecode": built["evm"]["bytecode"]["object"]}

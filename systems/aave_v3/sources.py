"""The Solidity sources of Aave v3 and their compiler, for planted bugs.

Neither travels with marginspec: `make packages` fetches the npm packages, by their digests. What is compiled of the
sources is what the package has, byte by byte.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from collections.abc import Sequence
from typing import Any

from marginspec.base.cache import kept
from marginspec.systems.aave_v3.deployment import CLAIM, DEBT, LIBRARIES, POOL, STRATEGY, document
from marginspec.targets.evm.fetched import are_fetched, compile_standard, fetched_folder

AAVE, SOLC = "aave-core-v3-1.19.3", "solc-0.8.10"

FILES = {
    **{
        name: f"contracts/protocol/libraries/logic/{name}.sol"
        for name in LIBRARIES
        if name not in ("BridgeLogic", "FlashLoanLogic")
    },
    POOL: "contracts/protocol/pool/Pool.sol",
    CLAIM: "contracts/protocol/tokenization/AToken.sol",
    DEBT: "contracts/protocol/tokenization/VariableDebtToken.sol",
    STRATEGY: "contracts/protocol/pool/DefaultReserveInterestRateStrategy.sol",
}
"""The file of each contract that is rebuilt."""

REBUILT = tuple(FILES)
OUTPUTS = ("abi", "evm.bytecode.object", "evm.bytecode.linkReferences")
SETTINGS = {
    "optimizer": {"enabled": True, "runs": 100_000},
    "evmVersion": "london",
    "metadata": {"useLiteralContent": True},
}


def read() -> dict[str, str]:
    """Return the source files of `REBUILT` and of all that they import, by name. Raises BadInput: not fetched."""
    folder, found = fetched_folder(AAVE), dict[str, str]()
    todo = list(FILES.values())
    while todo:
        if (name := todo.pop()) not in found:
            found[name] = (folder / name).read_text(encoding="utf-8")
            todo += _imported(name, found[name])
    return dict(sorted(found.items()))


def _imported(name: str, text: str) -> list[str]:
    """The names of the files that a file imports."""
    imported = re.findall(r"(?m)^import [^;]*?'([^']+)';", text)
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), each)) for each in imported]


def _needs(name: str, files: dict[str, str]) -> set[str]:
    """A file and all that it imports."""
    found, todo = set[str](), [name]
    while todo:
        if (each := todo.pop()) not in found:
            found.add(each)
            todo += _imported(each, files[each])
    return found


def fetched() -> bool:
    """Whether the packages that the sources need are here."""
    return are_fetched(AAVE, SOLC)


def compiled(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return abi and bytecode of each of `REBUILT`, by name; what no changed file is part of is as it is shipped.

    Raises BadInput for what does not compile.
    """
    own, shipped = read(), document()["contracts"]
    changed = {name for name, text in files.items() if text != own.get(name)}
    touched = [name for name, file in FILES.items() if _needs(file, files) & changed]
    return {name: shipped[name] for name in REBUILT} | (rebuilt(files, touched) if touched else {})


def rebuilt(files: dict[str, str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return abi and bytecode of some contracts. Raises BadInput for what does not compile."""
    asked = {"language": "Solidity", "sources": {name: {"content": text} for name, text in files.items()}}
    wanted = {"outputSelection": {FILES[name]: {name: OUTPUTS} for name in names}}
    request = json.dumps({**asked, "settings": {**SETTINGS, **wanted}}, sort_keys=True)

    def make() -> dict[str, Any]:
        print(f"marginspec: compiling {', '.join(names)} with {SOLC} (once)", file=sys.stderr, flush=True)
        found = compile_standard(SOLC, request)
        return {name: linked(found[FILES[name]][name]) for name in names}

    return dict(kept(f"{SOLC}-linked", request, make))


def linked(built: dict[str, Any]) -> dict[str, Any]:
    """Return abi and creation code of what the compiler made, linked with the addresses of `LIBRARIES`."""
    code = built["evm"]["bytecode"]["object"]
    for libraries in built["evm"]["bytecode"]["linkReferences"].values():
        for library, places in libraries.items():
            for place in places:
                start = 2 * place["start"]
                code = code[:start] + LIBRARIES[library][2:] + code[start + 40 :]
    return {"abi": built["abi"], "bytecode": code}

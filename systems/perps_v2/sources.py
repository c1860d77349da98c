"""The Solidity sources of PerpsV2 and their compiler, for planted bugs and for the layout of storage.

Neither travels with marginspec: `make packages` fetches the npm packages, by their digests. What is compiled of the
sources is, but for the digest of the sources at its end, what was deployed.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.targets.evm.fetched import are_fetched, compile_standard, fetched_folder

SYNTHETIX, OPEN_ZEPPELIN, SOLC = "synthetix-2.102.1", "openzeppelin-solidity-2.3.0", "solc-0.5.16"

REBUILT = ("PerpsV2Market", "PerpsV2MarketLiquidate", "PerpsV2MarketViews", "PerpsV2MarketState")
LAID_OUT = (*REBUILT, "FlexibleStorage")

OUTPUTS = ("abi", "evm.bytecode.object", "storageLayout")
SETTINGS = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "istanbul",
    "outputSelection": {f"{name}.sol": {name: OUTPUTS} for name in LAID_OUT},
}


def read() -> dict[str, str]:
    """Return the source files of `LAID_OUT` and of all that they import, by name. Raises BadInput: not fetched."""
    found: dict[str, str] = {}
    todo = [f"{name}.sol" for name in LAID_OUT]
    while todo:
        if (name := todo.pop()) not in found:
            found[name] = _file(name).read_text(encoding="utf-8")
            todo += [_resolved(name, each) for each in re.findall(r'(?m)^import "([^"]+)";', found[name])]
    return dict(sorted(found.items()))


def fetched() -> bool:
    """Whether the packages that the sources need are here."""
    return are_fetched(SYNTHETIX, OPEN_ZEPPELIN, SOLC)


def _file(name: str) -> Path:
    package, _, inside = name.partition("/")
    if package == OPEN_ZEPPELIN:
        return fetched_folder(OPEN_ZEPPELIN) / inside
    return fetched_folder(SYNTHETIX) / "contracts" / name


def _resolved(importer: str, imported: str) -> str:
    """The name of an imported file: one that begins with a dot is beside its importer."""
    beside = imported.startswith(".")
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported)) if beside else imported


def compiled(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return abi, bytecode and storageLayout of each of `LAID_OUT`, by name. BadInput for what does not compile."""
    asked = {"language": "Solidity", "sources": {name: {"content": text} for name, text in files.items()}}
    request = json.dumps({**asked, "settings": SETTINGS}, sort_keys=True)

    def make() -> dict[str, Any]:
        print(f"marginspec: compiling {len(files)} Solidity files with {SOLC} (once)", file=sys.stderr, flush=True)
        found = compile_standard(SOLC, request)
        return {name: _contract(found[f"{name}.sol"][name]) for name in LAID_OUT}

    return dict(kept(SOLC, request, make))


def _contract(built: dict[str, Any]) -> dict[str, Any]:
    code = built["evm"]["bytecode"]["object"]
    return {"abi": built["abi"], "bytecode": code, "storageLayout": built["storageLayout"]}

"""The Solidity sources of PerpsV2 and their compiler, for planted bugs and for the layout of storage.

Neither travels with marginspec: `make packages` fetches the npm packages, by their digests. What is compiled of the
sources is, but for the digest of the sources at its end, what was deployed.
"""

from __future__ import annotations

import json
import posixpath
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import end_with_parent
from marginspec.base.errors import BadInput
from marginspec.base.package import ROOT
from marginspec.targets.evm.build import node

PACKAGES = ROOT / "out" / "packages"
SYNTHETIX, OPEN_ZEPPELIN, SOLC = "synthetix-2.102.1", "openzeppelin-solidity-2.3.0", "solc-0.5.16"

REBUILT = ("PerpsV2Market", "PerpsV2MarketLiquidate", "PerpsV2MarketViews", "PerpsV2MarketState")
LAID_OUT = (*REBUILT, "FlexibleStorage")

OUTPUTS = ("abi", "evm.bytecode.object", "storageLayout")
SETTINGS = {
    "optimizer": {"enabled": True, "runs": 200},
    "evmVersion": "istanbul",
    "outputSelection": {f"{name}.sol": {name: OUTPUTS} for name in LAID_OUT},
}

# The compiler is one JavaScript file, which node runs: it reads its input from one file and writes to another.
RUN = """
const [program, given, made] = process.argv.slice(1), files = require('fs'), solc = require(program);
const compile = solc.cwrap('solidity_compile', 'string', ['string', 'number']);
files.writeFileSync(made, compile(files.readFileSync(given, 'utf8'), 0));
"""


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
    return all((PACKAGES / package / "package").is_dir() for package in (SYNTHETIX, OPEN_ZEPPELIN, SOLC))


def _file(name: str) -> Path:
    package, _, inside = name.partition("/")
    if package == OPEN_ZEPPELIN:
        return _folder(OPEN_ZEPPELIN) / inside
    return _folder(SYNTHETIX) / "contracts" / name


def _resolved(importer: str, imported: str) -> str:
    """The name of an imported file: one that begins with a dot is beside its importer."""
    beside = imported.startswith(".")
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), imported)) if beside else imported


def _folder(package: str) -> Path:
    folder = PACKAGES / package / "package"
    if not folder.is_dir():
        raise BadInput(f"npm package {package} is not at {folder}: `make packages` fetches it")
    return folder


def compiled(files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return abi, bytecode and storageLayout of each of `LAID_OUT`, by name. BadInput for what does not compile."""
    asked = {"language": "Solidity", "sources": {name: {"content": text} for name, text in files.items()}}
    request = json.dumps({**asked, "settings": SETTINGS}, sort_keys=True)

    def make() -> dict[str, Any]:
        print(f"marginspec: compiling {len(files)} Solidity files with {SOLC} (once)", file=sys.stderr, flush=True)
        return _compiled(request)

    return dict(kept(SOLC, request, make))


def _compiled(request: str) -> dict[str, Any]:
    program = _folder(SOLC) / "soljson.js"
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given.json"), Path(folder, "made.json")
        given.write_text(request, encoding="utf-8")
        command = [node(), "-e", RUN, str(program), str(given), str(made)]
        done = subprocess.run(command, capture_output=True, check=False, preexec_fn=end_with_parent)
        if done.returncode != 0 or not made.is_file():
            raise BadInput(f"{SOLC} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
        answer = json.loads(made.read_text(encoding="utf-8"))
    if errors := [each["formattedMessage"] for each in answer.get("errors", ()) if each["severity"] == "error"]:
        raise BadInput(f"{SOLC}: {' '.join(errors[0].split())[:300]}")
    return {name: _contract(answer["contracts"][f"{name}.sol"][name]) for name in LAID_OUT}


def _contract(built: dict[str, Any]) -> dict[str, Any]:
    code = built["evm"]["bytecode"]["object"]
    return {"abi": built["abi"], "bytecode": code, "storageLayout": built["storageLayout"]}

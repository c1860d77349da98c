"""Contracts from installed packages: compiled with the package's own compiler, cached by content."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import end_with_parent
from marginspec.base.errors import BadInput

SETTINGS = {
    "optimizer": {"enabled": True, "runs": 999999},
    "viaIR": True,
    "evmVersion": "paris",
    "metadata": {"bytecodeHash": "none"},
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
}


def package(name: str) -> Path:
    """The folder of an installed npm package, looked for in `node_modules` here and upwards."""
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (found := folder / "node_modules" / name).is_dir():
            return found
    if shutil.which("npm") is None:
        raise BadInput(f"npm package {name} is needed and npm is not on this machine: install Node 20, then `npm ci`")
    raise BadInput(f"npm package {name} is not installed: run `npm ci --ignore-scripts` where package-lock.json is")


def node() -> str:
    """The Node.js program."""
    if (found := shutil.which("node")) is None:
        raise BadInput("node is not on this machine: install Node 20")
    return found


def sources_of(folder: Path, under: str = "src") -> dict[str, str]:
    """Solidity files below `folder/under`, by their path in the package."""
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted((folder / under).rglob("*.sol"))}


def compile_solidity(sources: dict[str, str], compiler: str = "solc") -> dict[str, Any]:
    """Every contract of `sources` by name, as {"abi": …, "bytecode": hex}. Errors of the compiler are `BadInput`."""
    request = json.dumps(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": SETTINGS,
        },
        sort_keys=True,
    )
    version = json.loads((package(compiler) / "package.json").read_text())["version"]

    def make() -> dict[str, Any]:
        said = f"marginspec: compiling {len(sources)} Solidity files with solc {version} (once)"
        print(said, file=sys.stderr, flush=True)
        return _solc(request, package(compiler) / "solc.js")

    return dict(kept(f"solc-{version}", request, make))


def _solc(request: str, program: Path) -> dict[str, Any]:
    # Through files, not pipes: solc-js exits before a pipe has taken all of its output.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as given:
        given.write(request)
        given.seek(0)
        done = subprocess.run(
            [node(), str(program), "--standard-json"],
            stdin=given,
            stdout=out,
            stderr=subprocess.PIPE,
            preexec_fn=end_with_parent,
        )
        out.seek(0)
        text = out.read()
    start = text.find("{")
    if done.returncode != 0 or start < 0:
        raise BadInput(f"solc failed: {done.stderr.decode(errors='replace').strip()[:300]}")
    return {
        name: {"abi": contract["abi"], "bytecode": contract["evm"]["bytecode"]["object"]}
        for file in contracts_in_answer("solc", text[start:]).values()
        for name, contract in file.items()
        if contract["evm"]["bytecode"]["object"]
    }


def contracts_in_answer(compiler: str, text: str) -> dict[str, Any]:
    """Contracts by file and name, from a compiler's answer in standard JSON. Raises BadInput for an error in it."""
    answer = json.loads(text)
    if errors := [each["formattedMessage"] for each in answer.get("errors", ()) if each["severity"] == "error"]:
        raise BadInput(f"{compiler}: {' '.join(errors[0].split())[:300]}")
    return dict(answer["contracts"])

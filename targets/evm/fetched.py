"""npm packages with a venue's sources and their compiler: `make packages` fetches them, none travels in the wheel."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from marginspec.base.ending import end_with_parent
from marginspec.base.errors import BadInput
from marginspec.base.package import ROOT
from marginspec.targets.evm.build import contracts_in_answer, node

PACKAGES = ROOT / "out" / "packages"

# The compiler is one JavaScript file, which node runs: it reads its input from one file and writes to another. Before
# version 0.6 it takes two arguments, and leaves the third.
RUN = """
const [program, given, made] = process.argv.slice(1), files = require('fs'), solc = require(program);
const compile = solc.cwrap('solidity_compile', 'string', ['string', 'number', 'number']);
files.writeFileSync(made, compile(files.readFileSync(given, 'utf8'), 0, 0));
"""


def are_fetched(*packages: str) -> bool:
    """Whether packages are here, each named with its version."""
    return all((PACKAGES / package / "package").is_dir() for package in packages)


def fetched_folder(package: str) -> Path:
    """Return the folder of a package's files. Raises BadInput: not fetched."""
    folder = PACKAGES / package / "package"
    if not folder.is_dir():
        raise BadInput(f"npm package {package} is not at {folder}: `make packages` fetches it")
    return folder


def compile_standard(compiler: str, request: str) -> dict[str, Any]:
    """Return the contracts that a fetched solc makes of standard JSON, by file and name. BadInput if it makes none."""
    program = fetched_folder(compiler) / "soljson.js"
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "given.json"), Path(folder, "made.json")
        given.write_text(request, encoding="utf-8")
        command = [node(), "-e", RUN, str(program), str(given), str(made)]
        done = subprocess.run(command, capture_output=True, check=False, preexec_fn=end_with_parent)
        if done.returncode != 0 or not made.is_file():
            raise BadInput(f"{compiler} failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
        return contracts_in_answer(compiler, made.read_text(encoding="utf-8"))

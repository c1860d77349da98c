"""`python candidate.py [BUG]`: what a developer and `forge build` leave behind: sources in src/, a build in out/.

The sources are those of npm package @morpho-org/morpho-blue, so that none of them is kept here; BUG is one of those
that marginspec plants (contracts/planted/morpho-blue.toml). solc takes the settings of foundry.toml and gives what
Foundry keeps in an artifact: interface, code, source map, metadata.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from marginspec.mutation import planted
from marginspec.targets.evm.build import node, package, sources_of

CONTRACT, FILE = "Morpho", "src/Morpho.sol"
CODES = ("bytecode", "deployedBytecode")
OUTPUT = ["abi", "metadata", *(f"evm.{code}.{part}" for code in CODES for part in ("object", "sourceMap"))]


def main(bug: str | None) -> None:
    """Write src/ and out/ here."""
    sources = sources_of(package("@morpho-org/morpho-blue"))
    if bug is not None:
        (found,) = [each for each in planted.load("morpho-blue") if each.id == bug]
        sources[found.file] = sources[found.file].replace(found.find, found.replace)
    for name, text in sources.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    target = Path("out", "Morpho.sol", "Morpho.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(artifact(sources), indent=1))
    print(f"{target}: {bug or 'as it was released'}")


def artifact(sources: dict[str, str]) -> dict[str, object]:
    """An artifact in Foundry's form."""
    profile = tomllib.loads(Path("foundry.toml").read_text())["profile"]["default"]
    settings = {
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "evmVersion": profile["evm_version"],
        "outputSelection": {FILE: {CONTRACT: OUTPUT}},
    }
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": settings,
    }
    # Through files: solc-js neither waits for a pipe to have all of its input, nor to have taken all of its output.
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as out:
        json.dump(request, given)
        given.seek(0)
        subprocess.run(
            [node(), str(package("solc") / "solc.js"), "--standard-json"], stdin=given, stdout=out, check=True
        )
        out.seek(0)
        text = out.read()
    answer = json.loads(text[text.index("{") :])
    contract = answer["contracts"][FILE][CONTRACT]
    return {
        "abi": contract["abi"],
        **contract["evm"],
        "metadata": json.loads(contract["metadata"]),
        "id": answer["sources"][FILE]["id"],
    }


if __name__ == "__main__":
    main(*sys.argv[1:] or [None])

"""`python -m tools.contracts FILE`: Morpho Blue's contracts as they travel with marginspec, from its npm package.

A user of the wheel has neither that package nor solc; tests compile them again and compare.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from marginspec.systems.morpho_blue.adapter import CONTRACTS, PACKAGE
from marginspec.targets.evm.build import compile_solidity, package, sources_of


def document() -> dict[str, Any]:
    """Return the contracts by name, and what they are compiled from."""
    folder = package(PACKAGE)
    built = compile_solidity(sources_of(folder))
    version = json.loads((folder / "package.json").read_text())["version"]
    solc = json.loads((package("solc") / "package.json").read_text())["version"]
    return {
        "source": f"npm package {PACKAGE} {version}, (c) 2023 Morpho Association",
        "license": "Business Source License 1.1 until 2026-01-01, GPL-2.0-or-later since: see LICENSE of that package",
        "compiler": f"solc {solc}",
        "contracts": {name: {part: built[name][part] for part in ("abi", "bytecode")} for name in CONTRACTS},
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

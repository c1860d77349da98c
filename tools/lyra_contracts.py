"""`python -m tools.lyra_contracts FILE`: Lyra v1's contracts as they travel with marginspec.

They are the artifacts of its npm package, as its authors compiled them; of the libraries that they are linked with, the
addresses are those of `LIBRARIES`, in whose place a run puts where it has deployed them. The market is our own.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from marginspec.systems.lyra_v1.adapter import ENVIRONMENT, LIBRARIES, OWN, PACKAGED
from marginspec.targets.evm.vyper import compile_folder
from tools.packages import Package

PACKAGE = Package(
    "@lyrafinance/protocol",
    "0.1.3-alpha",
    "oUO/m3kS6Bx0SmVID2PIjZ6RFVfixQV66I8hShuuMOIytehmxQtex5DgtMFDYumoO6MuyoZ18vKtDMHT0HLCXg==",
)
SYSTEM = Path(__file__).parents[1] / "systems" / "lyra_v1"


def packaged(name: str) -> dict[str, Any]:
    """Return interface and linked creation code of a contract of the package."""
    folder = PACKAGE.unpacked() / "dist" / "artifacts" / "contracts"
    (file,) = [path for path in folder.rglob(f"{name}.json") if "interfaces" not in path.parts]
    built = json.loads(file.read_text())
    code = built["bytecode"].removeprefix("0x")
    for libraries in built["linkReferences"].values():
        for library, places in libraries.items():
            for place in places:
                start = 2 * place["start"]
                code = code[:start] + LIBRARIES[library][2:] + code[start + 40 :]
    return {"abi": built["abi"], "bytecode": code}


def own() -> dict[str, Any]:
    """Return the market of a run, compiled here."""
    contracts, _ = compile_folder(SYSTEM)
    return {name: {"abi": contracts[name].abi, "bytecode": contracts[name].bytecode.hex()} for name in OWN}


def document() -> dict[str, Any]:
    """Return the contracts by name, and where they are from."""
    return {
        "source": f"npm package {PACKAGE.name} {PACKAGE.version}, by Lyra Finance",
        "license": (
            "ISC, as its package.json says; of its sources Owned and the decimal libraries say MIT, (c) 2019 "
            "Synthetix, and FixedPointMathLib says UNLICENSED"
        ),
        "compiler": (
            "solc 0.8.9 with 10,000 runs of the optimizer, by its authors (cache, token and libraries were compiled "
            f"again: the same bytes); {', '.join(OWN)}: our own, vyper {version('vyper')}"
        ),
        "contracts": {**{name: packaged(name) for name in (*PACKAGED, *ENVIRONMENT)}, **own()},
    }


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

"""`python -m tools.contracts_aave_v3 [FILE]`: Aave v3's contracts as they travel with marginspec.

They are the artifacts of its npm package, as its authors compiled them; of the libraries that they are linked with, the
addresses are those of `LIBRARIES`, in whose place a run puts where it has deployed them. Without a file it only fetches
the packages, which planted bugs are compiled of.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from marginspec.systems.aave_v3 import sources
from marginspec.systems.aave_v3.deployment import CONTRACTS, LAID_OUT
from tools.packages import Package

AAVE = Package(
    "@aave/core-v3",
    "1.19.3",
    "Xr7+VcoU5b4mPwM4IUCnskw3lciwrnL4Xloyad8GOddYeixnri2lZYobNmErm1LwE50vqjI0O+9QGNKY2TDkeQ==",
)
SOLC = Package(
    "solc",
    "0.8.10",
    "I/Mcn6J5bEtJqveNLplQm9IRrhemm6v+qkw5S2+wM4x9HItJ1sYdrqVTN3j4DMhFDM3ZbvM0QywVzpPx666PHw==",
)
LICENSE = (
    "Business Source License 1.1 until 27 January 2023, MIT since: see LICENSE.md of that package; of its sources "
    "those of OpenZeppelin and of initialisation say AGPL-3.0 or MIT, GPv2SafeERC20 says LGPL-3.0-or-later"
)


def fetched() -> Path:
    """Fetch the packages, and return the folder of Aave's."""
    SOLC.unpacked()
    return AAVE.unpacked()


def document() -> dict[str, Any]:
    """Return the contracts by name, layouts of storage, and where they are from."""
    (file,) = (fetched() / "artifacts" / "build-info").glob("*.json")
    built = json.loads(file.read_text(encoding="utf-8"))
    known = {name: each for contracts in built["output"]["contracts"].values() for name, each in contracts.items()}
    return {
        "source": f"npm package {AAVE.name} {AAVE.version}, (c) 2022 Aave",
        "license": LICENSE,
        "compiler": f"solc {built['solcLongVersion']} with 100,000 runs of the optimizer, by its authors",
        "contracts": {name: sources.linked(known[name]) for name in CONTRACTS},
        "layouts": {name: known[name]["storageLayout"] for name in LAID_OUT},
    }


if __name__ == "__main__":
    fetched()
    for file in sys.argv[1:]:
        Path(file).write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

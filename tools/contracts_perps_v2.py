"""`python -m tools.contracts_perps_v2 [FILE]`: PerpsV2 as it was deployed on OP mainnet, as it travels with marginspec.

Without a file it only fetches the packages, which planted bugs are compiled of.

Bytecode and parameters are taken as they are; only the layout of storage is compiled, of the sources. Of two contracts
no more is published than the code that runs: `created` puts a constructor of its own before that.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from marginspec.systems.perps_v2 import sources
from tools.packages import Package

SYNTHETIX = Package(
    "synthetix",
    "2.102.1",
    "SJsFT5VRqkQjqDO2K3s2h9LqnPjIIqAPEP6wV9MKnC5rcCBzkKYsHbba0Q+pRHxrM18ODic4HC51AYtaQcRu/Q==",
)
OPEN_ZEPPELIN = Package(
    "openzeppelin-solidity",
    "2.3.0",
    "QYeiPLvB1oSbDt6lDQvvpx7k8ODczvE474hb2kLXZBPKMsxKT1WxTCHBYrCU7kS7hfAku4DcJ0jqOyL+jvjwQw==",
)
SOLC = Package(
    "solc",
    "0.5.16",
    "weEtRtisJyf+8UjELs7S4ST1KK7UIq6SRB7tpprfJBL9b5mTrZAT7m4gJKi2h6MiBpuSWfnraK8BnkyWzuTMRA==",
)
PACKAGES = (SYNTHETIX, OPEN_ZEPPELIN, SOLC)
DEPLOYED = "publish/deployed/mainnet-ovm"

CONTRACTS = (
    *("AddressResolver", "FlexibleStorage", "SystemStatus", "FuturesMarketManager", "PerpsV2MarketSettings"),
    *("ProxyPerpsV2", "PerpsV2MarketState", "PerpsV2Market", "PerpsV2MarketLiquidate", "PerpsV2MarketViews"),
)
LAID_OUT = ("PerpsV2MarketState", "FlexibleStorage", "PerpsV2Market", "PerpsV2MarketLiquidate")
MARKETS = ("sETHPERP", "sSOLPERP", "sLINKPERP", "sAVAXPERP", "sMATICPERP")

DISPATCHER = "600436106"
"""How code that runs goes on after its first bytes: it looks whether four bytes were sent. Creation code does not."""


def fetched() -> Path:
    """Fetch the packages, and return the folder of Synthetix's."""
    return next(iter([package.unpacked() for package in PACKAGES]))


def created(runtime: bytes) -> bytes:
    """Return creation code for a contract of one constructor argument, which is kept in slot 0.

    It stores the last word of what it is given, and returns `runtime`.
    """
    # codecopy(0, codesize - 32, 32); sstore(0, mload(0)); codecopy(0, offset, length); return(0, length)
    store, size = bytes.fromhex("6020803803600039600051600055"), len(runtime).to_bytes(2, "big")
    back = bytes.fromhex("61") + size + bytes.fromhex("8060") + b"\x1a" + bytes.fromhex("6000396000f3")
    assert len(store + back) == 0x1A
    return store + back + runtime


def contract(source: dict[str, Any]) -> dict[str, Any]:
    """Return ABI and creation code of one entry of `deployment.json`."""
    code = bytes.fromhex(source["bytecode"].removeprefix("0x"))
    if DISPATCHER in code[:30].hex():
        code = created(code)
    return {"abi": source["abi"], "bytecode": code.hex()}


def document() -> dict[str, Any]:
    """Return the contracts by name, the parameters of `MARKETS`, and where they are from."""
    folder = fetched() / DEPLOYED
    text = (folder / "deployment.json").read_bytes()
    built = sources.compiled(sources.read())
    deployed = json.loads(text)["sources"]
    markets = {market["marketKey"]: market for market in json.loads((folder / "perpsv2-markets.json").read_text())}
    return {
        "source": f"npm package {SYNTHETIX.name} {SYNTHETIX.version}, {DEPLOYED}/deployment.json, (c) 2019 Synthetix",
        "sha256": hashlib.sha256(text).hexdigest(),
        "license": "MIT: see LICENSE of that package",
        "compiler": deployed["PerpsV2Market"]["metadata"]["compiler"]["version"],
        "contracts": {name: contract(deployed[name]) for name in CONTRACTS},
        "layouts": {name: built[name]["storageLayout"] for name in LAID_OUT},
        "markets": {name: markets[name] for name in MARKETS},
    }


if __name__ == "__main__":
    fetched()
    for file in sys.argv[1:]:
        Path(file).write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")

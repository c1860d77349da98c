"""The contracts in the JSON files that compilers and frameworks write.

One contract: Foundry, Hardhat, Truffle, Ape, `vyper -f combined`. Many: standard output of solc and Vyper, build-info
of Foundry and of Hardhat 2 and 3, `solc --combined-json`, `vyper -f combined_json`, an EthPM manifest, as Ape's is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

CODES = ("bytecode", "bin", "deploymentBytecode")
PLACEHOLDER = re.compile("__(.{38})")
"""In the place of a library's address: by the hash of its name, or as solc wrote it before 0.5, by its name, cut."""


def contracts_in(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Every contract: file and name, empty where the object itself is the contract, and what is said of it.

    Raises TypeError where something else stands where contracts should.
    """
    if "contractTypes" in data:
        yield from (("", name, _object(each)) for name, each in _object(data["contractTypes"]).items())
    elif "contracts" in data:
        for key, value in _object(data["contracts"]).items():
            if any(field in _object(value) for field in ("abi", *CODES)):
                file, _, name = key.rpartition(":")
                yield file or key, name if file else PurePosixPath(key).stem, value
            else:
                yield from ((key, name, each) for name, each in value.items())
    elif isinstance(output := data.get("output"), Mapping) and "abi" not in data:
        yield from contracts_in(output)
    elif any(isinstance(value, Mapping) and "abi" in value for value in data.values()):
        for key, value in data.items():
            if isinstance(value, Mapping) and "abi" in value:
                yield key, PurePosixPath(key).stem, value
    else:
        yield "", "", data


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return value


def interface(contract: Mapping[str, Any]) -> Any:
    """Its ABI; older solc writes it as text within `--combined-json`."""
    abi = contract.get("abi")
    return json.loads(abi) if isinstance(abi, str) else abi


def creation_code(contract: Mapping[str, Any]) -> Any:
    """Its creation code, hexadecimal where the file is right."""
    evm = contract.get("evm")
    for holder in (contract, evm if isinstance(evm, Mapping) else {}):
        for field in CODES:
            code = holder.get(field)
            if isinstance(code, Mapping):
                return code.get("object", code.get("bytecode"))
            if code is not None:
                return code
    return None


def unlinked(code: str) -> list[str]:
    """The libraries that creation code wants the addresses of, by what the code says of their names."""
    return list(dict.fromkeys(found.strip("_$") for found in PLACEHOLDER.findall(code)))

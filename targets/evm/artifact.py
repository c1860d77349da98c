"""A candidate build in the place of one contract: Foundry, Hardhat, Truffle, solc and Vyper JSON artifacts."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.abi import function_abi_to_4byte_selector

from marginspec.targets.protocol import BadInput


@dataclass(frozen=True)
class Artifact:
    """A contract that can be deployed: its interface and its creation code."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes

    def selectors(self) -> dict[str, bytes]:
        """Function name to selector (this field of contracts has no overloads we call)."""
        return {f["name"]: function_abi_to_4byte_selector(f) for f in self.abi if f.get("type") == "function"}  # type: ignore[arg-type]


def parse_option(option: str) -> tuple[str, Path]:
    """`NAME=FILE` of --artifact."""
    name, equals, file = option.partition("=")
    if not (name and equals and file):
        raise BadInput(f"--artifact {option!r}: expected NAME=FILE, for example Morpho=out/Morpho.sol/Morpho.json")
    return name, Path(file)


def load_artifact(name: str, path: Path) -> Artifact:
    """Read an artifact; anything unusable is one line of `BadInput`."""
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise BadInput(f"artifact {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"artifact {path}: not JSON ({error})") from None
    if not isinstance(data, dict):
        raise BadInput(f"artifact {path}: expected a JSON object with abi and bytecode")
    return artifact(name, _one_contract(name, data, path), str(path))


def artifact(name: str, data: dict[str, Any], origin: str) -> Artifact:
    """An artifact from its JSON object."""
    abi, code = data.get("abi"), _bytecode(data)
    if not isinstance(abi, list) or not all(isinstance(entry, dict) for entry in abi):
        raise BadInput(f"artifact {origin}: field abi is missing or not a list of objects")
    if not isinstance(code, str) or not code.removeprefix("0x"):
        raise BadInput(f"artifact {origin}: no creation bytecode (an interface or abstract contract?)")
    digits = code.removeprefix("0x")
    if re.search("__.{36}__", digits):
        raise BadInput(f"artifact {origin}: bytecode has unlinked libraries")
    try:
        return Artifact(name, abi, bytes.fromhex(digits))
    except ValueError:
        raise BadInput(f"artifact {origin}: bytecode is not hexadecimal") from None


def _one_contract(name: str, data: dict[str, Any], path: Path) -> dict[str, Any]:
    """solc's standard output holds many contracts; the others hold one."""
    if "contracts" not in data:
        return data
    try:
        found = [c for f in data["contracts"].values() for n, c in f.items() if n == name]
    except AttributeError:
        raise BadInput(f"artifact {path}: field contracts is not solc's standard JSON output") from None
    if len(found) != 1:
        raise BadInput(f"artifact {path}: {len(found)} contracts named {name} in solc output, expected 1")
    if not isinstance(found[0], dict):
        raise BadInput(f"artifact {path}: contract {name} is not an object with abi and bytecode")
    return found[0]


def _bytecode(data: dict[str, Any]) -> Any:
    for candidate in (
        data.get("bytecode"),
        data.get("evm", {}).get("bytecode") if isinstance(data.get("evm"), dict) else None,
    ):
        if isinstance(candidate, dict):
            return candidate.get("object")
        if candidate is not None:
            return candidate
    return None

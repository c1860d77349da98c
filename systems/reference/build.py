"""The contracts of the reference venue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marginspec.targets.evm.vyper import compile_files

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "reference"

# What is deployed; the other files are modules that these import.
CONTRACTS = ("venue", "resolution", "token", "feed", "keeper")


def sources() -> dict[str, str]:
    """Vyper files of the reference venue, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.vy"))}


def compile_vyper(files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Every contract of `CONTRACTS` by name; see `compile_files`."""
    return compile_files(files, CONTRACTS)

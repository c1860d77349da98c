"""Vyper contracts: compiled in this process, cached by content."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact, artifact

OUTPUTS = ("abi", "bytecode", "bytecode_runtime", "layout")

Layout = dict[str, int]
"""The first storage slot of each variable of a contract, by its name."""


def compile_files(files: Mapping[str, str], contracts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Contracts by name, as {"abi", "bytecode", "bytecode_runtime", "layout"}, layout being a `Layout`.

    files: texts by file name; other files than those of `contracts` are modules that they import. Errors of the
    compiler are `BadInput`, one line each.
    """
    return {name: _cached(name, _imported(f"{name}.vy", files)) for name in contracts}


def compile_folder(folder: Path) -> tuple[dict[str, Artifact], dict[str, Layout]]:
    """Every Vyper file of a folder as a contract of its own, ready to be deployed, and the storage layout of each."""
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.vy"))}
    if not files:
        raise BadInput(f"{folder}: no contract in there, expected files that end in .vy")
    built = compile_files(files, [file.removesuffix(".vy") for file in files])
    contracts = {name: artifact(name, data, f"{folder / name}.vy") for name, data in built.items()}
    return contracts, {name: data["layout"] for name, data in built.items()}


def _imported(file: str, files: Mapping[str, str]) -> dict[str, str]:
    """A file and all that it imports: only they decide what becomes of it."""
    found, todo = {}, [file]
    while todo:
        name = todo.pop()
        if name in files and name not in found:
            found[name] = files[name]
            todo += [f"{module}.vy" for module in re.findall(r"(?m)^import (\w+)$", files[name])]
    return found


def _cached(name: str, files: Mapping[str, str]) -> dict[str, Any]:
    compiler = version("vyper")

    def make() -> dict[str, Any]:
        print(f"marginspec: compiling {name}.vy with vyper {compiler} (once)", file=sys.stderr, flush=True)
        return _compiled(files, name)

    return dict(kept(f"vyper-{compiler}", json.dumps([name, files], sort_keys=True), make))


def _compiled(files: Mapping[str, str], name: str) -> dict[str, Any]:
    # Here, because it takes a second that nobody need wait for whose contracts are in the cache.
    from vyper.compiler import compile_from_file_input
    from vyper.compiler.input_bundle import JSONInputBundle
    from vyper.exceptions import VyperException, VyperInternalException

    bundle = JSONInputBundle(
        {PurePath(file): {"content": text} for file, text in files.items()}, search_paths=[PurePath(".")]
    )
    try:
        built = compile_from_file_input(bundle.load_file(f"{name}.vy"), input_bundle=bundle, output_formats=OUTPUTS)
    except (VyperException, VyperInternalException) as error:
        raise BadInput(f"vyper: {name}.vy: {' '.join(str(error).split())[:300]}") from None
    storage = built["layout"].get("storage_layout", {})
    return {**built, "layout": _flat(storage)}


def _flat(layout: Mapping[str, Any]) -> Layout:
    """Variables of a contract and of its modules alike: their names are distinct."""
    found: Layout = {}
    for name, entry in layout.items():
        found |= {name: entry["slot"]} if "slot" in entry else _flat(entry)
    return found

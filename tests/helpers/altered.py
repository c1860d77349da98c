"""A system of one's own, changed in its text and given more laws: what comes of each of these laws."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from marginspec.base.errors import BadInput
from marginspec.cli.init import SCAFFOLD
from marginspec.model.kernel.machine import Machine
from marginspec.properties.law import Property
from marginspec.prover.prove import Prover
from marginspec.systems import user_system
from marginspec.systems.system import System
from marginspec.trial.trials import Trial, Trials

Changes = tuple[tuple[str, str], ...]

NAME = "vault"
TRIAL_SECONDS = 0.05
"""Of running one law on numbers: enough for what is false everywhere, too little for a proof to lean on it."""


@dataclass(frozen=True)
class Law:
    """A law to be added. text: a decorator of the chapter without its ID, and the function. holds: it is true."""

    text: str
    holds: bool = False

    @property
    def name(self) -> str:
        """The function's name."""
        found = re.search(r"^def (\w+)\(", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]


@dataclass(frozen=True)
class Case:
    """Changes to model and laws of the scaffold, and laws to be added one by one. Where the subset must refuse one of
    them as text, the others are not looked at with it."""

    what: str
    laws: tuple[Law, ...]
    model: Changes = ()
    chapter: Changes = ()


def false(text: str) -> Law:
    """A law that must not be proved."""
    return Law(text.strip())


def true(text: str) -> Law:
    """A law that must be proved."""
    return Law(text.strip(), True)


class _Shorter(Trials):
    """Runs laws on numbers for less long."""

    def run(self, claim: Property, seconds: float = TRIAL_SECONDS, cases: int = 1000) -> Trial:
        return super().run(claim, seconds, cases)


def write(folder: Path, model: Changes = (), chapter: Changes = (), more: str = "") -> Path:
    """The scaffold in a folder, as `init vault` writes it, changed."""
    folder = folder / NAME
    for file in SCAFFOLD.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            place = folder / str(file.relative_to(SCAFFOLD)).replace("strongbox", NAME)
            place.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text()
            for old, new in (("strongbox", NAME), ("Strongbox", NAME.capitalize()), ("STRONGBOX", NAME.upper())):
                text = text.replace(old, new)
            place.write_text(text)
    change(folder / "model.py", model)
    change(folder / "laws.py", chapter)
    laws = folder / "laws.py"
    laws.write_text(laws.read_text() + more)
    return folder


def change(file: Path, changes: Changes) -> None:
    """Replace the first place of each text in a file."""
    text = file.read_text()
    for old, new in changes:
        assert old in text, f"{file.name} has no {old!r} any more"
        text = text.replace(old, new, 1)
    file.write_text(text)


@contextmanager
def loaded(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[System]:
    """A system in a folder, forgotten again."""
    patch.chdir(folder.parent)
    patch.setattr(sys, "path", [*sys.path])
    try:
        yield user_system.load(NAME)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
            del sys.modules[name]


def verdicts(case: Case, folder: Path, patch: pytest.MonkeyPatch, together: bool) -> dict[str, str]:
    """What comes of each law of a case: its verdict, or `refused: ` with the reason.

    together: in one file, where none of them is a text that is refused.
    """
    found: dict[str, str] = {}
    for number, laws in enumerate([case.laws] if together else [(law,) for law in case.laws]):
        more = "".join(_numbered(law, place) for place, law in enumerate(laws))
        try:
            with loaded(write(folder / str(number), case.model, case.chapter, more), patch) as system:
                found |= _proved(system, laws)
        except BadInput as refused:
            found |= {law.name: f"refused: {refused}" for law in laws}
    return found


def _numbered(law: Law, place: int) -> str:
    decorator, rest = law.text.split("\n", 1)
    begun, _, inner = decorator.partition("(")
    numbered = f'{begun}("MORE-{place}"{", " if inner != ")" else ""}{inner}'
    return f"\n\n{numbered}\n{rest}\n"


def _proved(system: System, laws: tuple[Law, ...]) -> dict[str, str]:
    model: type[Machine] = system.model
    prover = Prover(model)
    prover.trials[model] = _Shorter(model)
    claims = {claim.predicate.__name__: claim for claim in system.chapter.properties}
    found = {}
    for law in laws:
        verdict = prover.alone(claims[law.name])
        if verdict.verdict == "proved":  # then all that it rests on matters, too
            verdict = prover.prove(claims[law.name])
        found[law.name] = f"{verdict.verdict}: {verdict.reason}" if verdict.reason else verdict.verdict
    return found


def wrong(case: Case, found: dict[str, str]) -> list[str]:
    """What did not come out as it must. A mistake in the text of a case is not what is looked for."""
    bad = [law for law in case.laws if (found[law.name] == "proved") != law.holds or "Error:" in found[law.name]]
    return [f"{law.name} is {found[law.name]}" for law in bad]

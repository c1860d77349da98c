"""Systems of one's own: a folder with a `system.py`, as `marginspec init` writes one, named by its path."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import re
import shlex
import sys
import traceback
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.text import printable
from marginspec.lockstep.rules_reached import HEADING, rules_of
from marginspec.lockstep.trace import Trace, read, system_of
from marginspec.model import kernel
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import is_record, plain, variables_of
from marginspec.systems.registry import NAMES, system, within_subset
from marginspec.systems.system import System

T = TypeVar("T")

FILE = "system.py"

_FOLDERS: list[Path] = []
"""Of the systems that were loaded."""


def load(given: str) -> System:
    """The system in a folder, under the name by which a trace finds it again; BadInput when it cannot be used.

    The folder is imported as the package that it is: by its own name, with all that its files import.
    """
    folder = Path(given).resolve()
    name = name_of(folder)
    if not (folder / FILE).is_file():
        raise BadInput(f"{name}: no {FILE} in this folder; `marginspec init NAME` writes one to begin with")
    if not folder.name.isidentifier() or name in NAMES:
        raise BadInput(f"{name}: rename this folder, so that it can be imported and means no other system")
    first = folder not in _FOLDERS
    if first:
        _FOLDERS.append(folder)
    found = blaming(lambda: _imported(folder))
    if not isinstance(found, System):
        raise BadInput(f"{name}/{FILE}: expected `system = System(...)`, see marginspec.systems")
    blaming(lambda: within_subset(found))
    for problem in blaming(lambda: list(_problems(found))):
        raise BadInput(f"{name}: {problem}")
    for rule in _without_text(found) if first else ():  # verbs load a system more than once
        print(f"marginspec: {name}: {rule}", file=sys.stderr)
    found.model.system = name
    return dataclasses.replace(found, name=name)


def name_of(folder: Path) -> str:
    """What a system is called: the path of its folder from here, in full where it is not below."""
    here = Path.cwd().resolve()
    return (folder.relative_to(here) if folder.is_relative_to(here) else folder).as_posix()


class _AnyName(Collection[str]):
    """Every name: what a trace says of its system is looked at here."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def traced(file: Path, given: str | None) -> tuple[System, Trace]:
    """A trace with its system: what is given, else what the trace names. Raises BadInput."""
    name = system_of(file, _AnyName())
    try:
        found = of_file(name, given)
    except BadInput as problem:
        raise problem if given is not None else BadInput(f"trace {file}: {problem}") from None
    return found, read(file, found.model, _AnyName())


def of_file(name: str, given: str | None) -> System:
    """The system that a file names: what is given, else as long as it comes with marginspec. Raises BadInput.

    Files come from anywhere: no code is run because one of them says so.
    """
    if given is not None:
        found = system(given)
        if found.name not in NAMES:
            # Its folder may have moved; whether the model is the same is what the digest of a trace says.
            found.model.system = name
        return found
    if name not in NAMES:
        known, named = ", ".join(NAMES), printable(name, 60)
        folder = shlex.quote(printable(name, 200)) if (Path(name) / FILE).is_file() else "FOLDER"
        raise BadInput(
            f"system {named!r} is none of {known}; if it is one of your own, whose code may run: --system {folder}"
        )
    return system(name)


def _imported(folder: Path) -> Any:
    # At the end: nothing beside the folder takes the place of what is installed.
    if str(folder.parent) not in sys.path:
        sys.path.append(str(folder.parent))
    package = importlib.util.find_spec(folder.name)
    if package is None or str(folder) not in (package.submodule_search_locations or ()):
        raise BadInput(f"{name_of(folder)}: another Python package has the same name: rename the folder")
    return getattr(importlib.import_module(f"{folder.name}.{Path(FILE).stem}"), "system", None)


# --- What is wrong with a model, before anything runs ----------------------------------------------------------------


def _problems(found: System) -> Iterator[str]:
    model = found.model
    if not found.spec.exists():
        yield f"the specification {found.spec} does not exist"
        return
    yield from _without_meaning(model, model, model.__name__)
    for action in actions_of(model).values():
        for argument, hint in action.arguments.items():
            yield from _without_meaning(model, hint, f"action {action.name}, argument {argument}")
    known = {claim.id for claim in found.chapter.properties}
    for rule, why in model.never.items():
        if why not in known:
            yield f"{model.__name__}.never says that {rule} cannot be reached by {printable(why, 60)}, which is no law"
    for claim in found.chapter.properties:
        for kind in model.universe.keys() - claim.scope.keys.keys():
            yield f"{claim.id}: its Scope has no keys for {kind.__name__}"
    try:
        model.genesis()
    except NotImplementedError:
        yield f"{model.__name__} needs the class methods `blank` and `prelude`: how it begins"
    except ValueError as refused:
        yield str(refused)


def _without_text(found: System) -> Iterator[str]:
    """Rules that the model states and the specification does not; those of the kernel are told of in its own text."""
    headings = [HEADING.match(line) for line in found.text().splitlines()]
    written = {heading[1] for heading in headings if heading}
    for rule, places in rules_of(found.model).items():
        file, _, line = places[0].rpartition(":")
        if rule not in written and Path(file).parent != Path(str(kernel.__file__)).parent:
            fit = rule if HEADING.match(f"### {rule} Title") else "ABC-1"
            said = f"rule {printable(rule, 40)} has no heading in {found.spec.name}"
            yield f"{Path(file).name}:{line}: {said}: write one like `### {fit} Title`"


def _without_meaning(model: type[Machine], hint: Any, where: str) -> Iterator[str]:
    """Types that neither a run nor a proof could draw values for."""
    kind = plain(hint)
    if is_record(kind):
        for name, inner in variables_of(kind).items():
            yield from _without_meaning(model, inner, f"{where}.{name}")
    elif get_origin(kind) is dict:
        for part in get_args(kind):
            yield from _without_meaning(model, part, where)
    elif kind is int:
        if not any(isinstance(meaning, Number) for meaning in getattr(hint, "__metadata__", ())):
            yield f"{where}: int says too little; write Uint256 or Annotated[int, Number(low, high, unit)]"
    elif kind is not bool and kind not in model.universe:
        yield f"{where}: {getattr(kind, '__name__', kind)} is neither bool, a number, a record nor in `universe`"


# --- Errors in the files of a system ---------------------------------------------------------------------------------


def blaming(work: Callable[[], T]) -> T:
    """Do some work; an error in a file of a system of one's own is BadInput that says in which line."""
    try:
        return work()
    except (BadInput, TargetFailed):
        raise
    except Exception as error:
        place = _place(error)
        if place is None:
            raise
        file, line = place
        said = printable(f"{type(error).__name__}: {getattr(error, 'msg', error)}", 300)
        raise BadInput(f"{name_of(Path(file))}:{line}: {said}") from None


def _place(error: Exception) -> tuple[str, int] | None:
    """The innermost line of an own file on the way to an error."""
    if isinstance(error, SyntaxError) and _is_own(error.filename):
        return str(error.filename), error.lineno or 1
    frames = [(frame.filename, frame.lineno or 1) for frame in traceback.extract_tb(error.__traceback__)]
    # An error in another process comes with its traceback as text.
    frames += [(file, int(line)) for file, line in re.findall(r'File "(.+?)", line (\d+), in', str(error.__cause__))]
    return next((frame for frame in reversed(frames) if _is_own(frame[0])), None)


def _is_own(file: str | None) -> bool:
    return file is not None and any(Path(file).is_relative_to(folder) for folder in _FOLDERS)

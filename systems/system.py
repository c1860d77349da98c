"""`System`: everything that is known of a venue, by one name."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.model.kernel import Machine
from marginspec.properties.law import Chapter
from marginspec.systems.equivalence import Equivalence
from marginspec.systems.judgement import Judgement, Total
from marginspec.systems.naming import Naming
from marginspec.systems.roles import Parties
from marginspec.systems.sample import Sample
from marginspec.systems.view import Ability, View
from marginspec.targets.evm.artifact import Artifact, Candidate
from marginspec.targets.evm.book import Book, Reader
from marginspec.targets.evm.chain import Chain, Embedded
from marginspec.targets.evm.target import Adapter, EvmTarget
from marginspec.targets.protocol import Target
from marginspec.targets.subprocess import Service, ServiceTarget


def _nothing(_: Any) -> Iterator[Any]:
    return iter(())


@dataclass(frozen=True)
class Sources:
    """What planted bugs change. read: source files by name. compile: them. contracts: those that are rebuilt."""

    read: Callable[[], dict[str, str]]
    compile: Callable[[dict[str, str]], Mapping[str, dict[str, Any]]]
    contracts: tuple[str, ...]


@dataclass(frozen=True)
class System:
    """Everything known by one name. The first five every system has; each of the others lets verbs do more.

    spec: a file, or the folder of its chapters. adapter: of the contracts, some of them replaced by candidate builds.

    targets: implementations that are no contracts, by name. contracts: as shipped, by name, for tests of Foundry and
    for a deployed one in the place of one. naming: for tests of Foundry. sources, planted: for planted bugs, and the
    file of them. parties: who gains by an upgrade. view: how accounts stand, and plots. abilities: what an account is,
    by action on it. book, sample: for an audit, and for one on a generated book. judgements, totals: what an audit
    holds a book to besides the invariants. equivalence: limits of the proof that the contracts do what the model does.
    """

    name: str
    model: type[Machine]
    chapter: Chapter
    spec: Path
    adapter: Callable[[Mapping[str, Artifact]], Adapter]
    targets: Mapping[str, Callable[[], Target]] = field(default_factory=dict)
    contracts: Callable[[], Mapping[str, Artifact]] | None = None
    naming: Naming | None = None
    sources: Sources | None = None
    planted: Path | None = None
    parties: Parties | None = None
    view: View | None = None
    abilities: Mapping[str, Ability] = field(default_factory=dict)
    book: Callable[[Reader], Book] | None = None
    sample: Sample | None = None
    judgements: Callable[[Any], Iterator[Judgement]] = _nothing
    totals: Callable[[Any], Iterator[Total]] = _nothing
    equivalence: Equivalence | None = None

    def text(self) -> str:
        """The specification, all chapters of it."""
        chapters = sorted(self.spec.glob("*.md")) if self.spec.is_dir() else [self.spec]
        return "\n".join(chapter.read_text() for chapter in chapters)

    def open(self, target: str, builds: Sequence[Candidate] = ()) -> Target:
        """The implementation that `--target` names, with candidate builds in the place of contracts.

        Raises BadInput for what cannot be meant, TargetFailed for what cannot be reached.
        """
        replaced = {build.name: build.artifact for build in builds}
        if (chain := _chain(target)) is not None:
            running = chain()
            try:
                return EvmTarget(target, self.adapter(replaced), running)
            except BaseException:
                running.close()
                raise
        if replaced:
            raise BadInput(f"--artifact needs a target that runs contracts, and {target!r} does not")
        if target in self.targets:
            return self.targets[target]()
        return ServiceTarget(self.model, Service(_command(target, self)))


def _chain(target: str) -> Callable[[], Chain] | None:
    if target == "embedded":
        return Embedded
    if target != "anvil" and "://" not in target:
        return None
    # Here, because it takes two seconds (requests), which whoever asks for no node need not wait.
    from marginspec.targets.evm.rpc import connect, start_anvil

    return start_anvil if target == "anvil" else lambda: connect(target)


def _command(target: str, known: System) -> list[str]:
    try:
        command = shlex.split(target)
    except ValueError as error:
        raise BadInput(f"--target {target!r}: not a command ({error})") from None
    if not command or (len(command) == 1 and "/" not in target):
        names = ", ".join(("embedded", "anvil", *known.targets))
        raise BadInput(f"--target {target!r}: expected {names}, the URL of a node, or a command with arguments")
    return command


@contextlib.contextmanager
def opened(chosen: System, target: str, builds: Sequence[Candidate] = ()) -> Iterator[Target]:
    """The implementation under test, closed in every case."""
    implementation = chosen.open(target, builds)
    try:
        yield implementation
    finally:
        implementation.close()

"""The systems that the verbs know: model, claims, specification, and how each implementation of it is reached."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marginspec.base.errors import BadInput
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Machine
from marginspec.model.reference import Reference
from marginspec.properties import reference
from marginspec.properties.deployed import morpho_blue
from marginspec.properties.law import Chapter
from marginspec.prover.subset import OutsideSubset, require_subset
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.systems.morpho_blue.sdk_target import SdkTarget
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.targets.evm.artifact import Artifact, load_artifact, parse_option
from marginspec.targets.evm.chain import Chain, Embedded
from marginspec.targets.evm.target import Adapter, EvmTarget
from marginspec.targets.protocol import Target
from marginspec.targets.subprocess import Service, ServiceTarget

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class System:
    """Everything known by one name.

    spec: a file, or the folder of its chapters. targets: implementations that are no contracts, by name.
    """

    name: str
    model: type[Machine]
    chapter: Chapter
    spec: Path
    adapter: Callable[[Mapping[str, Artifact]], Adapter]
    targets: Mapping[str, Callable[[], Target]] = field(default_factory=dict)

    def text(self) -> str:
        """The specification, all chapters of it."""
        chapters = sorted(self.spec.glob("*.md")) if self.spec.is_dir() else [self.spec]
        return "\n".join(chapter.read_text() for chapter in chapters)

    def open(self, target: str, artifacts: Sequence[str]) -> Target:
        """The implementation that `--target` names, with candidate builds in the place of contracts.

        Raises BadInput for what cannot be meant, TargetFailed for what cannot be reached.
        """
        replaced = {name: load_artifact(name, file) for name, file in map(parse_option, artifacts)}
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
    # Here, because it takes two seconds (web3), which whoever asks for no node need not wait.
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


SYSTEMS = {
    system.name: system
    for system in (
        System(
            "morpho-blue",
            MorphoBlue,
            morpho_blue.chapter,
            ROOT / "spec" / "deployed" / "morpho-blue.md",
            MorphoBlueAdapter,
            {"sdk": SdkTarget},
        ),
        System(
            "reference",
            Reference,
            reference.chapter,
            ROOT / "spec" / "reference",
            ReferenceAdapter,
        ),
    )
}


_WITHIN: list[System] = []
"""The systems that were looked at, each once in a process."""


def within_subset(known: System) -> None:
    """Raise BadInput where the model or a law is outside the subset of `docs/subset.md`, before anything runs."""
    if any(known is one for one in _WITHIN):
        return
    try:
        require_subset(known.model, known.chapter.properties)
    except OutsideSubset as found:
        raise BadInput(str(found)) from None
    _WITHIN.append(known)


def system(name: str) -> System:
    """A system by its name or, one of the user's own, by the path of its folder; BadInput says what there is."""
    if name in SYSTEMS:
        within_subset(SYSTEMS[name])
        return SYSTEMS[name]
    if not Path(name).is_dir():
        known = ", ".join(SYSTEMS)
        raise BadInput(f"unknown system {name!r}: known are {known}; one of your own is named by its folder")
    # Here, because it needs `System`.
    from marginspec.systems.user_system import load

    return load(name)

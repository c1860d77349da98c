"""A campaign: a long run whose chunks are kept in a folder as they are done.

So it goes on where it stopped, whatever stopped it, and several machines may each do a share of the chunks: their
files, put into one folder, are the run. What is found is what one run of the same steps and seed finds.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationError

from marginspec.base.ending import end
from marginspec.base.errors import BadInput
from marginspec.base.files import writable, write_whole
from marginspec.base.text import printable
from marginspec.base.workers import Work, Workers
from marginspec.conformance.search import seeds
from marginspec.lockstep.campaign import Part
from marginspec.lockstep.chunk_file import Strict, read_chunk, written_chunk
from marginspec.lockstep.chunks import CHUNK_STEPS, ChunkResult, Team, chunk_of, many_chunks, of_this_machine
from marginspec.lockstep.comparison import Tally
from marginspec.lockstep.rules_reached import rules_of
from marginspec.model.kernel.machine import Machine, regimes_of
from marginspec.report import live
from marginspec.runs.cluster import on_cluster, texts_of
from marginspec.runs.documents import fuzz_document
from marginspec.systems.system import System, opened
from marginspec.targets.evm.artifact import candidates
from marginspec.targets.protocol import build_of

SECONDS_TO_LOOK = 1.0
"""From one look for the file that stops a campaign to the next."""

LIVE = "live.html"
"""The page of a campaign, in its folder."""

EMBEDDED = "embedded"

SHARE = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")

NAME = re.compile(r"chunk-(\d{6,9})\.json")


def share_of(text: str | None, chunks: int) -> Sequence[int]:
    """The numbers of the chunks that are one machine's, of `K/N`: of each N chunks the Kth. None stands for all.

    Raises BadInput for what is no such share, and for one without a chunk.
    """
    if text is None:
        return range(chunks)
    told = SHARE.fullmatch(text)
    if told is None or int(told[1]) > int(told[2]):
        raise BadInput(f"--shard {printable(text, 40)!r}: expected K/N, e.g. 2/4, with K from 1 to N")
    found = range(int(told[1]) - 1, chunks, int(told[2]))
    if not found:
        raise BadInput(f"--shard {text}: the run has {chunks} chunks of {CHUNK_STEPS:,} steps, and none is this one's")
    return found


def document_of(
    folder: Path,
    chosen: System,
    plan: CampaignPlan,
    shard: str | None = None,
    work: bool = True,
    cluster: str | None = None,
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """The document of a campaign's run, `marginspec/fuzz/1`, of a share of its chunks, with how many are done.

    work: whether what is not done is done now, by a cluster at an address or else by this machine. allowed: functions
    that no action need call. Raises BadInput where nothing is done, or the folder has another campaign.
    """
    chunks, builds = many_chunks(plan.steps), candidates(list(plan.artifacts))
    share = share_of(shard, chunks)
    with opened(chosen, EMBEDDED, builds) as implementation:
        kept = kept_in(folder, chosen, implementation, plan)
        page = _Live(kept, plan, shard, share)
        if work:
            writable(folder, "--folder")
            begin(kept)
            page.write()
            print(f"marginspec: a page that renews itself: {page.file}", file=sys.stderr, flush=True)
            asked = (EMBEDDED, implementation, builds, plan.steps, plan.seed)
            workers = on_cluster(cluster, chosen, *asked) if cluster else of_this_machine(implementation, chunks)
            team = keeping(workers, kept, page.add)
        else:
            team, share = reading(kept), [number for number in kept.numbers() if number in share]
            if not share:
                raise BadInput(f"{folder}: no chunk of a campaign is done there; marginspec campaign start")
        more = functools.partial(seeds, chosen.model) if work else list
        run = (EMBEDDED, plan.steps, plan.seed, None, builds, allowed, more, team, share)
        looking = functools.partial(_looking, folder, page)
        try:
            document = fuzz_document(chosen, implementation, *run, *([looking] if work else []))
        finally:
            if work:
                page.write(under_way=False)
    return _with_progress(document, kept, shard)


# --- The folder -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CampaignPlan:
    """What a campaign is: how many steps from which seed, with which builds, `NAME=FILE`, in their contracts' place."""

    system: str
    steps: int
    seed: int
    artifacts: tuple[str, ...] = ()


@dataclass
class Kept:
    """The chunks of one run, each a file of a folder.

    run: SHA-256 of all that decides what they find: texts, builds, steps and seed. found: steps that were read, not
    done now. done: chunks that were read or written here.
    """

    folder: Path
    model: type[Machine]
    plan: CampaignPlan
    run: str
    found: int = field(default=0, init=False)
    done: set[int] = field(default_factory=set, init=False)

    def numbers(self) -> list[int]:
        """The chunks that are done."""
        named = (NAME.fullmatch(file.name) for file in sorted(self.folder.glob("chunk-*.json")))
        known = [int(told[1]) for told in named if told is not None]
        return [number for number in known if number < many_chunks(self.plan.steps) and self._is_done(number)]

    def take(self, number: int) -> ChunkResult[Part] | None:
        """What came of a chunk; None where it is not done, or its file is damaged or of another run."""
        result = self._read(number)
        self.found += 0 if result is None else result[0].tally.steps
        return result

    def keep(self, number: int, result: ChunkResult[Part]) -> None:
        """Write what came of a chunk, if it was not ended early. Raises OSError."""
        part = result[0]
        if part.failing is not None or part.tally.steps == chunk_of(self.plan.steps, self.plan.seed, number).steps:
            write_whole(self._file(number), written_chunk(self.run, number, result))
            self.done.add(number)

    def _is_done(self, number: int) -> bool:
        """Whether a chunk is; one that was read or written here is not read for that."""
        return number in self.done or self._read(number) is not None

    def _file(self, number: int) -> Path:
        return self.folder / f"chunk-{number:06}.json"

    def _read(self, number: int) -> ChunkResult[Part] | None:
        result = None
        with contextlib.suppress(OSError):
            result = read_chunk(self._file(number).read_bytes(), self.run, number, self.model)
        if result is not None:
            self.done.add(number)
        return result


PLAN = "campaign.json"
STOP = "stop"


def _planned(folder: Path) -> dict[str, Any]:
    """What the file of a plan says; nothing where there is none."""
    file = folder / PLAN
    if not file.exists():
        return {}
    try:
        told = _PlanFile.model_validate_json(file.read_bytes())
    except (OSError, ValidationError, RecursionError):
        raise BadInput(f"{file}: no plan of a campaign; remove it, or give another --folder") from None
    return told.model_dump()


def plan_of(folder: Path, name: str, steps: int | None, seed: int | None, artifacts: Sequence[str]) -> CampaignPlan:
    """The plan of a campaign in a folder; what is not given is as it was planned there, else a million steps, seed 1.

    Raises BadInput where the folder has another plan.
    """
    planned = _planned(folder)
    given = {"steps": steps, "seed": seed, "artifacts": list(artifacts) or None}
    for key, value in given.items():
        if planned and value is not None and str(planned[key]) != str(value):
            has, asked = printable(str(planned[key]), 80), printable(str(value), 80)
            raise BadInput(f"{folder}: its campaign has {key} {has}, not {asked}; give another --folder")
    taken = {key: planned.get(key, default) for key, default in (("steps", 1_000_000), ("seed", 1), ("artifacts", ()))}
    taken |= {key: value for key, value in given.items() if value is not None}
    return CampaignPlan(name, int(taken["steps"]), int(taken["seed"]), tuple(taken["artifacts"]))


def kept_in(folder: Path, chosen: System, implementation: object, plan: CampaignPlan) -> Kept:
    """What a folder has of a campaign. Raises BadInput where it is of other texts, of other contracts."""
    made = repr((texts_of(chosen), sorted(build_of(implementation).items()), plan.steps, plan.seed, CHUNK_STEPS))
    run = hashlib.sha256(made.encode()).hexdigest()
    if _planned(folder).get("run", run) != run:
        raise BadInput(
            f"{folder}: its chunks are of another text of marginspec or of the system, or of other contracts; "
            "give another --folder"
        )
    return Kept(folder, chosen.model, plan, run)


def begin(kept: Kept) -> None:
    """Write the plan, so that others find it; whoever stopped the campaign before does no longer."""
    with contextlib.suppress(FileNotFoundError):
        (kept.folder / STOP).unlink()
    plan = _PlanFile(
        schema="marginspec/campaign/1", **asdict(kept.plan) | {"artifacts": list(kept.plan.artifacts)}, run=kept.run
    )
    write_whole(kept.folder / PLAN, plan.model_dump_json(indent=1) + "\n")


def stop(folder: Path) -> None:
    """Have those that work on a campaign end; BadInput where there is none."""
    if not (folder / PLAN).is_file():
        raise BadInput(f"{folder}: no campaign was started there")
    write_whole(folder / STOP, "")


def _with_progress(document: dict[str, Any], kept: Kept, shard: str | None) -> dict[str, Any]:
    """Add how much of a campaign is done to the document of its run; below the floor where that is not all.

    steps_per_second is of what was done now.
    """
    chunks = many_chunks(kept.plan.steps)
    share, done = share_of(shard, chunks), {*kept.numbers()}
    many = sum(number in done for number in share)
    document["campaign"] = {"folder": str(kept.folder), "shard": shard, "chunks": len(share), "done": many}
    if many < len(share) and not document["divergences"]:
        document["below_floor"] = [*document["below_floor"], f"{many:,} of {len(share):,} chunks are done"]
    if steps := document["steps"]:
        document["steps_per_second"] = round(document["steps_per_second"] * max(0, steps - kept.found) / steps, 1)
    return document


# --- Who does the chunks --------------------------------------------------------------------------------------------


def keeping(team: Team, kept: Kept, tell: Callable[[Part, str], object] = lambda part, dashboard: None) -> Team:
    """A team that does only what is not done yet, and keeps it at once.

    tell: told of each part that is done, now or before, with the address of the cluster's own page.
    """

    @contextlib.contextmanager
    def made(work: Work[Any], chunks: int, advance: Callable[[int], object]) -> Iterator[Workers[Any]]:
        with team(work, chunks, advance) as workers:
            dashboard = str(getattr(workers, "dashboard", ""))
            yield _Keeping(workers, kept, lambda part: tell(part, dashboard))

    return made


def reading(kept: Kept) -> Team:
    """A team that does nothing, and knows what is done."""

    def made(work: Work[Any], chunks: int, advance: Callable[[int], object]) -> AbstractContextManager[Workers[Any]]:
        return contextlib.nullcontext(_Keeping(None, kept, lambda part: None))

    return made


class _Keeping(Workers[ChunkResult[Part]]):
    def __init__(self, workers: Workers[ChunkResult[Part]] | None, kept: Kept, tell: Callable[[Part], object]) -> None:
        self._workers, self._kept, self._tell = workers, kept, tell

    def ahead(self) -> int:
        return 1 if self._workers is None else self._workers.ahead()

    def submit(self, number: int) -> Future[ChunkResult[Part]]:
        known = self._kept.take(number)
        if known is not None:
            self._tell(known[0])
        if known is not None or self._workers is None:
            future: Future[ChunkResult[Part]] = Future()
            future.set_result(known or (Part(Tally()), None))
            return future
        future = self._workers.submit(number)
        future.add_done_callback(functools.partial(self._done, number))
        return future

    def done(self) -> int:
        return self._kept.found + (0 if self._workers is None else self._workers.done())

    def end(self) -> None:
        if self._workers is not None:
            self._workers.end()

    def _done(self, number: int, future: Future[ChunkResult[Part]]) -> None:
        if not future.cancelled() and future.exception() is None:
            with contextlib.suppress(OSError):  # what is not kept is done again
                self._kept.keep(number, future.result())
            self._tell(future.result()[0])


def _looking(folder: Path, page: _Live, advance: Callable[[int], object]) -> Callable[[int], object]:
    """Progress that also looks, now and then, whether the campaign is to stop, and renews its page."""
    last = time.monotonic()

    def told(done: int) -> None:
        nonlocal last
        advance(done)
        if time.monotonic() - last >= SECONDS_TO_LOOK:
            last = time.monotonic()
            page.renew()
            if (folder / STOP).exists():
                end("the campaign was stopped")

    return told


class _Live:
    """The page of a campaign, of what this process knows of it; of a divergence it may know before it is shrunk."""

    def __init__(self, kept: Kept, plan: CampaignPlan, shard: str | None, share: Sequence[int]) -> None:
        self.file = kept.folder / LIVE
        self._kept, self._plan, self._shard, self._share = kept, plan, shard or "", share
        self._since, self._begun, self._renewed = _now(), time.monotonic(), 0.0
        self._known, self._dashboard = Part(Tally()), ""
        self._steps = sum(chunk_of(plan.steps, plan.seed, number).steps for number in share)
        self._lock = threading.Lock()

    def add(self, part: Part, dashboard: str) -> None:
        """Count a part that is done. Any thread may."""
        with self._lock:
            self._known, self._dashboard = self._known + part, dashboard

    def renew(self) -> None:
        """Write the page, if that was long ago."""
        if time.monotonic() - self._renewed >= live.SECONDS:
            self.write()

    def write(self, under_way: bool = True) -> None:
        """Write the page; where it cannot be written there is none."""
        self._renewed = time.monotonic()
        with self._lock:
            known, dashboard = self._known, self._dashboard
        model, tally = self._kept.model, known.tally
        told = live.LiveCampaign(
            system=printable(self._plan.system, 200),
            command=f"marginspec campaign status {printable(self._plan.system, 200)}",
            share=self._shard,
            chunks=len(self._share),
            done=len(self._kept.done),
            steps=tally.steps,
            all_steps=self._steps,
            rate=(tally.steps - self._kept.found) / max(1e-9, time.monotonic() - self._begun),
            accepted=tally.accepted,
            rejected=tally.rejected,
            comparisons=tally.comparisons,
            since=self._since,
            now=_now(),
            under_way=under_way,
            rules={rule: tally.rules[rule] for rule in rules_of(model) if rule not in model.never},
            regimes={name: tally.regimes[name] for name in regimes_of(model)},
            diverged=[known.failing[1].key] if known.failing else [],
            dashboard=dashboard,
        )
        with contextlib.suppress(OSError):
            write_whole(self.file, live.live_page(told))


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %Z")


# --- The plan as a file ---------------------------------------------------------------------------------------------


class _PlanFile(Strict):
    """What is to be done, as `campaign start` was told, and of which run it is."""

    schema_: Literal["marginspec/campaign/1"] = Field(alias="schema")
    system: str
    steps: PositiveInt
    seed: int
    artifacts: list[str]
    run: str

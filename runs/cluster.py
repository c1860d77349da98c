"""The chunks of a run on a cluster: a scheduler of Dask's, wherever it is, and workers that have marginspec too."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from marginspec.base.ending import Ended
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.text import printable
from marginspec.base.workers import AHEAD, Tell, Work, Workers
from marginspec.lockstep.campaign import Part, hunted
from marginspec.lockstep.chunks import ChunkResult, Team, chunk_of
from marginspec.lockstep.trace import digest_of
from marginspec.prover.cache import imported_by
from marginspec.systems.registry import NAMES, system
from marginspec.systems.system import System, opened
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Divisible, build_of

SECONDS_TO_CONNECT = 10
SECONDS_TO_ASK = 1.0
"""From one question of a worker, whether the run is to end, to the next."""

EMBEDDED = "embedded"

ADDRESS = re.compile(r"(tcp|tls)://[^/\s]+:\d+")


@dataclass(frozen=True)
class ClusterRun:
    """What a worker has to know of a run. texts, build: what it must be made of there too. name: of this run."""

    system: str
    builds: tuple[Candidate, ...]
    steps: int
    seed: int
    texts: str
    build: Mapping[str, str]
    name: str = field(default_factory=lambda: f"marginspec-{uuid.uuid4().hex}")


def on_cluster(
    address: str,
    chosen: System,
    target: str,
    implementation: object,
    builds: Sequence[Candidate],
    steps: int,
    seed: int,
) -> Team:
    """Whoever does the chunks of a run on the cluster at an address, `tcp://HOST:PORT`.

    Raises BadInput for a target that a worker cannot have too, and where Dask is not installed.
    """
    if target != EMBEDDED:
        raise BadInput(f"--cluster: its workers run contracts in their own processes, so --target must be {EMBEDDED}")
    if not getattr(implementation, "forks", False):
        raise BadInput("--cluster and --lcov: only this process tells which lines ran; leave one out")
    if not ADDRESS.fullmatch(address):
        raise BadInput(f"--cluster {printable(address, 100)}: expected the address of a scheduler, tcp://HOST:PORT")
    dask = _dask()
    # A folder of the user's own is looked for where it is here, wherever a worker was started.
    name = chosen.name if chosen.name in NAMES else str(Path(chosen.name).resolve())
    job = ClusterRun(name, tuple(builds), steps, seed, texts_of(chosen), build_of(implementation))
    return functools.partial(_connected, dask, address, job)


def _dask() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise BadInput("--cluster needs Dask: pip install 'marginspec[cluster]', here make cluster") from None


@contextlib.contextmanager
def _connected(
    dask: Any, address: str, job: ClusterRun, work: Work[Any], chunks: int, advance: Callable[[int], object]
) -> Iterator[Workers[ChunkResult[Part]]]:
    logging.disable(logging.CRITICAL)  # what goes wrong is told in one line, below
    shown = printable(address, 100)
    try:
        client = dask.Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        why = printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise BadInput(f"--cluster {shown}: no scheduler of Dask's answers there ({why})") from None
    try:
        _meet(client, shown)
        yield _Cluster(dask, client, job)
    except dask.KilledWorker:
        raise TargetFailed(f"--cluster {shown}: a chunk killed every worker that tried it; no verdict") from None
    except (CancelledError, dask.comm.CommClosedError):
        raise TargetFailed(f"--cluster {shown}: the scheduler was lost; no verdict") from None
    finally:
        client.close()


def _meet(client: Any, shown: str) -> None:
    """BadInput where there are no workers, or somebody has no marginspec: what is sent to them could not be read."""
    if not client.nthreads():
        raise BadInput(f"--cluster {shown}: it has no workers; start one: dask worker {shown} --nthreads 1")
    try:
        client.run_on_scheduler(importlib.import_module, __name__)
        client.run(importlib.import_module, __name__)
    except ImportError as error:
        why = printable(str(error))
        raise BadInput(f"--cluster {shown}: install marginspec for its scheduler and its workers too ({why})") from None


class _Cluster(Workers[ChunkResult[Part]]):
    """What a client of Dask's has in the place of processes."""

    def __init__(self, dask: Any, client: Any, job: ClusterRun) -> None:
        self._dask, self._client, self._job = dask, client, job
        self._pool, self._done = client.get_executor(pure=False), dict[int, int]()
        self.dashboard = client.dashboard_link or ""

    def ahead(self) -> int:
        return AHEAD * max(1, len(self._client.nthreads()))

    def submit(self, number: int) -> Future[ChunkResult[Part]]:
        future: Future[ChunkResult[Part]] = self._pool.submit(_chunk, self._job, number)
        future.add_done_callback(functools.partial(self._note, number))
        return future

    def done(self) -> int:
        return sum(self._done.copy().values())

    def end(self) -> None:
        self._dask.Event(self._job.name, client=self._client).set()

    def _note(self, number: int, future: Future[ChunkResult[Part]]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._done[number] = future.result()[0].tally.steps


# --- On a worker ----------------------------------------------------------------------------------------------------


def _chunk(job: ClusterRun, number: int) -> ChunkResult[Part]:
    """What comes of a chunk on a worker. Raises BadInput where something is another there."""
    if _dask().get_worker().state.nthreads != 1:
        raise BadInput("--cluster: a worker runs several threads: start it with --nthreads 1")
    chosen = system(job.system)
    if texts_of(chosen) != job.texts:
        raise BadInput(
            "--cluster: a worker has another marginspec, or another text of the system: install the same, start it anew"
        )
    with opened(chosen, EMBEDDED, job.builds) as target:
        assert isinstance(target, Divisible)
        if build_of(target) != job.build:
            raise BadInput("--cluster: a worker has other contracts, by their code: install the same marginspec there")
        return hunted(chosen.model, target, chunk_of(job.steps, job.seed, number), _asking(job.name)), target.seen()


def _asking(name: str) -> Tell:
    """Asks now and then whether the run is to end, and ends it then."""
    event, last = _dask().Event(name), time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_TO_ASK:
            last = time.monotonic()
            if event.is_set():
                raise Ended

    return tell


_TEXTS: dict[type, str] = {}
"""Of each model that this process has loaded: its texts as they were then."""


def texts_of(chosen: System) -> str:
    """A digest of all that decides what a chunk finds: this package, the system's own texts and its genesis, what draws
    and runs calls."""
    model = chosen.model
    if model not in _TEXTS:
        rooms = [folder for folder in sorted(Path(__file__).parents[1].iterdir()) if folder.is_dir()]
        files = {f"{room.name}/{file.relative_to(room)}": file for room in rooms for file in room.rglob("*.py")}
        own = imported_by([chosen.adapter.__module__, *(kind.__module__ for kind in model.__mro__)])
        files |= {f"{file.parent.name}/{file.name}": file for file in own}
        versions = [f"{name} {version(name)}" for name in ("hypothesis", "pyrevm")]
        found = hashlib.sha256("\n".join([*versions, digest_of(model)]).encode())
        for name, file in sorted(files.items()):
            found.update(f"{name}\0".encode() + file.read_bytes() + b"\0")
        _TEXTS[model] = found.hexdigest()
    return _TEXTS[model]

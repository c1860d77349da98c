"""Traces that once diverged, kept between runs in a Hypothesis example database and tried first in the next one.

What is kept is the shrunk trace, not the bytes that Hypothesis drew: it means the same in a later version, costs a few
calls, and stays when the difference is gone, so that its return is noticed at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis.database import ExampleDatabase

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import Campaign, follow
from marginspec.lockstep.trace import SCHEMA, Trace, digest_of, document, parse
from marginspec.model.kernel.machine import Machine
from marginspec.targets.protocol import Target

REPLAYED_STEPS = 10_000
"""At most, whatever a corpus holds: a second or two with bytecode in this process. The shortest traces come first."""


@dataclass(frozen=True)
class Replayed:
    """How many kept traces were run again and how many were left out, unreadable or too many; and the campaign that
    this makes, if one of them diverges. damaged: of those left out, so many were looked at and are no traces."""

    traces: int
    left_out: int
    campaign: Campaign | None
    damaged: int = 0


class Corpus:
    """The kept traces of one model, those from the genesis that it has now."""

    def __init__(self, database: ExampleDatabase, model: type[Machine]) -> None:
        self._database, self._model = database, model
        self._key = f"{SCHEMA} {model.system} {digest_of(model)}".encode()

    def keep(self, trace: Trace) -> None:
        """Keep a trace."""
        self._database.save(self._key, json.dumps(document(self._model, trace), sort_keys=True).encode())

    def replay(self, target: Target, seed: int) -> Replayed:
        """Run kept traces until one diverges, which is shrunk again. seed: of the run that this begins."""
        texts = sorted(self._database.fetch(self._key), key=lambda text: (len(text), text))
        damaged: list[BadInput] = []
        runs = (trace.calls for trace in self._readable(texts, damaged))
        number, campaign = follow(self._model, target, runs, seed, REPLAYED_STEPS)
        return Replayed(number, len(texts) - number, campaign, len(damaged))

    def _readable(self, texts: list[bytes], damaged: list[BadInput]) -> Iterator[Trace]:
        """What others may have put there is read as carefully as any trace file. damaged: takes what is wrong."""
        for text in texts:
            try:
                trace = parse(text, self._model, [self._model.system])
            except BadInput as problem:
                damaged.append(problem)
            else:
                yield trace

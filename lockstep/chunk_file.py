"""What came of a chunk of a run, as a file, which is not believed where it was cut, damaged or is of another run."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, defaultdict
from dataclasses import asdict, fields
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from marginspec.base.errors import BadInput
from marginspec.lockstep.campaign import Part
from marginspec.lockstep.chunks import ChunkResult
from marginspec.lockstep.comparison import Divergence, Tally
from marginspec.lockstep.trace import call_document, read_call
from marginspec.model.kernel.machine import Machine
from marginspec.targets.evm.surface import Seen


class Strict(BaseModel):
    """What a file says, with nothing besides; bytes are in hexadecimal."""

    model_config = ConfigDict(
        strict=True, extra="forbid", serialize_by_alias=True, ser_json_bytes="hex", val_json_bytes="hex"
    )


class _Call(Strict):
    action: str
    arguments: dict[str, str | bool]


class _Failing(Strict):
    calls: list[_Call]
    rule: str
    field: str
    model: str
    target: str


class _Seen(Strict):
    called: list[tuple[str, bytes]]
    senders: list[tuple[str, bytes, list[str]]]
    dropped: list[tuple[str, bytes]]
    written: list[tuple[str, int]]
    changed: list[tuple[str, int, int]]
    read: list[tuple[str, int, int]]
    made: bool
    created: bool
    sees_storage: bool


class ChunkFile(Strict):
    """What a chunk's file says. digest: of all else, so that one that was cut or damaged is not believed."""

    schema_: Literal["marginspec/chunk/1"] = Field(alias="schema")
    run: str
    number: NonNegativeInt
    counts: dict[str, NonNegativeInt]
    rules: dict[str, NonNegativeInt]
    regimes: dict[str, NonNegativeInt]
    unseen: dict[str, NonNegativeInt]
    declared: list[tuple[str, str, NonNegativeInt]]
    actions: list[tuple[str, bool, NonNegativeInt]]
    failing: _Failing | None
    seen: _Seen | None
    digest: str = ""


COUNTS = [each.name for each in fields(Tally) if each.type == "int"]


def digest_of_chunk(told: ChunkFile) -> str:
    """SHA-256 of all that a file says but for its own digest, in hexadecimal."""
    return hashlib.sha256(told.model_dump_json(exclude={"digest"}).encode()).hexdigest()


def written_chunk(run: str, number: int, result: ChunkResult[Part]) -> str:
    """The text of a chunk's file. run: what stands for all that decides what the run finds."""
    (part, seen), failing = result, None
    if part.failing is not None:
        calls, divergence = part.failing
        failing = _Failing(calls=[_Call(**call_document(call)) for call in calls], **asdict(divergence))
    tally = part.tally
    told = ChunkFile(
        schema="marginspec/chunk/1",
        run=run,
        number=number,
        counts={name: getattr(tally, name) for name in COUNTS},
        rules=dict(sorted(tally.rules.items())),
        regimes=dict(sorted(tally.regimes.items())),
        unseen=dict(sorted(tally.unseen.items())),
        declared=sorted((*key, count) for key, count in tally.declared.items()),
        actions=sorted((*key, count) for key, count in tally.actions.items()),
        failing=failing,
        seen=None if seen is None else _seen_file(seen),
    )
    told.digest = digest_of_chunk(told)
    return told.model_dump_json(indent=1) + "\n"


def _seen_file(seen: Seen) -> _Seen:
    return _Seen(
        called=sorted(seen.called),
        senders=sorted((*call, sorted(senders)) for call, senders in seen.senders.items()),
        dropped=sorted(seen.dropped),
        written=sorted(seen.written),
        changed=sorted((*slot, bits) for slot, bits in seen.changed.items()),
        read=sorted((*slot, bits) for slot, bits in seen.read.items()),
        made=seen.made,
        created=seen.created,
        sees_storage=seen.sees_storage,
    )


def read_chunk(text: bytes | str, run: str, number: int, model: type[Machine]) -> ChunkResult[Part] | None:
    """What came of a chunk of a run; None where the text is not that."""
    with contextlib.suppress(ValidationError, BadInput, RecursionError):
        told = ChunkFile.model_validate_json(text)
        if (told.run, told.number) == (run, number) and told.digest == digest_of_chunk(told):
            return _result(told, model)
    return None


def _result(told: ChunkFile, model: type[Machine]) -> ChunkResult[Part] | None:
    if told.counts.keys() != {*COUNTS}:
        return None
    tally = Tally(
        **told.counts,
        declared=Counter({(id, reason): count for id, reason, count in told.declared}),
        rules=Counter(told.rules),
        regimes=Counter(told.regimes),
        actions=Counter({(action, accepted): count for action, accepted, count in told.actions}),
        unseen=Counter(told.unseen),
    )
    if told.failing is None:
        return Part(tally), _seen(told.seen)
    calls = [read_call(f"call {n}", call.model_dump(), model) for n, call in enumerate(told.failing.calls, 1)]
    divergence = Divergence(**told.failing.model_dump(exclude={"calls"}))
    return Part(tally, (calls, divergence)), _seen(told.seen)


def _seen(told: _Seen | None) -> Seen | None:
    if told is None:
        return None
    senders = defaultdict(set, {(address, data): set(found) for address, data, found in told.senders})
    changed = Counter({(address, slot): bits for address, slot, bits in told.changed})
    read = Counter({(address, slot): bits for address, slot, bits in told.read})
    written = set(told.written)
    return Seen(
        set(told.called), senders, set(told.dropped), written, changed, read, told.made, told.created, told.sees_storage
    )

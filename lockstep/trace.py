"""Traces: a sequence of calls with what the model made of them, as a file that repeats a finding anywhere.

The format is `trace.schema.json` beside this file, `marginspec/trace/1`; integers are decimal strings.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema

from marginspec.base.errors import BadInput
from marginspec.base.files import write_whole
from marginspec.base.text import printable
from marginspec.lockstep.comparison import Divergence, LockStep
from marginspec.lockstep.rehearsal import RehearsedStep, rehearse
from marginspec.lockstep.shrink import confirm
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.targets.protocol import Target, build_of

SCHEMA = "marginspec/trace/1"
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,99})")
"""An integer as files have it."""

Text = str | bool
"""A value as JSON has it: integers as decimal strings, identifiers as they are, truth values as such."""


@dataclass(frozen=True)
class Recorded:
    """A call, the rule that refused it or None, and every observation after it."""

    call: Call
    rule: str | None
    observations: Mapping[str, Text]


@dataclass(frozen=True)
class Trace:
    """What a trace file says. target: the implementation it was recorded with. digest: of the state it starts from.

    build: SHA-256 of the creation code of each contract of the implementation, by name; empty where it is not known.
    """

    system: str
    target: str
    seed: int
    digest: str
    steps: tuple[Recorded, ...]
    divergence: Divergence | None
    build: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def calls(self) -> list[Call]:
        return [step.call for step in self.steps]


def trace_of(
    model: type[Machine],
    target: str,
    seed: int,
    calls: list[Call],
    divergence: Divergence | None,
    build: Mapping[str, str] = MappingProxyType({}),
) -> Trace:
    """The trace of some calls, from genesis. build: see `Trace`."""
    steps = tuple(_recorded(model, step) for step in rehearse(model, calls))
    return Trace(model.system, target, seed, digest_of(model), steps, divergence, build)


def digest_of(model: type[Machine]) -> str:
    """SHA-256 of everything in the state in which runs of a model begin, constants included, in hexadecimal."""
    return hashlib.sha256(repr(model.genesis()).encode()).hexdigest()


def _recorded(model: type[Machine], step: RehearsedStep) -> Recorded:
    names = model.blank().names()
    observations = {name: as_text(value) for name, value in zip(names, step.state, strict=True)}
    return Recorded(step.call, step.outcome.rule, observations)


def as_text(value: Any) -> Text:
    """A value as JSON has it."""
    return value if isinstance(value, (bool, str)) else str(value)


# --- Writing -----------------------------------------------------------------------------------------------


def write(model: type[Machine], trace: Trace, folder: Path, name: str = "") -> Path:
    """Write a trace into a folder, under a name that says what it shows if none is given; the path of the file."""
    path = folder / (name or file_name(trace))
    write_whole(path, json.dumps(document(model, trace), indent=1) + "\n")
    return path


def file_name(trace: Trace) -> str:
    """The name of a trace's file."""
    found = trace.divergence
    shown = f"{trace.system}-{found.rule}-{found.field}" if found else f"{trace.system}-{trace.seed}"
    return re.sub("[^A-Za-z0-9]+", "-", shown).strip("-")[:120] + ".json"


def document(model: type[Machine], trace: Trace) -> dict[str, Any]:
    """A trace as JSON has it."""
    return {
        "schema": SCHEMA,
        "system": trace.system,
        "target": trace.target,
        "build": dict(trace.build),
        "seed": str(trace.seed),
        "genesis": {"digest": trace.digest, "prelude": [call_document(call) for call in model.prelude()]},
        "steps": [
            {
                **call_document(step.call),
                "outcome": "accepted" if step.rule is None else "rejected",
                "rule": step.rule,
                "observations": dict(step.observations),
            }
            for step in trace.steps
        ],
        "divergence": None if trace.divergence is None else asdict(trace.divergence),
    }


def call_document(call: Call) -> dict[str, Any]:
    """A call as JSON has it."""
    return {"action": call.action, "arguments": {n: as_text(value) for n, value in call.arguments.items()}}


# --- Reading -----------------------------------------------------------------------------------------------


def read(path: Path, model: type[Machine], systems: Collection[str]) -> Trace:
    """The trace in a file, for a model; `BadInput` when it is not one. systems: names of all that there are."""
    try:
        return _trace(_load(path), model, systems)
    except BadInput as problem:
        raise BadInput(f"trace {printable(str(path))}: {problem}") from None


def parse(content: bytes, model: type[Machine], systems: Collection[str]) -> Trace:
    """The trace that the content of a file is; see `read`."""
    return _trace(_parsed(content), model, systems)


def system_of(path: Path, systems: Collection[str]) -> str:
    """The system that the trace in a file is of; `BadInput` when it is not a trace."""
    try:
        return _system(_load(path), systems)
    except BadInput as problem:
        raise BadInput(f"trace {printable(str(path))}: {problem}") from None


def _load(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{error.strerror or error}") from None


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        text = content.decode()
        data = json.loads(text)
    except UnicodeDecodeError:
        raise BadInput("not UTF-8 text, so not a trace") from None
    except json.JSONDecodeError as error:
        if (text.strip() and not text[error.pos :].strip()) or "Unterminated" in error.msg:
            raise BadInput("the file ends in the middle: it was truncated, write it again") from None
        raise BadInput(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except (RecursionError, ValueError):
        raise BadInput("not JSON that a trace could hold: nested too deeply, or numbers too long") from None
    if isinstance(data, dict) and isinstance(found := data.get("schema"), str) and found != SCHEMA:
        raise BadInput(f"its schema is {printable(found, 60)!r}, this version reads {SCHEMA!r}")
    problem = jsonschema.exceptions.best_match(_validator().iter_errors(data))
    if problem is not None:
        raise BadInput(f"{problem.json_path}: {printable(problem.message)}")
    assert isinstance(data, dict)
    return data


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    path = Path(__file__).with_name("trace.schema.json")
    return jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))


def _system(data: Mapping[str, Any], systems: Collection[str]) -> str:
    if data["system"] not in systems:
        raise BadInput(f"unknown system {printable(data['system'], 60)!r}: there is {', '.join(systems)}")
    return str(data["system"])


def _trace(data: Mapping[str, Any], model: type[Machine], systems: Collection[str]) -> Trace:
    system = _system(data, systems)
    if system != model.system:
        raise BadInput(f"it is a trace of {system}, not of {model.system}: name that system instead")
    if data["genesis"]["digest"] != digest_of(model):
        raise BadInput(f"it was recorded from another genesis of {system}: find it again with this version")
    names = model.blank().names()
    steps = tuple(_step(f"step {n}", step, model, names) for n, step in enumerate(data["steps"], 1))
    found = data["divergence"]
    divergence = Divergence(*(printable(found[k]) for k in ("rule", "field", "model", "target"))) if found else None
    return Trace(
        system, printable(data["target"]), int(data["seed"]), digest_of(model), steps, divergence, data.get("build", {})
    )


def _step(where: str, step: Mapping[str, Any], model: type[Machine], names: list[str]) -> Recorded:
    call = read_call(where, step, model)
    where = f"{where} ({call.action})"
    if (step["outcome"] == "accepted") != (step["rule"] is None):
        raise BadInput(f"{where}: rule must be null if the outcome is accepted, and only then")
    observed = step["observations"]
    for name in set(names) ^ observed.keys():
        raise BadInput(f"{where}: observations must be those of {model.system}, see {printable(name, 60)!r}")
    return Recorded(call, step["rule"], observed)


def read_call(where: str, given: Mapping[str, Any], model: type[Machine]) -> Call:
    """A call of a model from JSON that is of the schema; `BadInput`, which says where, when the model has no such."""
    action = actions_of(model).get(given["action"])
    if action is None:
        raise BadInput(f"{where}: {model.system} has no action {printable(given['action'], 60)!r}")
    where, arguments = f"{where} ({action.name})", given["arguments"]
    for name in action.arguments:
        if name not in arguments:
            raise BadInput(f"{where}: argument {name} is missing")
    for name in arguments:
        if name not in action.arguments:
            raise BadInput(f"{where}: unknown argument {printable(name, 60)!r}")
    hints = action.arguments.items()
    return Call(action.name, {n: _value(f"{where}: argument {n}", h, arguments[n], model) for n, h in hints})


def _value(where: str, hint: Any, given: Text, model: type[Machine]) -> Any:
    kind = plain(hint)
    if kind is bool:
        if not isinstance(given, bool):
            raise BadInput(f"{where} must be true or false")
        return given
    if kind is int:
        number: Number = hint.__metadata__[0]
        if not isinstance(given, str) or not DECIMAL.fullmatch(given):
            raise BadInput(f"{where} must be an integer as a decimal string")
        if not number.low <= int(given) <= number.high:
            raise BadInput(f"{where} is out of range: {number.low} to {number.high}")
        return int(given)
    for option in model.universe[kind]:
        if as_text(option) == given:
            return option
    raise BadInput(f"{where} is none of {', '.join(str(option) for option in model.universe[kind])}")


# --- Replaying ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replay:
    """What a trace gives today. divergence: the first, at step `at`. stale: where the model left the record, if so.

    declared: how often the implementation differed in a way that it declares, by ID and reason. other_build: contracts
    whose code is not that which the trace was recorded with; None where the trace or the target does not say.
    """

    divergence: Divergence | None
    at: int
    stale: str | None
    declared: Mapping[tuple[str, str], int]
    other_build: tuple[str, ...] | None


def replay(model: type[Machine], target: Target, trace: Trace) -> Replay:
    """Run a trace again, on the model, which is compared with the record, and on an implementation.

    Raises TargetFailed for a divergence that does not show a second time.
    """
    steps = rehearse(model, trace.calls)
    lockstep = LockStep(model, target)
    at, divergence = lockstep.run(steps, recheck=True) or (len(steps), None)
    declared = Counter(lockstep.tally.declared)
    if divergence is not None:
        confirm(lockstep, steps[:at], divergence)
    stale, other = _stale(model, steps, trace), _other_build(trace.build, build_of(target))
    return Replay(divergence, at, stale, declared, other)


def _other_build(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...] | None:
    if not then or not now:
        return None
    return tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))


def _stale(model: type[Machine], steps: list[RehearsedStep], trace: Trace) -> str | None:
    for number, (step, recorded) in enumerate(zip(steps, trace.steps, strict=True), 1):
        now = _recorded(model, step)
        if now.rule != recorded.rule:
            then = f"rejected by {recorded.rule}" if recorded.rule else "accepted"
            return f"step {number}: recorded as {then}, now {f'rejected by {now.rule}' if now.rule else 'accepted'}"
        for name, value in now.observations.items():
            if recorded.observations[name] != value:
                return f"step {number}: {name} recorded as {recorded.observations[name]}, now {value}"
    return None

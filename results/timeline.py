"""A trace as a story: every call with its numbers and units, what it changed, how the accounts in it stood, plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from marginspec.lockstep.trace import Recorded, Trace
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import Record, plain, variables_of
from marginspec.results.exposures import charts, followed
from marginspec.systems.system import System
from marginspec.systems.view import Moment, Standing, View

Story = dict[str, Any]

LONGEST = 60
"""Steps that a story tells, the last ones; a longer trace is a log."""

HUMAN = {
    "quote": (12, "USD"),
    "quote per size unit": (6, "USD"),
    "half of a price's width": (6, "USD"),
    "size units": (6, "of the underlying"),
}
"""Units of the reference venue in which nobody thinks: decimals, and the unit for people."""


def story(chosen: System, file: Path, trace: Trace) -> Story:
    """What a trace tells, as plain values; amounts are decimal strings. The model takes its calls once more."""
    model, view = chosen.model, chosen.view
    moments, stale = _taken(model, trace)
    stood = followed(view, moments) if view else {}
    first = max(len(trace) - LONGEST, 0)
    units = dict(_numbers(model.blank(), model, ""))
    return {
        "file": str(file),
        "target": trace.target,
        "seed": str(trace.seed),
        "length": len(trace),
        "first": first + 1,
        "stale": stale,
        "divergence": _divergence(trace, units),
        "steps": [_step(model, n, moments, trace, units, view, stood) for n in range(first + 1, len(trace) + 1)],
        "charts": charts(view, moments, stood) if view else [],
    }


def _taken(model: type[Machine], trace: Trace) -> tuple[list[Moment], str | None]:
    """Every moment of a trace, and where the model does not do any more what it did when the trace was recorded."""
    machine, stale = model.genesis(), None
    moments = [Moment(machine.clone())]
    for number, step in enumerate(trace.steps, 1):
        before = machine.clone()
        outcome = machine.apply(step.call)
        moments.append(Moment(machine.clone(), step.call, outcome))
        if stale is None and _differs(machine, outcome.rule, step):
            stale = f"step {number}"
    if outcome.rule is not None:  # the end of a story is what was asked for, not that nothing happened
        before.attempt(step.call, before.flatten())
        moments[-1] = Moment(before, step.call, outcome)
    return moments, stale


def _differs(machine: Machine, rule: str | None, step: Recorded) -> bool:
    observed = zip(machine.names(), machine.flatten(), strict=True)
    return rule != step.rule or any(step.observations.get(name) != _text(value) for name, value in observed)


def _divergence(trace: Trace, units: Mapping[str, Number]) -> dict[str, Any] | None:
    found = trace.divergence
    if found is None:
        return None
    number = units.get(found.field)
    return {
        "rule": found.rule,
        "field": found.field,
        "model": found.model,
        "target": found.target,
        "unit": number.unit if number else "",
    }


def _step(
    model: type[Machine],
    number: int,
    moments: Sequence[Moment],
    trace: Trace,
    units: Mapping[str, Number],
    view: View | None,
    stood: Mapping[Any, Sequence[Standing | None]],
) -> dict[str, Any]:
    moment, recorded = moments[number], trace.steps[number - 1]
    info = actions_of(model)[recorded.call.action]
    said = (getattr(model, info.name).__doc__ or "").strip().partition("\n")[0]
    return {
        "number": number,
        "action": info.name,
        "meaning": said,
        "world": info.environment,
        "arguments": [
            {"name": name, **_amount(recorded.call.arguments[name], _number(hint))}
            for name, hint in info.arguments.items()
        ],
        "rule": moment.outcome.rule if moment.outcome else None,
        "returns": [str(value) for value in moment.outcome.returns] if moment.outcome else [],
        "changes": list(_changes(trace, number, moments, units)),
        "standings": [
            {
                "who": view.label(subject),
                "word": standing.word,
                "changed": (then := standings[number - 1]) is None or not then.owes or then.word != standing.word,
                "spare": _decimal(standing.spare, view.digits),
                "unit": view.unit,
                "figures": {name: _decimal(value, view.digits) for name, value in standing.figures.items()},
            }
            for subject, standings in stood.items()
            if view and (standing := standings[number]) is not None and standing.owes
        ],
    }


def _changes(
    trace: Trace, number: int, moments: Sequence[Moment], units: Mapping[str, Number]
) -> Iterator[dict[str, Any]]:
    """What a recorded step changed of all that is observed."""
    genesis = zip(moments[0].state.names(), moments[0].state.flatten(), strict=True)
    before = trace.steps[number - 2].observations if number > 1 else {name: _text(value) for name, value in genesis}
    for name, value in trace.steps[number - 1].observations.items():
        if before.get(name) != value:
            unit = units.get(name)
            then, now = _amount(before.get(name, ""), unit), _amount(value, unit)
            yield {
                "name": name,
                "before": then["value"],
                "after": now["value"],
                "unit": now["unit"],
                "human": f"{then['human']} → {now['human']}" if now["human"] else "",
            }


# --- Numbers and their units --------------------------------------------------------------------------------


def _numbers(value: Any, hint: Any, path: str) -> Iterator[tuple[str, Number]]:
    """What each number of a state is, by the name that `names` gives it."""
    kind = plain(hint)
    if isinstance(value, Record):
        for name, inner in variables_of(type(value)).items():
            yield from _numbers(getattr(value, name), inner, f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, get_args(kind)[1], f"{path}[{key}]")
    elif (number := _number(hint)) is not None:
        yield path, number


def _number(hint: Any) -> Number | None:
    """The meaning that a type gives to its integers."""
    found = hint.__metadata__[0] if get_origin(hint) is not None and hasattr(hint, "__metadata__") else None
    return found if isinstance(found, Number) else None


def _amount(value: Any, number: Number | None) -> dict[str, str]:
    """A value as text, its unit, and, where that is not how people think of it, the same in words that are."""
    if number is None or isinstance(value, bool) or not str(value).lstrip("-").isdecimal():
        return {"value": _text(value) if not isinstance(value, bool) else str(value).lower(), "unit": "", "human": ""}
    digits, unit = HUMAN.get(number.unit, (len(str(number.scale)) - 1, number.unit))
    if number.unit == "fraction" and number.scale > 1:
        digits, unit = digits - 2, "%"
    human = f"{_decimal(int(value), digits)} {unit}" if digits else ""
    return {"value": str(value), "unit": number.unit, "human": human}


def _text(value: Any) -> Any:
    return value if isinstance(value, (bool, str)) else str(value)


def _decimal(value: int, digits: int) -> str:
    """An integer with so many of its digits as decimals, grouped, without zeros at the end."""
    whole, part = divmod(abs(value), 10**digits)
    decimals = f"{part:0{digits}d}".rstrip("0") if digits else ""
    return f"{'-' if value < 0 else ''}{whole:,}{'.' + decimals if decimals else ''}"

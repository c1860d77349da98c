"""A trace in the Informal Trace Format says, to a reader that is not ours, what the model did."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from itf_py import Trace, trace_from_json, trace_to_json

from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.generate import START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.rehearsal import Rehearsal, rehearse
from marginspec.lockstep.trace import trace_of
from marginspec.model.kernel import Call
from marginspec.runs.exports import write
from marginspec.systems.registry import system

NAMES = ("morpho-blue", "reference")
STEPS = 16


def drawn(name: str) -> list[Call]:
    """Calls of a run, some of them refused."""
    model = system(name).model
    rehearsal, generator = Rehearsal(model), Generator(model)
    generator.start(bytes(range(START_BYTES)))
    calls = []
    for number in range(STEPS):
        before = rehearsal.state
        entropy = bytes((7 * number + 31 * place) % 256 for place in range(STEP_BYTES))
        call, outcome = generator.step(rehearsal.machine, before, entropy)
        rehearsal.taken(call, outcome)
        calls.append(call)
    return calls


def exported(name: str, calls: list[Call], folder: Path, divergence: Divergence | None = None) -> dict[str, Any]:
    trace = trace_of(system(name).model, "embedded", 1, calls, divergence)
    files, _ = write(system(name), trace, "a-trace", "a command", [], folder)
    return dict(json.loads(Path(files["itf"]).read_text()))


def looked_up(state: dict[str, Any], observation: str) -> Any:
    """What a state that was read has for a name such as `positions[A][borrower].collateral`."""
    value: Any = None
    for field, key in re.findall(r"\.?([^][.]+)|\[([^]]*)\]", observation):
        if value is None:
            value = state[field]
        elif field:
            value = getattr(value, field)
        else:
            value = value[int(key) if key.isdigit() else key]
    return value


@pytest.mark.parametrize("name", NAMES)
def test_a_public_reader_finds_the_models_states_calls_and_refusals(name: str, tmp_path: Path) -> None:
    calls, model = drawn(name), system(name).model
    trace: Trace = trace_from_json(exported(name, calls, tmp_path))
    steps, names = rehearse(model, calls), model.blank().names()
    assert len(trace.states) == len(steps) + 1
    for state, expected in zip(trace.states, [model.genesis().flatten(), *(step.state for step in steps)], strict=True):
        assert [looked_up(state.values, observation) for observation in names] == expected
    assert trace.states[0].values["mbt::actionTaken"] == "init"
    rules = set()
    for state, step in zip(trace.states[1:], steps, strict=True):
        values = state.values
        assert values["mbt::actionTaken"] == step.call.action
        assert values["marginspec::arguments"]._asdict() == step.call.arguments
        assert values["marginspec::refusedBy"] == (step.outcome.rule or "")
        rules.add(step.outcome.rule)
    assert len(rules) > 1, "the run has both accepted and refused calls"


@pytest.mark.parametrize("name", NAMES)
def test_what_the_reader_writes_again_is_what_it_read(name: str, tmp_path: Path) -> None:
    document = exported(name, drawn(name), tmp_path)
    again = trace_to_json(trace_from_json(document))
    assert again["vars"] == document["vars"]
    assert again["states"] == document["states"]


def test_no_integer_is_a_json_number(tmp_path: Path) -> None:
    def numbers(value: Any) -> Iterator[Any]:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from numbers(inner)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield value

    document = exported("reference", drawn("reference"), tmp_path)
    assert list(numbers({**document, "states": [{**s, "#meta": {}} for s in document["states"]]})) == []
    assert [state["#meta"]["index"] for state in document["states"]] == list(range(len(document["states"])))


def test_it_says_what_differed_and_hostile_text_stays_text(tmp_path: Path) -> None:
    hostile = '"}]\u202e\n'
    call = Call("accrue_interest", {"caller": "owner", "market": "A"})
    document = exported("morpho-blue", [call], tmp_path, Divergence("SUP-1", "outcome", "accepted", hostile))
    assert document["#meta"]["format"] == "ITF"
    assert document["#meta"]["divergence"] == {
        "rule": "SUP-1",
        "field": "outcome",
        "model": "accepted",
        "target": hostile,
    }
    assert (tmp_path / "a-trace.itf.json").read_bytes().isascii()

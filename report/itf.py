"""A trace in the Informal Trace Format of Apalache and Quint (ADR-015), for their tools and readers.

The states are the model's, the first one that in which every run begins. Maps are maps, records are records, every
integer is a `#bigint`. `mbt::actionTaken` is, as Quint has it, the action that led to a state, `marginspec::arguments`
are its arguments, and `marginspec::refusedBy` is the rule that refused it, or "". (Quint's `mbt::nondetPicks` wraps
each value in an option, and itf-py 0.5.0 cannot read an option of an integer.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from marginspec.results.schema import Document

ACTION, ARGUMENTS, REFUSED = "mbt::actionTaken", "marginspec::arguments", "marginspec::refusedBy"

INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
KEY_OR_FIELD = re.compile(r"\[([^]]*)\]|\.?([^][.]+)")


def text(trace: Document, genesis: Mapping[str, str | bool]) -> str:
    """A trace, `marginspec/trace/1`, as an ITF file. genesis: the observations before its first step."""
    states = [{**_state(genesis), ACTION: "init", ARGUMENTS: {}, REFUSED: ""}]
    for step in trace["steps"]:
        arguments = {name: _value(value) for name, value in step["arguments"].items()}
        taken = {ACTION: step["action"], ARGUMENTS: arguments, REFUSED: step["rule"] or ""}
        states.append({**_state(step["observations"]), **taken})
    meta = {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "description": f"{trace['system']}: what the model does, written by marginspec",
        "divergence": trace["divergence"],
    }
    # A line for each state, so that two of them can be compared.
    lines = ",\n".join(json.dumps({"#meta": {"index": index}, **state}) for index, state in enumerate(states))
    head = f'{{"#meta": {json.dumps(meta)},\n"vars": {json.dumps(list(states[0]))},\n"states": [\n'
    return f"{head}{lines}\n]}}\n"


def _state(observations: Mapping[str, str | bool]) -> dict[str, Any]:
    """Variables, put together from names such as `positions[A][borrower].collateral`."""
    whole: dict[Any, Any] = {}
    for name, value in observations.items():
        # Keys of a map are told from fields of a record by being pairs.
        path = [("key", key) if field == "" else field for key, field in KEY_OR_FIELD.findall(name)]
        inner = whole
        for part in path[:-1]:
            inner = inner.setdefault(part, {})
        inner[path[-1]] = value
    return {name: _composed(part) for name, part in whole.items()}


def _composed(part: Any) -> Any:
    if not isinstance(part, dict):
        return _value(part)
    if isinstance(next(iter(part)), tuple):
        return {"#map": [[_value(key), _composed(item)] for (_, key), item in part.items()]}
    return {field: _composed(item) for field, item in part.items()}


def _value(value: str | bool) -> Any:
    if isinstance(value, str) and INTEGER.fullmatch(value):
        return {"#bigint": value}
    return value

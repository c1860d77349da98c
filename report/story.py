"""A counterexample in sentences: what was done, where the two sides part, how the accounts stood then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

Story = Mapping[str, Any]
Titles = Mapping[str, str]
"""The title of each rule, by its ID."""

DIFFERENCE_WORDS = {
    "outcome": "accepted by one side only",
    "reason": "refused for different reasons",
    "returns": "different amounts returned",
    "never": "a rule that is out of reach was reached",
}
MEANING = {
    "outcome": "One side accepts what the other refuses.",
    "reason": "Both refuse, each for a reason of its own.",
    "returns": "Both accept, and return different amounts.",
    "never": "The model reached a rule that a law says is out of reach.",
}


def title(story: Story, laws: Collection[str]) -> str:
    """What a story shows, in a few words. laws: those by which the run judged the implementation."""
    found, last = story["divergence"], story["steps"][-1]
    if found is not None and found["field"] in laws:
        return f"{last['action']}: {found['field']} is broken"
    if found is None:
        return f"{_counted(story['length'], 'call')}, ending with {last['action']}"
    return f"{last['action']}: {DIFFERENCE_WORDS.get(found['field'], found['field'] + ' differs')}"


def lead(story: Story, titles: Titles, laws: Collection[str]) -> str:
    """The first sentences: the way to the difference, the difference, what the model goes by."""
    return " ".join(_lead(story, titles, laws))


def _lead(story: Story, titles: Titles, laws: Collection[str]) -> Iterator[str]:
    found, last = story["divergence"], story["steps"][-1]
    if found is None:
        yield f"{_counted(story['length'], 'call')}, as the model takes them; no difference is recorded with them."
        return
    if found["field"] in laws:
        yield f"After {_counted(story['length'], 'call')}, what the implementation shows breaks {found['field']}."
        yield "Plots and standings are the model's, for the same calls."
        return
    before = story["length"] - 1
    led = f"After {_counted(before, 'call')}" if before else "At the first call"
    yield f"{led}, model and implementation part at {last['action']}{'' if before else ' already'}."
    yield MEANING.get(found["field"], f"Both accept, and {found['field']} differs afterwards.")
    if last["rule"]:
        yield f"The model refuses by {_rule(last['rule'], titles)}."
    elif found["rule"] in titles:
        yield f"The rule in question is {_rule(found['rule'], titles)}."
    yield from _edges(last)


def _edges(step: Story) -> Iterator[str]:
    """How the accounts stand, and whether one stands exactly where a decision flips."""
    for standing in step["standings"]:
        figures = ", ".join(f"{name} {value}" for name, value in standing["figures"].items())
        edge = ", exactly at the limit" if standing["spare"] == "0" else ""
        yield f"At that point {standing['who']} is {standing['word']}{edge}: {figures} {standing['unit']}."


def _rule(rule: str, titles: Titles) -> str:
    return f"{rule} ({titles[rule]})" if rule in titles else rule


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"

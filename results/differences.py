"""What an upgrade changes, for whom, shown on the smallest account: the document `marginspec/diff/1`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from marginspec.base.cache import kept
from marginspec.base.ending import ended, until_ended
from marginspec.base.errors import NothingCompared
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, progress
from marginspec.conformance.run import vector_runs
from marginspec.lockstep.chunk_file import read_chunk, written_chunk
from marginspec.lockstep.floor import below
from marginspec.lockstep.rules_reached import rules_of, unreached
from marginspec.lockstep.trace import call_document, digest_of
from marginspec.model.kernel.machine import Call, Machine, actions_of, per_model
from marginspec.prover.cache import digest
from marginspec.results.documents import limits_document
from marginspec.systems.roles import account_of, gains, role_of
from marginspec.systems.system import System
from marginspec.systems.view import Standing
from marginspec.targets.protocol import Answer, Divisible, Limits, Target, build_of, limits_of
from marginspec.upgrade.comparison import Block, Comparison, Difference, Keep, Parting, Upgrade
from marginspec.upgrade.explain import Reply
from marginspec.upgrade.intended import Intended, judge_changes, stale
from marginspec.upgrade.model_target import ModelTarget

STEPS_TO_EXPLAIN = 2_000
"""Calls that are drawn to find out which rule is behind a divergence."""

OBSERVATIONS_LISTED = 12
"""Of the observations that differ, so many are listed."""

BANKRUPT = ("bankrupt", "insolvent")
"""The words for an account that owes more than it has."""


ROOMS = ("model", "base", "properties", "targets", "systems", "lockstep", "upgrade")
"""Whose texts have a part in what a comparison of builds finds."""

KeepTrace = Callable[[Difference], Mapping[str, Any]]
"""Keeps the trace of a difference: its file, `trace`, its other forms, `exports`, and the command that repeats it."""


def upgrade_document(
    chosen: System,
    named: Mapping[str, str],
    before: Target,
    after: Target,
    steps: int,
    seed: int,
    declared: Intended,
    keep: KeepTrace,
    shown: Sequence[Sequence[Call]] = (),
) -> dict[str, Any]:
    """Compare two implementations and the model, with progress, and describe: `marginspec/diff/1`.

    Where the run is told to end, what was found until then is explained; without a difference that is no pass.

    named: what the user calls them, `base` and `head`. shown: calls that are known to tell them apart. Raises
    NothingCompared, and what a run of either raises.
    """
    upgrade = Upgrade(chosen.model, before, after, lambda parting: _effect(chosen, parting))

    def look() -> None:
        with progress("comparing three ways", steps) as advance:
            upgrade.run(steps, seed, advance, keeping(chosen, before, after, seed))
        upgrade.follow(shown)
        upgrade.result.vectors = 0
        if not upgrade.differs:
            upgrade.follow(vector_runs(chosen.model, chosen.chapter.properties, seed))

    until_ended(look)
    with progress("explaining differences", 1) as advance:
        compared = upgrade.explained(advance)
    if compared.comparisons == 0:
        raise NothingCompared(f"{steps} steps, nothing compared")
    reasons = {
        action: (before.expected_reason(able.rule), after.expected_reason(able.rule))
        for action, able in chosen.abilities.items()
    }
    rows = [{**_row(chosen, each, reasons), **keep(each)} for each in compared.differences]
    judge_changes(rows, declared)
    return {
        "schema": "marginspec/diff/1",
        "system": chosen.name,
        **named,
        "seed": str(seed),
        **_compared(chosen.model, compared),
        **_limits(chosen.model, compared, {"base": limits_of(before), "head": limits_of(after)}),
        "differences": rows,
        "stale": [] if ended() else stale(declared, rows),
        "verdict": VERDICTS[BROKEN if any(not row["declared"] for row in rows) else INCOMPLETE if ended() else HOLDS],
        **({"ended": ended()} if ended() else {}),
    }


def keeping(chosen: System, before: Target, after: Target, seed: int) -> Keep:
    """Keeps what two builds in this process did, block by block; of what may change while it runs, nothing."""
    builds = [sorted(build_of(side).items()) for side in (before, after)]
    if not all(builds) or not all(isinstance(side, Divisible) and side.forks for side in (before, after)):
        return lambda steps, make: make()
    model = chosen.model
    texts = digest(model, {chosen.adapter.__module__, *(kind.__module__ for kind in model.__mro__)}, ROOMS)
    run = repr((texts, version("pyrevm"), builds, seed, digest_of(model)))

    def keep(steps: range, make: Callable[[], Block | None]) -> Block | None:
        made: list[Block | None] = []

        def text() -> list[str] | None:
            made.append(make())
            return None if made[0] is None else [written_chunk(run, steps.start, side) for side in made[0]]

        told = kept("compared", f"{run} {steps}", text, worth=lambda found: found is not None)
        if made:
            return made[0]
        found = [side for each in told if (side := read_chunk(each, run, steps.start, model)) is not None]
        return found if len(found) == len(told) else make()

    return keep


def departures(
    chosen: System, implementation: Target, runs: Sequence[Sequence[Call]], seed: int
) -> list[dict[str, Any]]:
    """Explain how an implementation departs from the model: entries as `differences` of `marginspec/diff/1` has them.

    runs: calls from genesis that show it; some more are drawn, for what one call shows several rules may explain.
    `before` of an entry is the model, `after` the implementation. Raises what a run raises.
    """
    model = ModelTarget(chosen.model, implementation.expected_reason)
    upgrade = Upgrade(chosen.model, model, implementation, lambda parting: _effect(chosen, parting))
    with progress("explaining the divergence", STEPS_TO_EXPLAIN) as advance:
        upgrade.run(STEPS_TO_EXPLAIN, seed, advance)
        upgrade.follow(runs)
        compared = upgrade.explained()
    reasons = {action: (implementation.expected_reason(able.rule),) * 2 for action, able in chosen.abilities.items()}
    return [_row(chosen, each, reasons) for each in compared.differences]


def _compared(model: type[Machine], compared: Comparison) -> dict[str, Any]:
    tally = compared.tally
    return {
        "steps": compared.steps,
        "sequences": compared.sequences,
        "vectors": compared.vectors,
        "comparisons": compared.comparisons,
        "left_out": compared.left_out,
        "taken_over": compared.taken_over,
        "alike": [{"at": at, "field": field, "count": count} for (at, field), count in compared.alike.most_common()],
        "rules_reached": sum(1 for rule in rules_of(model) if tally.rules[rule]),
        "rules": sum(1 for rule in rules_of(model) if rule not in model.never),
        "unreached": unreached(model, tally),
    }


def _limits(model: type[Machine], compared: Comparison, known: Mapping[str, Limits]) -> dict[str, Any]:
    """What the comparison cannot have seen: of the actions, and of each side's functions."""
    told = {side: limits_document(limits) for side, limits in known.items()}
    return {
        "actions": {
            action: {"accepted": compared.agreed[action, True], "refused": compared.agreed[action, False]}
            for action in actions_of(model)
        },
        "unseen_actions": below(model, compared.agreed),
        "unmodelled": {side: found["unmodelled"] for side, found in told.items()},
        "not_modelled": {side: found["not_modelled"] for side, found in told.items()},
    }


def _effect(chosen: System, parting: Parting) -> tuple[str, str | None]:
    """For whom an upgrade is stricter or more permissive, or who gains; and who becomes bankrupt by it."""
    before, after = parting.replies
    role = role_of(chosen.model, chosen.parties, parting.steps[-1].call)
    return _direction(role, before, after, _changes(chosen, parting)), _harm(chosen, before, after)


def _changes(chosen: System, parting: Parting) -> list[tuple[str, str, str, int]]:
    """Where the head refuses, everybody has what was there before: that is nobody's gain."""
    before, after = parting.replies
    if not after.answer.accepted:
        return []
    return gains(chosen.model, chosen.parties, parting.steps[-1].call, before.state, after.state)


def _harm(chosen: System, before: Reply, after: Reply) -> str | None:
    """An account that is bankrupt after the head's way to end, and not after the base's."""
    view = chosen.view
    if view is None or before.state == after.state:
        return None
    for subject in view.subjects(chosen.model):
        now = _stands(chosen, after.state, subject)
        if now is not None and now.owes and now.word in BANKRUPT:
            then = _stands(chosen, before.state, subject)
            if then is None or not then.owes or then.word not in BANKRUPT:
                return f"{view.label(subject)} becomes {now.word}"
    return None


Healthy = Mapping[str, tuple[str, str]]
"""By which reason base and head refuse an action because the account is healthy, by action."""


def _row(chosen: System, found: Difference, healthy: Healthy) -> dict[str, Any]:
    return {
        "rule": found.rules[0],
        "rules": list(found.rules),
        "departs": found.parting.departs,
        "direction": found.effect,
        "like": found.like or None,
        "exact": found.exact,
        "ways": [{"at": at, "field": field, "count": count} for (at, field), count in found.ways.items()],
        "minimal_account": _account(chosen, found, _changes(chosen, found.parting), healthy),
        "steps": len(found.parting.steps),
        "harm": found.harm,
    }


def _direction(role: str, before: Reply, after: Reply, changes: Sequence[tuple[str, str, str, int]]) -> str:
    """For whom the upgrade is stricter or more permissive, or who gains and who loses."""
    if before.answer.accepted != after.answer.accepted:
        return f"{'more permissive' if after.answer.accepted else 'stricter'} for the {role}"
    if not before.answer.accepted:
        return "refused for another reason"
    winners = list(dict.fromkeys(party for party, _, _, amount in changes if amount > 0))
    losers = list(dict.fromkeys(party for party, _, _, amount in changes if amount < 0))
    said = [f"{_parties(found)} {word}" for found, word in ((winners, "gains"), (losers, "loses")) if found]
    return ", ".join(said) or "nobody gains or loses at once"


def _parties(names: Sequence[str]) -> str:
    return " and ".join(f"the {name}" if name != "other user" else "another user" for name in names)


def _account(
    chosen: System, found: Difference, changes: Sequence[tuple[str, str, str, int]], healthy: Healthy
) -> dict[str, Any]:
    """How an account stands before the last call of a difference, and what either side then makes of it."""
    *earlier, last = found.parting.steps
    begin = earlier[-1].state if earlier else chosen.model.genesis().flatten()
    names = chosen.model.blank().names()
    replies = found.parting.replies
    differing = [
        {"name": name, "before": str(x), "after": str(y)}
        for name, x, y in zip(names, replies[0].state, replies[1].state, strict=False)
        if x != y
    ]
    return {
        "account": _label(chosen, last.call),
        "role": role_of(chosen.model, chosen.parties, last.call),
        "call": call_document(last.call),
        "standing": _standing(chosen, begin, found),
        "before": _side(chosen, replies[0], found, 0, healthy),
        "after": _side(chosen, replies[1], found, 1, healthy),
        "changes": differing[:OBSERVATIONS_LISTED],
        "more_changes": len(differing[OBSERVATIONS_LISTED:]),
        "gains": [{"party": p, "holder": h, "unit": unit, "amount": str(n)} for p, h, unit, n in changes],
        "steps": [{**call_document(step.call), "rule": step.outcome.rule} for step in found.parting.steps],
    }


def _side(chosen: System, reply: Reply, found: Difference, side: int, healthy: Healthy) -> dict[str, Any]:
    """What one side does: whether it accepts, what that makes of the account, its reason or its results."""
    answer = reply.answer
    return {
        "status": _status(chosen, found.parting.steps[-1].call.action, answer, side, healthy),
        "decision": "accepted" if answer.accepted else "refused",
        "reason": answer.reason or None,
        "returns": [str(value) for value in answer.returns],
        "standing": _standing(chosen, reply.state, found),
    }


def _status(chosen: System, action: str, answer: Answer, side: int, healthy: Healthy) -> str:
    """What an account is, as a side decides. That it is healthy is said only where that is why it is refused."""
    words, ability = action.replace("_", " "), chosen.abilities.get(action)
    if ability is None:
        return f"can {words}" if answer.accepted else f"cannot {words}"
    if answer.accepted:
        return ability.able
    return ability.unable if answer.reason == healthy[action][side] else ability.refused


def _subject(chosen: System, call: Call) -> Any:
    """The account that a call is about, as the view of the system names it; None where it has none."""
    view, account = chosen.view, account_of(call)
    given = set(call.arguments.values())
    for subject in [] if view is None else view.subjects(chosen.model):
        parts = subject if isinstance(subject, tuple) else (subject,)
        if account in parts and given.issuperset(parts):
            return subject
    return None


def _label(chosen: System, call: Call) -> str:
    view, subject = chosen.view, _subject(chosen, call)
    return str(account_of(call)) if view is None or subject is None else view.label(subject)


def _standing(chosen: System, values: list[Any], found: Difference) -> dict[str, Any] | None:
    """How the account stands in a state, by the model's formulas."""
    subject = _subject(chosen, found.parting.steps[-1].call)
    standing = None if subject is None else _stands(chosen, values, subject)
    if standing is None:
        return None
    return {"word": standing.word, "figures": {name: str(value) for name, value in standing.figures.items()}}


def _stands(chosen: System, values: list[Any], subject: Any) -> Standing | None:
    view = chosen.view
    if view is None:
        return None
    state = _blank(chosen.model)
    try:
        state.load(values)
        return view.standing(state, subject)
    except (KeyError, TypeError, ValueError):
        return None  # a candidate's storage need not be a state of the model


@per_model
def _blank(model: type[Machine]) -> Machine:
    """A machine of the model, to load states into."""
    return model.genesis()

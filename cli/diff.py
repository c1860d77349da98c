"""`diff`: what an upgrade changes, for whom, shown on the smallest account; and whom new parameters hit."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from marginspec.base.errors import BadInput, NothingCompared
from marginspec.base.process import BROKEN, HOLDS, VERDICTS, Output, emit, progress
from marginspec.base.text import printable
from marginspec.cli.book import book_document
from marginspec.cli.intended import Intended, judge_changes, read_intended, stale
from marginspec.cli.options import Json, Seed, Steps
from marginspec.cli.runs import how_to_repeat, kept, opened
from marginspec.conformance.run import vector_runs
from marginspec.lockstep.floor import below
from marginspec.lockstep.rules_reached import rules_of, unreached
from marginspec.lockstep.trace import call_document, trace_of
from marginspec.model.kernel.machine import Call, Machine, actions_of, per_model
from marginspec.report.upgrade import show_diff
from marginspec.results.documents import limits_document
from marginspec.results.exposures import VIEWS, Standing
from marginspec.systems.morpho_blue import adapter as morpho_blue
from marginspec.systems.reference import adapter as reference
from marginspec.systems.registry import System, system
from marginspec.systems.roles import account_of, gains, role_of
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.deployed import DEPLOYMENT, deployed
from marginspec.targets.protocol import Answer, Limits, limits_of
from marginspec.upgrade.comparison import Comparison, Difference, Parting, Upgrade
from marginspec.upgrade.explain import Reply

SHIPPED = "shipped"
DEPLOYED = Path("out") / "deployed"

CONTRACTS: Mapping[str, Callable[[], Mapping[str, Artifact]]] = {
    "morpho-blue": morpho_blue.shipped_contracts,
    "reference": lambda: reference.shipped_contracts()[0],
}
"""Of each system, the contracts that one may be deployed in the place of."""

SHOWN = 12
"""Of the observations that differ, so many are listed."""

ABLE: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("morpho-blue", "liquidate"): ("liquidatable", "not liquidatable", "LIQ-2", "liquidation is refused"),
    ("reference", "liquidate"): ("liquidatable", "not liquidatable", "LIQ-5", "liquidation is refused"),
    ("reference", "seize_collateral"): ("seizable", "not seizable", "LIQ-15", "seizure is refused"),
}
"""What an account is, by system and action on it: when that is accepted, when this rule refuses it, when another does.

Of other actions it can, or cannot, take them.
"""

BANKRUPT = ("bankrupt", "insolvent")
"""The words for an account that owes more than it has."""

WHAT = (
    "shipped, NAME=FILE for a build, NAME=0xADDRESS@URL for a contract that is deployed (it is only read), several of "
    "them with commas between, or the URL of a local node to run on. Or a parameter file of the reference venue."
)
BOOK = (
    "CSV with a line of names, or JSON with prices and accounts. Names are account, cash (USD), an asset (how much of "
    "it is collateral), a market (signed size) and MARKET entry (the price of opening, USD); numbers are decimals. See "
    "examples/book.csv."
)
Base = Annotated[str, typer.Argument(metavar="BASE", help=f"The implementation before: {WHAT}")]
Head = Annotated[str, typer.Argument(metavar="HEAD", help="The implementation after, likewise.")]


def diff(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="Which system is upgraded.")],
    base: Base,
    head: Head,
    intended: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A TOML file of intended changes, tables intended with rule, effect and reason."
        ),
    ] = None,
    book: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Accounts to judge by two parameter files: {BOOK}")
    ] = None,
    price: Annotated[
        list[str] | None, typer.Option(metavar="ASSET=USD", help="A price for the book. May be repeated.")
    ] = None,
    steps: Steps = 20_000,
    seed: Seed = 1,
    as_json: Json = False,
) -> int:
    """Compare two implementations and the model, three ways: which rules an upgrade changes, for whom, and how.

    A candidate build: marginspec diff morpho-blue shipped Morpho=out/Morpho.sol/Morpho.json

    Two builds, with what is meant to change: marginspec diff morpho-blue Morpho=v1.json Morpho=v2.json --intended
    intended.toml

    Whom new parameters make liquidatable: marginspec diff reference spec/presets/balanced.toml
    spec/presets/conservative.toml --book examples/book.csv --price ETH=2000 --price BTC=40000

    What is meant to change, in the words in which it is shown: [[intended]] rule = "LIQ-5" effect = "stricter for the
    user" reason = "…", and change = "…" where one effect of a rule has several. No declaration covers an account that
    becomes bankrupt, nor a parameter file that violates a safety bound.

    Compared are calls drawn at random; where these show no difference the conformance vectors too, which are made once,
    in a minute or two. Each difference is traced to a rule, shrunk to the fewest calls, and written to out/traces/.
    What both sides have in common is not judged: that is what check is for.

    Exit code 0: no difference, or only intended ones. 1: a difference that is not declared. 2: also when something is
    declared that did not change.
    """
    chosen = system(name)
    declared = {} if intended is None else read_intended(intended, chosen)
    if base.endswith(".toml") and head.endswith(".toml"):
        document = book_document(chosen.name, Path(base), Path(head), book, price or [], declared)
    else:
        if book is not None or price:
            raise BadInput("--book and --price go with two parameter files (.toml) as BASE and HEAD")
        document = upgrade_document(chosen, base, head, steps, seed, declared)
    if as_json:
        emit(document)
    else:
        show_diff(document, Output())
    if document["verdict"] == VERDICTS[BROKEN]:
        return BROKEN
    if vain := document["stale"]:
        raise BadInput(f"{intended}: {vain[0]} is declared and did not change: take it out, or look longer (--steps)")
    return HOLDS


class Side(NamedTuple):
    """BASE or HEAD: what it is called, and `--target` and `--artifact` of what that names."""

    name: str
    options: tuple[str, list[str]]


def implementation(chosen: System, side: str) -> Side:
    """What BASE or HEAD names; BadInput for what cannot be meant."""
    if side == SHIPPED:
        return Side(side, ("embedded", []))
    if "=" in side:
        return Side(side, ("embedded", [_build(chosen, part) for part in side.split(",")]))
    if "://" in side:
        return Side(side, (side, []))
    raise BadInput(f"{printable(side, 100)!r}: expected {SHIPPED}, NAME=FILE, NAME=0xADDRESS@URL, or two .toml files")


def _build(chosen: System, part: str) -> str:
    """`NAME=FILE`; of a deployed contract, with the file to which it is written."""
    found = DEPLOYMENT.fullmatch(part)
    if found is None:
        return part
    name, address = found["name"], found["address"].lower()
    shipped = CONTRACTS[chosen.name]() if chosen.name in CONTRACTS else {}
    if name not in shipped:
        known = ", ".join(shipped) or "no contracts that can be read from a node"
        raise BadInput(f"{printable(part, 100)}: {chosen.name} has {known}")
    read = deployed(found["url"], address, shipped[name])
    file = DEPLOYED / f"{name}-{address}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"abi": read.abi, "bytecode": "0x" + read.bytecode.hex()}) + "\n")
    return f"{name}={file}"


# --- The document -----------------------------------------------------------------------------------------------------


def upgrade_document(chosen: System, base: str, head: str, steps: int, seed: int, declared: Intended) -> dict[str, Any]:
    """Compare, with progress, keep the traces, and describe: `marginspec/diff/1`."""
    sides = [implementation(chosen, side) for side in (base, head)]
    with opened(chosen, *sides[0].options) as before, opened(chosen, *sides[1].options) as after:
        upgrade = Upgrade(chosen.model, before, after, lambda parting: _effect(chosen.model, parting))
        with progress("comparing three ways", steps) as advance:
            upgrade.run(steps, seed, advance)
        if not upgrade.differs:
            upgrade.follow(vector_runs(chosen.model, chosen.chapter.properties, seed))
        with progress("explaining differences", 1) as advance:
            compared = upgrade.explained(advance)
        known = {"base": limits_of(before), "head": limits_of(after)}
        rules = {key: able[2] for key, able in ABLE.items() if key[0] == chosen.model.system}
        healthy = {key: (before.expected_reason(r), after.expected_reason(r)) for key, r in rules.items()}
    if compared.comparisons == 0:
        raise NothingCompared(f"{steps} steps, nothing compared")
    rows, taken = list[dict[str, Any]](), set[str]()
    for each in compared.differences:
        side = sides[0 if each.parting.departs == "base" else 1]
        rows.append(_row(chosen, each, side, seed, healthy, taken))
    judge_changes(rows, declared)
    return {
        "schema": "marginspec/diff/1",
        "system": chosen.name,
        "base": base,
        "head": head,
        "seed": str(seed),
        **_compared(chosen.model, compared),
        **_limits(chosen.model, compared, known),
        "differences": rows,
        "stale": stale(declared, rows),
        "verdict": VERDICTS[BROKEN if any(not row["declared"] for row in rows) else HOLDS],
    }


def _compared(model: type[Machine], compared: Comparison) -> dict[str, Any]:
    tally = compared.tally
    return {
        "steps": compared.steps,
        "sequences": compared.sequences,
        "vectors": compared.vectors,
        "comparisons": compared.comparisons,
        "left_out": compared.left_out,
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


def _effect(model: type[Machine], parting: Parting) -> tuple[str, str | None]:
    """For whom an upgrade is stricter or more permissive, or who gains; and who becomes bankrupt by it."""
    before, after = parting.replies
    role = role_of(model, parting.steps[-1].call)
    return _direction(role, before, after, _changes(model, parting)), _harm(model, before, after)


def _changes(model: type[Machine], parting: Parting) -> list[tuple[str, str, str, int]]:
    """Where the head refuses, everybody has what was there before: that is nobody's gain."""
    before, after = parting.replies
    return gains(model, parting.steps[-1].call, before.state, after.state) if after.answer.accepted else []


def _harm(model: type[Machine], before: Reply, after: Reply) -> str | None:
    """An account that is bankrupt after the head's way to end, and not after the base's."""
    view = VIEWS.get(model.system)
    if view is None or before.state == after.state:
        return None
    for subject in view.subjects(model):
        now = _stands(model, after.state, subject)
        if now is not None and now.owes and now.word in BANKRUPT:
            then = _stands(model, before.state, subject)
            if then is None or not then.owes or then.word not in BANKRUPT:
                return f"{view.label(subject)} becomes {now.word}"
    return None


Healthy = Mapping[tuple[str, str], tuple[str, str]]
"""By which reason base and head refuse an action because the account is healthy, by system and action."""


def _row(chosen: System, found: Difference, side: Side, seed: int, healthy: Healthy, taken: set[str]) -> dict[str, Any]:
    """One difference. side: which leaves the model. taken: names of traces that are kept, to which this is added."""
    model, parting, rule = chosen.model, found.parting, found.rules[0]
    changes, direction = _changes(model, parting), found.effect
    trace = trace_of(model, side.name, seed, parting.calls, parting.divergence)
    (file,) = kept(chosen, [trace])
    own = re.sub("[^A-Za-z0-9]+", "-", f"{chosen.name}-diff-{parting.departs}-{rule}")
    name = next(name for n in itertools.count(1) if (name := own if n == 1 else f"{own}-{n}") not in taken)
    taken.add(name)
    file = file.replace(file.with_name(f"{name}.json"))
    return {
        "rule": rule,
        "rules": list(found.rules),
        "departs": parting.departs,
        "direction": direction,
        "like": found.like or None,
        "exact": found.exact,
        "ways": [{"at": at, "field": field, "count": count} for (at, field), count in found.ways.items()],
        "minimal_account": _account(model, found, changes, healthy),
        "steps": len(parting.steps),
        "trace": str(file),
        **how_to_repeat(chosen, trace, file, *side.options),
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
    model: type[Machine], found: Difference, changes: Sequence[tuple[str, str, str, int]], healthy: Healthy
) -> dict[str, Any]:
    """How an account stands before the last call of a difference, and what either side then makes of it."""
    *earlier, last = found.parting.steps
    begin = earlier[-1].state if earlier else model.genesis().flatten()
    names = model.blank().names()
    replies = found.parting.replies
    differing = [
        {"name": name, "before": str(x), "after": str(y)}
        for name, x, y in zip(names, replies[0].state, replies[1].state, strict=False)
        if x != y
    ]
    return {
        "account": _label(model, last.call),
        "role": role_of(model, last.call),
        "call": call_document(last.call),
        "standing": _standing(model, begin, found),
        "before": _side(model, replies[0], found, 0, healthy),
        "after": _side(model, replies[1], found, 1, healthy),
        "changes": differing[:SHOWN],
        "more_changes": len(differing[SHOWN:]),
        "gains": [{"party": p, "holder": h, "unit": unit, "amount": str(n)} for p, h, unit, n in changes],
        "steps": [{**call_document(step.call), "rule": step.outcome.rule} for step in found.parting.steps],
    }


def _side(model: type[Machine], reply: Reply, found: Difference, side: int, healthy: Healthy) -> dict[str, Any]:
    """What one side does: whether it accepts, what that makes of the account, its reason or its results."""
    answer = reply.answer
    return {
        "status": _status(model, found.parting.steps[-1].call.action, answer, side, healthy),
        "decision": "accepted" if answer.accepted else "refused",
        "reason": answer.reason or None,
        "returns": [str(value) for value in answer.returns],
        "standing": _standing(model, reply.state, found),
    }


def _status(model: type[Machine], action: str, answer: Answer, side: int, healthy: Healthy) -> str:
    """What an account is, as a side decides. That it is healthy is said only where that is why it is refused."""
    key, words = (model.system, action), action.replace("_", " ")
    if key not in ABLE:
        return f"can {words}" if answer.accepted else f"cannot {words}"
    yes, no, _, other = ABLE[key]
    if answer.accepted:
        return yes
    return no if answer.reason == healthy[key][side] else other


def _subject(model: type[Machine], call: Call) -> Any:
    """The account that a call is about, as the view of the system names it; None where it has none."""
    view, account = VIEWS.get(model.system), account_of(call)
    given = set(call.arguments.values())
    for subject in [] if view is None else view.subjects(model):
        parts = subject if isinstance(subject, tuple) else (subject,)
        if account in parts and given.issuperset(parts):
            return subject
    return None


def _label(model: type[Machine], call: Call) -> str:
    view, subject = VIEWS.get(model.system), _subject(model, call)
    return str(account_of(call)) if view is None or subject is None else view.label(subject)


def _standing(model: type[Machine], values: list[Any], found: Difference) -> dict[str, Any] | None:
    """How the account stands in a state, by the model's formulas."""
    subject = _subject(model, found.parting.steps[-1].call)
    standing = None if subject is None else _stands(model, values, subject)
    if standing is None:
        return None
    return {"word": standing.word, "figures": {name: str(value) for name, value in standing.figures.items()}}


def _stands(model: type[Machine], values: list[Any], subject: Any) -> Standing | None:
    view = VIEWS.get(model.system)
    if view is None:
        return None
    state = _blank(model)
    try:
        state.load(values)
        return view.standing(state, subject)
    except (KeyError, TypeError, ValueError):
        return None  # a candidate's storage need not be a state of the model


@per_model
def _blank(model: type[Machine]) -> Machine:
    """A machine of the model, to load states into."""
    return model.genesis()

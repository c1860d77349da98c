"""Which rule is behind a difference: that which, changed in one place, makes the model do what the implementation does.

A difference shows far from its cause: debt that is rounded down in the health check shows when somebody borrows, when
somebody withdraws collateral and when a liquidation is refused. Each function that the model runs for such a call is
changed in every small way; the change that does what the implementation does on most of the calls on which it departs,
and leaves alone the calls on which it does not, says which rule was changed, and often how.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.model_source import Key, executed, functions_of, names_in, refusals_in
from marginspec.lockstep.rehearsal import RehearsedStep
from marginspec.model.kernel.machine import Call, Machine, Outcome
from marginspec.targets.protocol import Answer
from marginspec.upgrade.candidates import Variant, constants_of, variants_of

NAMED = 5
"""So many rules are named at most for one difference."""

TRIED = 4
"""A constant is given up when none of its values does what the implementation does on the first so many calls."""

PLAIN_VALUES = 60
"""Of the values of a constant, so many are tried on a whole set-up."""

BY_CHANCE = 0.5
"""What the values of a constant count for: of so many, some will do by chance what an implementation does."""

NEGLIGIBLE = 0.05
"""A variant whose merit is lower explains nothing."""


@dataclass(frozen=True)
class Reply:
    """What an implementation did with a call: its answer, and every observation after it."""

    answer: Answer
    state: list[Any]


@dataclass(frozen=True)
class Departure:
    """A call on which an implementation departs from the model, from a state in which the two agreed.

    expected: what the model made of it. reply: what the implementation did.
    """

    before: list[Any]
    call: Call
    expected: Outcome
    reply: Reply
    divergence: Divergence


@dataclass(frozen=True)
class Cause:
    """What is behind some differences. rules: concerned, the likeliest first.

    like: the change by which the model does the same, with its place, empty if none was found; variant: that change.
    exact: whether that changes nothing on the calls on which the implementation agreed.
    """

    rules: tuple[str, ...]
    like: str
    exact: bool
    witnesses: tuple[Departure, ...]
    variant: Variant | None = None


Agreed = tuple[list[Any], RehearsedStep]
"""A step on which the implementation agreed with the model, and the state before it."""


def causes(
    model: type[Machine],
    witnesses: Sequence[Departure],
    agreed: Sequence[Agreed],
    expected_reason: Callable[[str], str],
) -> list[Cause]:
    """What is behind the differences that some witnesses show, those that explain most first.

    expected_reason: what the implementation says when a rule refuses.
    """
    inquiry = _Inquiry(model, witnesses, agreed, expected_reason)
    left, found = set(range(len(witnesses))), list[Cause]()
    trials = list(inquiry.trials())
    while left:
        alike = _exactly(trials, left) or _best(trials, left)
        explained = alike[0].same & left if alike else frozenset[int]()
        if not alike or (alike[0].spoilt and 2 * len(explained) < len(left)):
            break
        shown = inquiry.shown(explained)
        decision = inquiry.decision(shown)
        alike.sort(key=lambda trial: (trial.variant.rules[0] != decision, not trial.variant.left_out))
        best = alike[0]
        found.append(Cause(_rules(alike, decision), _told(best), best.spoilt == 0, shown, best.variant))
        left -= explained
        if not any(trial.spoilt == 0 and trial.same & left for trial in trials):
            left = inquiry.joined(left, found)
    return [*found, *inquiry.unexplained(left)]


def explains(model: type[Machine], variant: Variant, witness: Departure, expected_reason: Callable[[str], str]) -> bool:
    """Whether the model with a change does on a call exactly what the implementation did."""
    with variant.installed():
        return _Inquiry(model, [], [], expected_reason).does(witness)


def beginning(model: type[Machine], state: list[Any]) -> tuple[tuple[str, ...], str]:
    """Why an implementation is in another state than the model before a run begins: rules, and the change.

    The change is that with which the model begins in `state`; both empty if there is none.
    """
    keys = executed(model, model.genesis)
    stating = [key for key in sorted(keys) if functions_of(model)[key].rules]
    changes = (variant for key in stating for variant in variants_of(model, key))
    plain = (variant for values in constants_of(model, keys) for variant in values[:PLAIN_VALUES])
    for variant in itertools.chain(changes, (variant for variant in plain if variant.rules)):
        with variant.installed(), contextlib.suppress(Exception):  # a variant need not be a model that can be run
            if model.genesis().flatten() == state:
                return variant.rules[:NAMED], f"{variant.change} ({variant.place})"
    return (), ""


def _exactly(trials: Sequence[_Trial], left: set[int]) -> list[_Trial]:
    """The best of the variants that spoil nothing, where these together explain all that the best one does.

    Of two changes of one rule, a third that is like both but goes further must not take the place.
    """
    best = _best(trials, left)
    exact = [trial for trial in trials if trial.spoilt == 0 and trial.weight == 1.0]
    covered = frozenset[int]().union(*(trial.same for trial in exact)) & left
    return _best(exact, left) if best and best[0].spoilt and best[0].same & left <= covered else []


def _best(trials: Sequence[_Trial], left: set[int]) -> list[_Trial]:
    """The variants of the highest merit."""
    merits = [trial.merit(left) for trial in trials]
    best = max(merits, default=0.0)
    return [t for t, merit in zip(trials, merits, strict=True) if merit == best] if best >= NEGLIGIBLE else []


def _rules(alike: Sequence[_Trial], decision: str) -> tuple[str, ...]:
    """The rules of variants that explain the same, the nearest first, after the first the one that decides."""
    nearest: dict[str, int] = {}
    counts = Counter[str]()
    for trial in alike:
        for place, rule in enumerate(trial.variant.rules):
            nearest[rule] = min(place, nearest.get(rule, place))
            counts[rule] += 1
    first, second = alike[0].variant.rules[:1], alike[0].variant.rules[1:2]
    rest = sorted(counts, key=lambda rule: (nearest[rule], -counts[rule]))
    return tuple(dict.fromkeys(rule for rule in (*first, decision, *second, *rest) if rule))[:NAMED]


def _told(trial: _Trial) -> str:
    return f"{trial.variant.change} ({trial.variant.place})"


@dataclass(frozen=True)
class _Trial:
    """A variant that does what the implementation does on some witnesses. spoilt: the part of the agreed calls, among
    those that run what it changes, on which it does something else."""

    variant: Variant
    same: frozenset[int]
    spoilt: float
    weight: float

    def merit(self, left: set[int]) -> float:
        """The part of the witnesses left that it explains, less the more it spoils."""
        return self.weight * len(self.same & left) / len(left) * (1 - self.spoilt) ** 2


class _Inquiry:
    def __init__(
        self,
        model: type[Machine],
        witnesses: Sequence[Departure],
        agreed: Sequence[Agreed],
        expected_reason: Callable[[str], str],
    ) -> None:
        self._model, self._witnesses, self._agreed = model, witnesses, agreed
        self._expected_reason = expected_reason
        self._machine = model.genesis()
        self._ran = [self._executed(w.before, w.call) for w in witnesses]
        self._ran_agreed = [self._executed(before, step.call) for before, step in agreed]

    def _executed(self, before: list[Any], call: Call) -> frozenset[Key]:
        self._machine.load(before)
        return executed(self._model, lambda: self._machine.attempt(call, before))

    def trials(self) -> Iterator[_Trial]:
        """The variants that do what the implementation does on a witness, and spoil less than half of what agrees."""
        keys = frozenset[Key]().union(*self._ran)
        in_order = [key for key in functions_of(self._model) if key in keys]
        for key in sorted(in_order, key=lambda key: [key not in ran for ran in self._ran]):
            if functions_of(self._model)[key].rules:
                for variant in variants_of(self._model, key):
                    yield from self._tried(variant, 1.0)
        for values in constants_of(self._model, keys):
            if not values[0].rules:
                continue
            concerned = [at for at, ran in enumerate(self._ran) if ran & values[0].users][:TRIED]
            for variant in values:
                with variant.installed():
                    promising = any(self.does(self._witnesses[at]) for at in concerned)
                if promising:
                    yield from (trial for trial in self._tried(variant, BY_CHANCE) if trial.spoilt == 0)

    def _tried(self, variant: Variant, weight: float) -> Iterator[_Trial]:
        with variant.installed():
            concerned = [at for at, ran in enumerate(self._ran) if ran & variant.users]
            same = frozenset(at for at in concerned if self.does(self._witnesses[at]))
            if not same:
                return
            others = [at for at, ran in enumerate(self._ran_agreed) if ran & variant.users]
            spoilt = 0
            for at in others:
                spoilt += not self._keeps(*self._agreed[at])
                if 2 * spoilt > len(others):
                    return
        yield _Trial(variant, same, spoilt / (len(others) or 1), weight)

    def does(self, witness: Departure) -> bool:
        """Whether the model, as it now is, does what the implementation did."""
        outcome, answer = self._attempt(witness.before, witness.call), witness.reply.answer
        if outcome is None:
            return False
        if outcome.rule is not None:
            return not answer.accepted and answer.reason == self._expected_reason(outcome.rule)
        same = answer.accepted and answer.returns == outcome.returns
        return same and self._machine.flatten() == witness.reply.state

    def _keeps(self, before: list[Any], step: RehearsedStep) -> bool:
        """Whether the model, as it now is, does what it did; a variant that cannot run here says nothing."""
        outcome = self._attempt(before, step.call)
        if outcome is None:
            return True
        same = outcome == step.outcome
        return same and (outcome.rule is not None or self._machine.flatten() == step.state)

    def _attempt(self, before: list[Any], call: Call) -> Outcome | None:
        self._machine.load(before)
        try:
            return self._machine.attempt(call, before)
        except Exception:  # a variant need not be a model that can be run
            return None

    def shown(self, places: Iterable[int]) -> tuple[Departure, ...]:
        """Witnesses by their places, in order."""
        return tuple(self._witnesses[at] for at in sorted(places))

    def decision(self, witnesses: Sequence[Departure]) -> str:
        """The rule by which one of the two refuses most of some calls, the implementation first; empty if none does."""
        decided = (next(iter(self._said(witness)), witness.expected.rule or "") for witness in witnesses)
        rule, times = Counter(decided).most_common(1)[0]
        return rule if 2 * times > len(witnesses) else ""

    def _said(self, witness: Departure) -> tuple[str, ...]:
        """The rules whose refusal the implementation's reason is, as far as the model has them in this action."""
        if witness.reply.answer.accepted:
            return ()
        key = next(key for key in functions_of(self._model) if key[1] == witness.call.action)
        reason = witness.reply.answer.reason
        return tuple(rule for rule in self._refusals(key) if self._expected_reason(rule) == reason)

    # --- Without an explanation ----------------------------------------------------------------------------------

    def joined(self, left: set[int], found: list[Cause]) -> set[int]:
        """What is left, without what shows in the way in which an explained difference does: that joins it."""
        for at in sorted(left):
            witness = self._witnesses[at]
            for place, cause in enumerate(found):
                if witness.divergence.key in {other.divergence.key for other in cause.witnesses}:
                    found[place] = replace(cause, exact=False, witnesses=(*cause.witnesses, witness))
                    left = left - {at}
                    break
        return left

    def unexplained(self, left: set[int]) -> list[Cause]:
        """Causes of what no variant does: a rule that is suspect, else the decision and the action."""
        ways: dict[tuple[Any, ...], list[int]] = {}
        for at in sorted(left):
            witness = self._witnesses[at]
            if witness.expected.rule is None and witness.reply.answer.accepted:
                suspect = self._suspect(left, at)
                ways.setdefault(functions_of(self._model)[suspect].rules, []).append(at)
            else:
                ways.setdefault((witness.call.action, witness.divergence.key), []).append(at)
        causes = []
        for places in ways.values():
            first = self._witnesses[places[0]]
            accepted = first.expected.rule is None and first.reply.answer.accepted
            suspected = functions_of(self._model)[self._suspect(left, places[0])].rules if accepted else ()
            near = (*self._alone_setting(first.divergence.field), *suspected) if accepted else ()
            rules = tuple(dict.fromkeys((*near, *self._named(first))))[:NAMED]
            causes.append(Cause(rules, "", False, self.shown(places)))
        return causes

    def _alone_setting(self, observation: str) -> tuple[str, ...]:
        """The rules of the one function that sets what differs; none where several do."""
        field = observation.rpartition(".")[2]
        setting = [function for function in functions_of(self._model).values() if field in function.stored]
        return setting[0].rules if len(setting) == 1 else ()

    def _suspect(self, left: set[int], at: int) -> Key:
        """The function that runs with a witness, with most of the others, and with few calls that agree (Ochiai)."""

        def suspicion(key: Key) -> float:
            failed = sum(key in self._ran[other] for other in left)
            passed = sum(key in ran for ran in self._ran_agreed)
            return failed / math.sqrt(len(left) * (failed + passed))

        stating = [key for key in self._ran[at] if functions_of(self._model)[key].rules]
        return max(sorted(stating or self._ran[at]), key=suspicion)

    def _named(self, witness: Departure) -> tuple[str, ...]:
        functions = functions_of(self._model)
        key = next(key for key in functions if key[1] == witness.call.action)
        own, answer, said = functions[key].rules, witness.reply.answer, self._said(witness)
        refused = () if witness.expected.rule is None else (witness.expected.rule,)
        if answer.accepted:
            rules = (*refused, *own)
        else:
            # A refusal that the action does not know in the model is new there: the action has changed.
            rules = (*said, *own, *refused) if not refused else (*own, *said, *refused)
        return tuple(dict.fromkeys(rules)) or (witness.divergence.rule,)

    def _refusals(self, key: Key) -> list[str]:
        """The rules by which an action can refuse, itself or by a function that it uses."""
        functions, found = functions_of(self._model), [key]
        for each in found:
            used = names_in(functions[each].node)
            found += [other for other in functions if other[1] in used and other not in found]
        return list(dict.fromkeys(rule for each in found for rule in refusals_in(functions[each].node)))

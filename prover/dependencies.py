"""What a law rests on: what it takes for given, the ranges of its state, a composition, the checks of a relaxation.

A verdict `proved` stands only where each of these is proved, in a scope that is at least as wide. Invariants may rest
on each other: each step of a run keeps all of them together.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.properties.law import Property
from marginspec.properties.ranges import fields_of_ranges, numbers_of, with_ranges
from marginspec.properties.scope import Scope

if TYPE_CHECKING:
    from marginspec.prover.prove import Verdict


class Dependencies:
    """Some properties of a model, with all that they rest on. claims: all of these, each once."""

    def __init__(self, model: type[Machine], claims: Sequence[Property]) -> None:
        self._rests: dict[str, list[Property]] = {}
        self._missing: dict[str, str] = {}
        self._known: dict[str, Property] = {}
        self.claims: list[Property] = []
        todo = list(claims)
        while todo:
            claim = todo.pop(0)
            if claim.id in self._rests:
                if not _is_same(model, claim, self._known[claim.id]):
                    raise ValueError(f"two properties are called {claim.id}: a verdict is told by its ID")
                continue
            self._known[claim.id] = claim
            self.claims.append(claim)
            self._rests[claim.id] = list(self._rests_on(model, claim))
            todo += self._rests[claim.id]

    def _rests_on(self, model: type[Machine], claim: Property) -> Iterator[Property]:
        yield from claim.given
        if wrong := _is_loose(claim):
            self._missing[claim.id] = wrong
        if claim.chapter is None:
            return
        everything = with_ranges(model, claim.chapter)
        known = {p.id: p for p in everything}
        if claim.relaxed is not None and (wrong := _is_no_relaxation(claim, model, known)):
            self._missing[claim.id] = wrong
        for id in claim.rests_on:
            if id not in known:
                self._missing[claim.id] = f"rests on {id}, which is no property"
            else:
                yield known[id]
        if claim.kind == "invariant" and claim.chapter.limits_steps:
            compositions = [p for p in everything if p.kind == "composition"]
            if not compositions:
                self._missing[claim.id] = "says nothing of the steps that it leaves out: no composition covers them"
            if assumed := next(filter(None, (getattr(each.relaxed, "assumed", "") for each in compositions)), ""):
                self._missing[claim.id] = f"says nothing of the steps that it leaves out but where: {assumed}"
            yield from compositions
        yield from (p for p in everything if p.id != claim.id and fields_of_ranges(p) is not None)

    def in_order(self) -> list[int]:
        """The places of the claims, as they are best proved.

        First what most of them rest on: verdicts come early where time is short. Then from the last, which speaks of
        every action and takes longest.
        """
        rested_on = Counter(id for claim in self.claims for id in self._all(claim, {}) if id != claim.id)
        return sorted(range(len(self.claims)), key=lambda at: (-rested_on[self.claims[at].id], -at))

    def are_known(self, claim: Property, alone: Mapping[str, Verdict]) -> bool:
        """Whether all that a claim rests on has a verdict."""
        return all(each in alone for each in self._all(claim, {}))

    def _all(self, claim: Property, alone: Mapping[str, Verdict]) -> list[str]:
        """A claim and all that it rests on, directly or not; of what it might take for given, what it took."""
        found: dict[str, None] = {}
        todo = [claim]
        while todo:
            each = todo.pop(0)
            if each.id not in found:
                found[each.id] = None
                took = None if each.id not in alone else alone[each.id].took
                left = () if took is None else [given.id for given in each.given if given.id not in took]
                todo += [other for other in self._rests[each.id] if other.id not in left]
        return list(found)

    def settled(self, claim: Property, alone: Mapping[str, Verdict]) -> Verdict:
        """The verdict on a claim: what was found of it alone, if all that it rests on is proved."""
        own = alone[claim.id]
        rests = [id for id in self._all(claim, alone) if id != claim.id]
        limits = [*own.scope, *self._limits_of_steps(claim, rests)]
        verdict = dataclasses.replace(own, rests_on=tuple(rests), scope=tuple(limits))
        if own.verdict != "proved":
            return verdict
        reason = self._missing.get(claim.id, "") or next(self._lacking(claim, rests, alone), "")
        if reason:
            return dataclasses.replace(verdict, verdict="unknown", confirmed=False, algebra=False, reason=reason)
        return dataclasses.replace(verdict, confirmed=own.confirmed and all(alone[id].confirmed for id in rests))

    def _limits_of_steps(self, claim: Property, rests: Sequence[str]) -> Iterator[str]:
        """Where a composition covers the steps that a law, or what it rests on, leaves out: elsewhere nothing does."""
        for each in self.claims:
            if each.id in rests and each.kind == "composition":
                pins = [pin for pin in each.scope.pins() if pin not in claim.scope.pins()]
                if pins:
                    yield f"steps that {each.id} covers only where: {', '.join(pins)}"

    def _lacking(self, claim: Property, rests: Sequence[str], alone: Mapping[str, Verdict]) -> Iterator[str]:
        for id in rests:
            if alone[id].verdict != "proved":
                yield f"rests on {id}, which is {alone[id].verdict}"
            if id in self._missing:
                yield f"rests on {id}, which {self._missing[id]}"
        known = {each.id: each for each in self.claims}
        for each in (claim, *(known[id] for id in rests)):
            took = alone[each.id].took
            for other in self._rests[each.id]:
                if other in each.given and (took is None or other.id in took):
                    yield from _less_wide(each, other, "takes {} for given")
                elif fields_of_ranges(other) is not None or _replacement(other):
                    yield from _less_wide(each, other, "rests on {}")


def replaced_by(claim: Property, model: type[Machine]) -> tuple[str, ...]:
    """The methods of a model that a claim's relaxation replaces."""
    if claim.relaxed is None:
        return ()
    relaxed = claim.relaxed(model)
    added = [vars(base) for base in relaxed.__mro__ if not issubclass(model, base)]
    names = {name for members in added for name, member in members.items() if _runs(member)}
    return tuple(sorted(name for name in names if hasattr(model, name) and not name.startswith("__")))


def _runs(member: object) -> bool:
    return callable(member) or isinstance(member, property | classmethod | staticmethod)


def _is_same(model: type[Machine], one: Property, other: Property) -> bool:
    """Whether two properties say the same; the automatic law of ranges is made anew for each chapter."""
    mine, its = fields_of_ranges(one), fields_of_ranges(other)
    if mine is None or its is None:
        return one == other
    return all(mine(shape) == its(shape) for shape, _ in numbers_of(model))


def _is_no_relaxation(claim: Property, model: type[Machine], known: Mapping[str, Property]) -> str:
    """Why a claim's relaxed model need not do all that the model does; empty when lemmas say that it can."""
    relaxed = claim.relaxed(model) if claim.relaxed is not None else model
    if not issubclass(relaxed, model):
        return f"its relaxation makes {relaxed.__name__}, which is no {model.__name__}"
    if actions_of(relaxed).keys() != actions_of(model).keys():
        lost = sorted(actions_of(relaxed).keys() ^ actions_of(model).keys())[0]
        return f"its relaxation has other actions: {lost}"
    shown = getattr(claim.relaxed, "replaced", {})
    for name in replaced_by(claim, model):
        if name not in shown:
            return f"its relaxation replaces {name}, and no lemma shows that it may"
        lemma = known.get(shown[name].marginspec_simulates[0])
        if lemma is None or _replacement(lemma) is not shown[name]:
            return f"its relaxation replaces {name}, and {shown[name].marginspec_simulates[0]} is not the lemma of that"
    return ""


def _is_loose(claim: Property) -> str:
    """Why a claim that no chapter declared leaves out what a chapter adds; empty when it does not."""
    if lacking := [id for id in getattr(claim.relaxed, "obligations", ()) if id not in claim.rests_on]:
        return f"does not rest on {lacking[0]}, by which its relaxation does what the model does"
    if any(each.kind == "invariant" and each.limits_steps_alone for each in (claim, *claim.given)):
        return "limits the steps of an invariant otherwise than its chapter, which has no composition for that"
    return ""


def _replacement(claim: Property) -> object:
    """The method of which a lemma says that it can do what the model's own does."""
    return getattr(claim.predicate, "replacement", None)


def _less_wide(claim: Property, other: Property, words: str) -> Iterator[str]:
    """Where a claim uses another that says less than it is used for."""
    assumed = getattr(other.relaxed, "assumed", "")
    if other in claim.given and assumed and getattr(claim.relaxed, "assumed", "") != assumed:
        yield f"{words.format(other.id)}, which is proved only where: {assumed}"
    if narrower := _narrower(other.scope, claim.scope):
        yield f"{words.format(other.id)}, which is proved only where {narrower}"


def _narrower(given: Scope, mine: Scope) -> str:
    """A pin of what is given that is not one of mine, or allows less; empty when there is none."""
    if (given.keys, given.free) != (mine.keys, mine.free):
        return "there are other identifiers"
    for name, options in given.fixed.items():
        if name not in mine.fixed or not set(map(_name, mine.fixed[name])) <= set(map(_name, options)):
            return f"{name} is {' or '.join(map(_name, options))}"
    return ""


def _name(option: object) -> str:
    return str(getattr(option, "name", option))

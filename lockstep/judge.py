"""Laws on observations: what an implementation was seen to do is judged as if a model had done it.

An observation is a state of the model as a mere record of values, on which the model's views (equity, health, …) say
what the law's words mean. Its actions do nothing but what was seen: the one that was called, once, with the results and
the state that came of it. So one text is the law that is proved of the model and judged of the implementation, in every
state that it gets into: the limits of a proof (its scope and bounds) limit the proof, not the law, but for what a
relaxation assumes of the state before, such as that funding is settled: elsewhere the law may be false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from marginspec.lockstep.judgeable import AskedLaw, judged_laws
from marginspec.model.kernel.machine import Call, Machine, Rejected, actions_of, per_model
from marginspec.model.kernel.record import Record, variables_of
from marginspec.properties.law import Irrelevant, Property, Step
from marginspec.properties.relaxation import always


@dataclass(frozen=True, slots=True)
class Transition:
    """A call and what was seen of it: every observation before and after, the results, and why it was refused.

    rule: the rule that refused, or the implementation's own words where they are no rule's; None if accepted.
    """

    call: Call
    rule: str | None
    returns: tuple[int, ...]
    before: list[Any]
    after: list[Any]


@dataclass(frozen=True)
class Breach:
    """A law that does not hold, and what it speaks of: its arguments by name."""

    law: Property
    case: dict[str, Any]


class Judge:
    """Which laws of a model hold of what was seen. judged: in how many cases each was asked, by ID, 0 included."""

    def __init__(self, model: type[Machine], claims: Sequence[Property]) -> None:
        self._plain, self._careful = _Plain(model), _Careful(model)
        self._invariants: list[AskedLaw] = []
        self._laws: dict[str, list[AskedLaw]] = {name: [] for name in actions_of(model)}
        laws = judged_laws(model, claims)
        for law in laws:
            if law.law.kind == "invariant":
                self._invariants.append(law)
            else:
                for name in (law.action,) if law.action else self._laws:
                    self._laws[name].append(law)
        self.judged = Counter({law.law.id: 0 for law in laws})

    def state(self, values: list[Any]) -> Iterator[Breach]:
        """Invariants that do not hold of a state."""
        self._plain.enter(values)
        venue, judged = self._plain.venue, 0
        for law in self._invariants:
            for case in law.cases:
                held = _holds(law, venue, case, _NOTHING)
                judged += held is not None
                if held is False:
                    yield Breach(law.law, case)
            self.judged[law.law.id] += judged
            judged = 0

    def transition(self, seen: Transition) -> Iterator[Breach]:
        """Laws that do not hold of a transition; invariants only where the state changed."""
        arguments, step = seen.call.arguments, _SeenStep(seen.call)
        self._plain.prepare(seen)
        for law in self._laws[seen.call.action]:
            if seen.rule is not None and not law.refused:
                continue
            stage, judged = self._plain if law.pure else self._careful, 0
            given = {name: arguments[name] for name in law.given}
            of_call = {**given, law.step: step} if law.step else given
            for case in law.cases:
                stage.begin(seen)
                held = _holds(law, stage.venue, case, of_call)
                if stage.end() and held is not None:
                    judged += 1
                    if not held:
                        yield Breach(law.law, {**case, **given})
            self.judged[law.law.id] += judged
        if seen.after != seen.before:
            yield from self.state(seen.after)


_NOTHING: dict[str, Any] = {}


def _holds(law: AskedLaw, venue: Machine, case: dict[str, Any], of_call: dict[str, Any]) -> bool | None:
    """None where the law says nothing of the case: also where it is proved of other states only."""
    try:
        if not getattr(law.law.relaxed, "given", always)(venue):
            return None
        return bool(law.law.predicate(venue, **case, **of_call))
    except (Irrelevant, Rejected):
        return None
    except (ArithmeticError, LookupError):
        return None  # the model has no view of such a state: an owner that is nobody, a cap of zero


# --- What was seen, as a state ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Chance:
    """What may happen in a state, once. happen: makes the state the one after; Irrelevant if it cannot."""

    seen: Transition
    happen: Callable[[], None]


@per_model
def _records(model: type[Machine]) -> type[Machine]:
    """The model with actions that do what was seen, and nothing else."""
    actions = {name: _replayed(name, tuple(info.arguments)) for name, info in actions_of(model).items()}
    return type(f"Observed{model.__name__}", (model,), {**actions, "chance": None})


def _replayed(name: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
    def replay(self: Any, *given: Any, **named: Any) -> Any:
        chance: _Chance | None = self.chance
        if chance is None or chance.seen.call.action != name:
            raise Irrelevant
        seen = chance.seen
        if given:
            named |= zip(parameters, given, strict=False)
        if named != seen.call.arguments:
            raise Irrelevant
        return _taken(self, chance)

    return replay


def _taken(venue: Any, chance: _Chance) -> Any:
    chance.happen()
    venue.chance = None
    seen = chance.seen
    if seen.rule is not None:
        raise Rejected(seen.rule)
    return seen.returns[0] if len(seen.returns) == 1 else seen.returns or None


class _SeenStep(Step):
    """The call that was seen, as a step."""

    def take(self, venue: Any) -> Any:
        """Let it happen; there is nothing to compare it with."""
        if venue.chance is None:
            raise Irrelevant
        return _taken(venue, venue.chance)


class _Plain:
    """A state for laws that only look at it: what is seen to change is changed in it, and changed back."""

    def __init__(self, model: type[Machine]) -> None:
        self.venue: Any = cast(Any, _records(model)).blank()
        self._values: list[Any] = self.venue.flatten()
        self._places = list(_places(self.venue))
        self._chance: _Chance | None = None
        self._changes: list[tuple[Any, Any, Any, Any]] = []

    def enter(self, values: list[Any]) -> None:
        """Be in a state."""
        if values != self._values:
            self.venue.load(values)
        self._values = values

    def prepare(self, seen: Transition) -> None:
        """Be in the state before a transition that is asked about next."""
        self.enter(seen.before)
        pairs = zip(self._places, seen.before, seen.after, strict=True)
        self._changes = [(*place, old, new) for place, old, new in pairs if old != new]
        self._chance = _Chance(seen, self._happen)

    def begin(self, seen: Transition) -> None:
        """Let the transition be possible."""
        self.venue.chance = self._chance

    def _happen(self) -> None:
        for put, key, _, new in self._changes:
            put(key, new)

    def end(self) -> bool:
        """Whether it happened; the state is again the one before."""
        if self.venue.chance is not None:
            return False
        for put, key, old, _ in self._changes:
            put(key, old)
        return True


def _places(value: Any) -> Iterator[tuple[Callable[[Any, Any], None], Any]]:
    """How each value of a state is set, in the order of `flatten`: the setter of what it stands in, and its key."""
    record = isinstance(value, Record)
    inner = {n: getattr(value, n) for n in variables_of(type(value))} if record else value
    put = value.__setattr__ if record else value.__setitem__
    for key, item in inner.items():
        if isinstance(item, Record | dict):
            yield from _places(item)
        else:
            yield put, key


class _Careful:
    """A state for laws that put something else in its place: it is made anew for each, and compared before it goes on.

    So they are judged only where what they put is what was there, e.g. a market without funding due.
    """

    def __init__(self, model: type[Machine]) -> None:
        self.venue: Any = cast(Any, _records(model)).blank()
        self.venue.flatten()  # which leaves a mark on it
        self._own = frozenset(vars(self.venue))

    def begin(self, seen: Transition) -> None:
        """Be in the state before a transition, and let that be possible."""
        venue = self.venue
        for name in vars(venue).keys() - self._own:
            delattr(venue, name)
        venue.load(seen.before)

        def happen() -> None:
            if venue.flatten() != seen.before:
                raise Irrelevant
            venue.load(seen.after)

        venue.chance = _Chance(seen, happen)

    def end(self) -> bool:
        """Whether it happened."""
        return self.venue.chance is None

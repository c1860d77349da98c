"""Random expressions over the state of a small system, as text."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Names:
    """What an expression may speak of: texts of numbers, conditions and identifiers, and maps by name."""

    home: str
    numbers: tuple[str, ...]
    conditions: tuple[str, ...]
    users: tuple[str, ...]
    maps: tuple[str, ...]
    helpers: tuple[str, ...] = ()
    one_by_one: bool = True

    def also(self, *numbers: str, conditions: tuple[str, ...] = (), users: tuple[str, ...] = ()) -> Names:
        """The same and more."""
        return dataclasses.replace(
            self,
            numbers=self.numbers + numbers,
            conditions=self.conditions + conditions,
            users=self.users + users,
        )


@dataclass
class Action:
    """An action as its text declares it. arguments: name to type. returns: whether it returns a number."""

    name: str
    arguments: dict[str, str]
    returns: bool


@dataclass
class Expressions:
    """What a random system is made of, and expressions about it."""

    random: random.Random
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    maps: dict[str, tuple[int, int]] = field(default_factory=dict)
    bools: tuple[str, ...] = ()
    owner: bool = False
    records: bool = False
    rest: bool = False
    box: bool = False
    helpers: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    _fresh: int = 0
    _keys: str = ""

    def state_names(self, home: str) -> Names:
        """What may be said of a state."""
        numbers = tuple(f"{home}.{name}" for name in self.numbers)
        conditions = tuple(f"{home}.{name}" for name in self.bools)
        users = (f"{home}.owner",) if self.owner else ()
        helpers = tuple(f"{home}.{name}" for name in self.helpers)
        return Names(home, numbers, conditions, users, tuple(self.maps), helpers, not self.rest or self._rarely(0.04))

    def _rarely(self, share: float) -> bool:
        return self.random.random() < share

    def entry(self, names: Names, name: str, key: str) -> str:
        """What an account has."""
        return f"{names.home}.{name}[{key}]" + (".size" if self.records and name == "held" else "")

    def _values(self, names: Names, name: str) -> str:
        values = f"{names.home}.{name}.values()"
        return f"each.size for each in {values}" if self.records and name == "held" else values

    def _keys_of(self, names: Names) -> list[str]:
        literal = ['"first"'] if self.maps and not self.rest and self._rarely(0.1) else []
        return [*names.users, *(["BOX"] if self.box and names.maps else []), *literal]

    def _leaf(self, names: Names) -> str:
        options: list[Callable[[], str]] = [lambda: str(self.random.randint(-2, 4))] * 2
        if names.numbers:
            options += [lambda: self.random.choice(names.numbers)] * 9
        if names.maps and (keys := self._keys_of(names)):
            options += [lambda: self.entry(names, self.random.choice(names.maps), self.random.choice(keys))] * 8
        if names.maps:
            options += [lambda: f"sum({self._values(names, self.random.choice(names.maps))})"] * 3
        if names.maps and names.one_by_one:
            most = self.random.choice(("max", "min"))
            options.append(lambda: f"{most}({self._values(names, self.random.choice(names.maps))})")
        if names.helpers:
            options += [
                lambda: f"{self.random.choice(names.helpers)}({self.number(names if names.numbers else (), 0)})"
            ]
        return self.random.choice(options)()

    def number(self, names: Names | tuple[()], depth: int) -> str:
        """The text of a number."""
        if not names:
            return str(self.random.randint(-1, 3))
        if depth == 0:
            return self._leaf(dataclasses.replace(names, helpers=()))
        a, b = self.number(names, depth - 1), self._leaf(names)
        small = self.random.randint(1, 4)
        options = [
            self._leaf(names),
            f"{a} + {b}",
            f"{a} + {b}",
            f"{a} - {b}",
            f"{a} - ({b})",
            f"({a}) * {small}",
            f"({a}) * ({b})",
            f"({a}) // {small}",
            f"({a}) // -{small}",
            f"({a}) % {small}",
            f"({a}) % -{small}",
            f"({a}) // max({b}, 1)",
            f"-(-({a}) // {small})",
            f"abs({a})",
            f"abs({a} - ({b}))",
            f"min({a}, {b})",
            f"max({a}, {b})",
            f"max(0, {a}, {b})",
            f"({b}) ** {self.random.choice((2, 2, 3))}",
            f"(({a}) << {self.random.choice((1, 2))})",
            f"(({a}) >> {self.random.choice((1, 2))})",
            f"(({a}) & {self.random.choice((1, 3, 2))})",
            f"divmod({a}, {small})[{self.random.choice((0, 1))}]",
            f"sum(({a}, {b}))",
            f"({a} if {self.condition(names, 0)} else {b})",
            f"(1 if {self.condition(names, 0)} else 0)",
        ]
        return self.random.choice(options)

    def condition(self, names: Names, depth: int) -> str:
        """The text of a condition."""
        if depth and self._rarely(0.45):
            a, b = self.condition(names, depth - 1), self.condition(names, depth - 1)
            return self.random.choice((f"({a} and {b})", f"({a} or {b})", f"not ({a})", f"({a}) == ({b})"))
        options: list[Callable[[], str]] = [self._comparison(names)] * 6
        options += [lambda: self.random.choice(names.conditions)] * (2 if names.conditions else 0)
        keys = self._keys_of(names)
        if len(keys) > 1:
            options += [lambda: f"{keys[0]} {self.random.choice(('==', '!='))} {self.random.choice(keys[1:])}"] * 2
        if names.maps and names.one_by_one:
            of = self.random.choice(names.maps)
            each = (
                f"each{'.size' if self.records and of == 'held' else ''} {self._order()} {self.random.randint(-1, 2)}"
            )
            kind = self.random.choice(("all", "any"))
            options.append(lambda: f"{kind}({each} for each in {names.home}.{of}.values())")
        return self.random.choice(options)()

    def _comparison(self, names: Names) -> Callable[[], str]:
        a, b = self.number(names, self.random.choice((0, 0, 1))), self._leaf(names)
        if self._rarely(0.1):
            return lambda: f"{self.random.randint(-2, 1)} <= {a} < {self.random.randint(1, 4)}"
        if self._rarely(0.08):
            return lambda: f"({a}) in ({self.random.randint(-1, 1)}, {self.random.randint(1, 3)})"
        return lambda: f"{a} {self._order()} {b}"

    def _order(self) -> str:
        return self.random.choice(("<", "<=", ">", ">=", "==", "!="))


def int_type(low: int, high: int) -> str:
    return f"Annotated[int, Number({low}, {high})]"


def indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]

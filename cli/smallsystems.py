"""Random small systems with random laws about them, as the text of one Python file.

Each is a model of a few numbers in small ranges, accounts and truth values, whose actions use what the subset of Python
allows, and laws of every kind. A draw knows nothing of provers; what is true of it is for others to find out.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

HEADER = '''"""{title}"""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Call, Machine, Number, Record, Rejected, action
from marginspec.properties.law import Chapter, Step, accepted, assume, every, implies, refusal
from marginspec.properties.scope import REST, Scope

Account = NewType("Account", str)
User = NewType("User", Account)
BOX = Account("box")
'''

RANGES = ((0, 3), (0, 2), (0, 1), (-2, 2), (-1, 1), (1, 3), (0, 4), (-3, 0))
"""Of a number of a state: all small, so that every state can be looked at."""

AMOUNTS = ((0, 2), (0, 3), (-1, 2), (1, 3), (-2, 1))
"""Of an argument."""

ACTIONS = ("put", "take", "move", "tune")

DEPTH = 2
"""Of conditions within conditions in an action."""

UNSAFE = 0.08
"""How often a number is written without care for its range."""


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
class Draw:
    """One random system. `model` is its text; `law` draws the text of a law about it."""

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

    def model(self, title: str) -> str:
        """The text of a model, of its scope and of its chapter."""
        self._fields()
        methods = [self._fits()]
        for number in range(self.random.choice((0, 0, 1, 1, 2))):
            methods.append(self._helper(f"_helper_{number}"))
        names = self.random.sample(ACTIONS, self.random.choice((1, 1, 2, 2, 3)))
        methods += [self._action(name) for name in names]
        return HEADER.format(title=title) + self._state() + "\n".join(methods) + self._scope()

    # --- State -------------------------------------------------------------------------------------------------------

    def _fields(self) -> None:
        pick = self.random
        many = pick.choice((1, 1, 2, 2, 3))
        self.numbers = {name: pick.choice(RANGES) for name in pick.sample(("level", "stock", "debt"), many)}
        if pick.random() < 0.75:
            self.rest = pick.random() < 0.5
            if self.rest:  # or there are too many states
                self.numbers = dict([(name, pick.choice(RANGES[:5])) for name in self.numbers][: pick.choice((1, 1, 2))])
            self.box = pick.random() < 0.3
            ranges = ((0, 1), (0, 2), (0, 1), (-1, 1), (1, 2)) if self.rest else ((0, 2), (0, 3), (0, 1), (-1, 1), (1, 3))
            names = ("held",) if self.rest or pick.random() < 0.75 else ("held", "owed")
            self.maps = {name: pick.choice(ranges) for name in names}
            self.records = pick.random() < 0.15
            self.owner = pick.random() < 0.12
        self.bools = ("open",) if pick.random() < (0.1 if self.rest else 0.3) else ()

    def _state(self) -> str:
        lines = []
        entry = {name: _number(*limits) for name, limits in self.maps.items()}
        if self.records:
            lines += ["", "@dataclass", "class Entry(Record):", "    size: " + entry["held"], ""]
            entry["held"] = "Entry"
        lines += ["", "@dataclass", "class Small(Machine):", '    """A small system."""', ""]
        lines += [f"    {name}: {_number(*limits)}" for name, limits in self.numbers.items()]
        lines += [f"    {name}: dict[{self._key()}, {kind}]" for name, kind in entry.items()]
        lines += [f"    {name}: bool" for name in self.bools]
        lines += ["    owner: User"] if self.owner else []
        users = '"first", "second"' + ("" if self.rest or self.random.random() < 0.6 else ', "third"')
        keys = f"Account: (BOX, {users}), User: ({users})" if self.box else f"User: ({users})"
        self._keys = f"User: ({users})" if not self.box else keys
        lines += ["", '    system = "small"', f"    universe = {{{keys}}}" if self.maps else "    universe = {}", ""]
        values = [f"{name}={self._start(*limits)}" for name, limits in self.numbers.items()]
        for name, limits in self.maps.items():
            one = self._start(*limits)
            of = f"{{key: Entry(size={one}) for key in cls.universe[{self._key()}]}}"
            plain = f"dict.fromkeys(cls.universe[{self._key()}], {one})"
            values.append(f"{name}={of if entry[name] == 'Entry' else plain}")
        values += [f"{name}={self.random.random() < 0.5}" for name in self.bools]
        values += ["owner=cls.universe[User][0]"] if self.owner else []
        lines += ["    @classmethod", '    def blank(cls) -> "Small":', f"        return cls({', '.join(values)})", ""]
        lines += ["    @classmethod", "    def prelude(cls) -> list[Call]:", "        return []", ""]
        return "\n".join(lines)

    def _key(self) -> str:
        return "Account" if self.box else "User"

    def _start(self, low: int, high: int) -> int:
        return 0 if low <= 0 and self.random.random() < 0.8 else self.random.randint(low, high)

    def _scope(self) -> str:
        if not self.maps:
            keys = ""
        else:
            keys = self._keys
            if self.rest:
                keys = keys.replace(")", ", REST)")
        alike = ""
        if self.maps and not self.rest and self.random.random() < 0.5:
            users = self._keys.rpartition("(")[2].rstrip(")")
            alike = f", alike=(({users}),)"
        return f'\n\nSCOPE = Scope(keys={{{keys}}}{alike})\nchapter = Chapter("small", SCOPE)\n'

    def state_names(self, home: str) -> Names:
        """What may be said of a state."""
        numbers = tuple(f"{home}.{name}" for name in self.numbers)
        conditions = tuple(f"{home}.{name}" for name in self.bools)
        users = (f"{home}.owner",) if self.owner else ()
        helpers = tuple(f"{home}.{name}" for name in self.helpers)
        return Names(home, numbers, conditions, users, tuple(self.maps), helpers, not self.rest or self._rarely(0.04))

    def _rarely(self, share: float) -> bool:
        return self.random.random() < share

    # --- Expressions ---------------------------------------------------------------------------------------------------

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
            options += [lambda: f"{self.random.choice(names.helpers)}({self.number(names.numbers and names, 0)})"]
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
            each = f"each{'.size' if self.records and of == 'held' else ''} {self._order()} {self.random.randint(-1, 2)}"
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

    # --- Methods -----------------------------------------------------------------------------------------------------

    def _fits(self) -> str:
        refuses = ["        if value < low or value > high:", '            raise Rejected("FIT")']
        head = "    def _fits(self, value: int, low: int, high: int) -> int:"
        return "\n".join([head, *refuses, "        return value", ""])

    def _helper(self, name: str) -> str:
        """A method that returns a number, and may refuse."""
        names = self.state_names("self").also("value")
        lines = [f"    def {name}(self, value: int) -> int:"]
        if self._rarely(0.7):
            lines += [f"        if {self.condition(names, 1)}:", f'            raise Rejected("{name.strip("_").upper()}")']
        if self._rarely(0.3):
            lines += [f"        if {self.condition(names, 0)}:", f"            return {self.number(names, 1)}"]
        lines += [f"        return {self.number(names, 1)}", ""]
        self.helpers.append(name)
        return "\n".join(lines)

    def _action(self, name: str) -> str:
        arguments = self._arguments()
        action = Action(name, arguments, self._rarely(0.35))
        names = self.state_names("self").also(
            *(n for n, kind in arguments.items() if kind.startswith("Annotated")),
            conditions=tuple(n for n, kind in arguments.items() if kind == "bool"),
            users=tuple(n for n, kind in arguments.items() if kind == "User"),
        )
        lines = self._guards(names, name) if self._rarely(0.7) else []
        lines += self._body(names, name, DEPTH)
        if self._rarely(0.1) and self.actions and self._callable(self.actions[0], arguments):
            lines.append(f"self.{self._call(self.actions[0], arguments)}")
        if action.returns:
            lines.append(f"return {self.number(names, 1)}")
        taken = "".join(f", {n}: {kind}" for n, kind in arguments.items())
        head = [f"    @action\n    def {name}(self{taken}) -> {'int' if action.returns else 'None'}:"]
        self.actions.append(action)
        # An early return of an action that returns a number returns one too.
        early = "return 0" if action.returns else "return"
        return "\n".join([*head, *(f"        {line.replace('RETURN', early)}" for line in lines), ""])

    def _arguments(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.maps:
            for user in ("caller", "other")[: self.random.choice((1, 1, 2) if self.rest else (1, 1, 2, 2))]:
                found[user] = "User"
        if self._rarely(0.85):
            name = self.random.choice(("amount", "amount", *self.numbers))
            found[name] = _number(*self.random.choice(AMOUNTS))
        if self._rarely(0.12):
            found["flag"] = "bool"
        return found

    def _callable(self, action: Action, arguments: dict[str, str]) -> bool:
        return all(arguments.get(name) == kind for name, kind in action.arguments.items())

    def _call(self, action: Action, arguments: dict[str, str]) -> str:
        return f"{action.name}({', '.join(action.arguments)})"

    def _guards(self, names: Names, rule: str) -> list[str]:
        lines: list[str] = []
        for number in range(self.random.choice((1, 1, 2))):
            # Conditions that seldom hold: else little is accepted.
            condition = self.condition(names, 0 if self._rarely(0.6) else 1)
            lines += [f"if {condition}:", f'    raise Rejected("{rule.upper()}-{number}")']
        return lines

    def _body(self, names: Names, rule: str, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.choice((1, 1, 2) if depth == DEPTH else (1, 1, 1, 2))):
            block, names = self._statement(names, rule, depth)
            lines += block
        return lines

    def _statement(self, names: Names, rule: str, depth: int) -> tuple[list[str], Names]:
        roll = self.random.random()
        if depth and roll < 0.15:
            lines = [f"if {self.condition(names, 1)}:", *_indented(self._body(names, rule, depth - 1))]
            if self._rarely(0.3):
                lines += [f"elif {self.condition(names, 0)}:", *_indented(self._body(names, rule, depth - 1))]
            if self._rarely(0.5):
                lines += ["else:", *_indented(self._body(names, rule, depth - 1))]
            return lines, names
        if depth and roll < 0.22:
            return [f"if {self.condition(names, 0)}:", "    RETURN"], names
        if roll < 0.34:
            local = self._local()
            return [f"{local} = {self.number(names, 2)}"], names.also(local)
        if roll < 0.38:
            a, b = self._local(), self._local()
            return [f"{a}, {b} = divmod({self.number(names, 1)}, {self.random.randint(2, 3)})"], names.also(a, b)
        if roll < 0.42 and names.helpers:
            local, helper = self._local(), self.random.choice(names.helpers)
            tried = f"    {local} = {helper}({self.number(names, 0)})"
            return ["try:", tried, "except Rejected:", f"    {local} = {self.random.randint(0, 2)}"], names.also(local)
        if roll < 0.48 and names.maps:
            return self._loop(names)
        if roll < 0.52 and self.bools:
            return [f"self.{self.bools[0]} = {self.condition(names, 1)}"], names
        if roll < 0.56 and self.owner and names.users:
            return [f"self.owner = {self.random.choice(names.users)}"], names
        if roll < 0.72 and names.maps and (keys := self._keys_of(names)):
            return self._moved(names, rule, keys), names
        return self._written(names, rule), names

    def _local(self) -> str:
        self._fresh += 1
        return f"x{self._fresh}"

    def _loop(self, names: Names) -> tuple[list[str], Names]:
        local, name = self._local(), self.random.choice(names.maps)
        size = "each.size" if self.records and name == "held" else "each"
        each = self.random.choice(
            (f"{local} += {size}", f"{local} = max({local}, {size})", f"if {size} > 0:\n    {local} += 1")
            if names.one_by_one
            else (f"{local} += {size}", f"{local} = {local} - {size} * 2")
        )
        lines = [f"{local} = {self.random.choice((0, 0, 1))}", f"for each in self.{name}.values():"]
        if names.one_by_one and self._rarely(0.2):
            low, high = self.maps[name]
            entry = self.entry(names, name, "key")
            change = f"{entry} = min({entry} + 1, {high})" if self._rarely(0.5) else f"{entry} = max({entry} - 1, {low})"
            return [f"for key in self.{name}:", f"    {change}"], names
        return [*lines, *_indented(each.split("\n"))], names.also(local)

    def _moved(self, names: Names, rule: str, keys: Sequence[str]) -> list[str]:
        """Something goes from one place to another, as in every bookkeeping."""
        name = self.random.choice(names.maps)
        low, high = self.maps[name]
        one, other = self.random.choice(keys), self.random.choice(keys)
        amount = self.random.choice((*names.numbers, "1"))
        a, b = self.entry(names, name, one), self.entry(names, name, other)
        guards = [f"if {a} < {low} or {a} > {high} or {b} > {high} or {b} < {low}:", f'    raise Rejected("{rule.upper()}-M")']
        if self._rarely(0.35):  # with a number that counts along
            counted = self.random.choice(tuple(self.numbers))
            least, most = self.numbers[counted]
            after = [
                f"if {a} < {low} or {a} > {high} or not {least} <= self.{counted} <= {most}:",
                f'    raise Rejected("{rule.upper()}-C")',
            ]
            sign = self.random.choice(("+", "+", "-"))
            lines = [f"{a} += {amount}", f"self.{counted} {sign}= {amount}"]
            return [f"moved = {amount}", *(line.replace(f"= {amount}", "= moved") for line in lines), *after]
        if self._rarely(0.25):  # read first, written then: another thing where both are one
            left, got = self._local(), self._local()
            return [f"{left}, {got} = {a} - {amount}, {b} + {amount}", f"{a} = {left}", f"{b} = {got}", *guards]
        lines = [f"moved = {amount}", f"{a} -= moved", f"{b} += moved", *guards]
        return [f"if {a} < {amount}:", f'    raise Rejected("{rule.upper()}-L")', *lines] if self._rarely(0.3) else lines

    def _written(self, names: Names, rule: str) -> list[str]:
        """A number of the state gets another value, mostly one in its range."""
        targets = [(f"self.{name}", limits) for name, limits in self.numbers.items()]
        for name, limits in self.maps.items():
            targets += [(self.entry(names, name, key), limits) for key in self._keys_of(names)]
        target, (low, high) = self.random.choice(targets)
        change = self.number(names, 1)
        value = f"{target} {self.random.choice('+-')} ({change})" if self._rarely(0.6) else self.number(names, 2)
        if self._rarely(UNSAFE):
            return [f"{target} = {value}"]
        local, refused = self._local(), f'    raise Rejected("{rule.upper()}-R")'
        styles = (
            [f"{local} = {value}", f"if {local} < {low} or {local} > {high}:", refused, f"{target} = {local}"],
            [f"{local} = {value}", f"if not {low} <= {local} <= {high}:", refused, f"{target} = {local}"],
            [f"{target} = {value}", f"if {target} > {high} or {target} < {low}:", refused],
            [f"{target} = self._fits({value}, {low}, {high})"],
            [f"{target} = self._fits({value}, {low}, {high})"],
            [f"{target} = max({low}, min({value}, {high}))"],
            [f"{target} = {low} + ({value}) % {high - low + 1}"],
            [f"{local} = {value}", f"if {local} >= {low} and {local} <= {high}:", f"    {target} = {local}"],
        )
        return self.random.choice(styles)

    # --- Laws --------------------------------------------------------------------------------------------------------

    def invariant(self, id: str, given: str = "") -> Law:
        """A law of states."""
        who = bool(self.maps) and self._rarely(0.4)
        names = self.state_names("state").also(users=("who",) if who else ())
        names = dataclasses.replace(names, helpers=names.helpers if self._rarely(0.15) else ())
        claim = self._claim(names)
        arguments = {"who": "User"} if who else {}
        return Law("invariant", id, arguments, [], *claim, given=given)

    def _claim(self, names: Names) -> tuple[str, bool]:
        """What a law returns: a condition, or a number of which the least or most is claimed."""
        if self._rarely(0.55):
            return self.number(names, 2), True
        a, b = self.condition(names, 1), self.condition(names, 0)
        return self.random.choice((a, a, f"implies({b}, {a})", f"every(({a}, {b}))", f"every(({a}, {b}))")), False

    def theorem(self, id: str, given: str = "") -> Law:
        """A law of what happens, or of one state."""
        roll = self.random.random()
        if roll < 0.35:
            return self._of_steps(id, given, 1 if self._rarely(0.8) else 2)
        if roll < 0.65:
            return self._of_actions(id, given, 1 if self._rarely(0.7) else 2)
        if roll < 0.87:
            return self._of_refusal(id, given)
        return self._of_a_state(id, given)

    def _said(self) -> tuple[dict[str, str], Names]:
        """Arguments of a law and what it may speak of."""
        arguments: dict[str, str] = {}
        if self.maps and self._rarely(0.6):
            arguments["who"] = "User"
        if self._rarely(0.3):
            # Like a field, or not.
            arguments[self.random.choice(("bound", *self.numbers))] = _number(*self.random.choice(AMOUNTS))
        names = self.state_names("state").also(
            *(n for n, kind in arguments.items() if kind.startswith("Annotated")),
            users=tuple(n for n, kind in arguments.items() if kind == "User"),
        )
        return arguments, dataclasses.replace(names, helpers=names.helpers if self._rarely(0.2) else ())

    def _assumed(self, names: Names) -> list[str]:
        lines = [f"assume({self.condition(names, 0)})"] if self._rarely(0.3) else []
        if names.helpers and self._rarely(0.3):
            lines.append(f"assume(accepted({self.random.choice(names.helpers)}, {self.number(names, 0)}) >= 0)")
        return lines

    def _of_steps(self, id: str, given: str, many: int) -> Law:
        arguments, names = self._said()
        steps = ("step", "then")[:many]
        lines = [f"before = {self.number(names, 1)}", *self._assumed(names)]
        if self._rarely(0.25):
            lines.append(f'assume(step.action {self.random.choice(("==", "!="))} "{self.random.choice(self.actions).name}")')
        if self.maps and "who" in arguments and self._rarely(0.3):
            lines.append('assume(step.argument("caller") != who)')
        lines += [f"{step}.take(state)" for step in steps]
        claim = self._after(names)
        return Law("theorem", id, {**arguments, **dict.fromkeys(steps, "Step")}, lines, *claim, given=given)

    def _after(self, names: Names, returned: Sequence[str] = ()) -> tuple[str, bool]:
        names = names.also("before", *returned)
        if self._rarely(0.5):
            now = self.number(names, 1)
            return (f"{now} - before", True) if self._rarely(0.6) else (f"{now} {self._order()} before", False)
        return self._claim(names)

    def _of_actions(self, id: str, given: str, many: int) -> Law:
        arguments, names = self._said()
        lines, returned = [f"before = {self.number(names, 1)}", *self._assumed(names)], []
        for number in range(many):
            action = self.random.choice(self.actions)
            call = self._taken(action, arguments)
            if action.returns and self._rarely(0.6):
                returned.append(f"result_{number}")
                lines.append(f"result_{number} = state.{action.name}({call})")
            else:
                lines.append(f"state.{action.name}({call})")
        names = self._with(names, arguments)
        return Law("theorem", id, arguments, lines, *self._after(names, returned), given=given)

    def _taken(self, action: Action, arguments: dict[str, str]) -> str:
        """The arguments of an action, which become such of the law."""
        given = []
        for name, kind in action.arguments.items():
            known = [n for n, k in arguments.items() if k == kind]
            if known and self._rarely(0.35):
                given.append(self.random.choice(known))
                continue
            if arguments.get(name, kind) != kind:
                name = f"{name}_{len(arguments)}"
            arguments[name] = kind
            given.append(name)
        return ", ".join(given)

    def _with(self, names: Names, arguments: dict[str, str]) -> Names:
        numbers = tuple(n for n, k in arguments.items() if k.startswith("Annotated") and n not in names.numbers)
        conditions = tuple(n for n, k in arguments.items() if k == "bool")
        users = tuple(n for n, k in arguments.items() if k == "User" and n not in names.users)
        return names.also(*numbers, conditions=conditions, users=users)

    def _of_refusal(self, id: str, given: str) -> Law:
        arguments, names = self._said()
        action = self.random.choice(self.actions)
        call = self._taken(action, arguments)
        names = self._with(names, arguments)
        rules = [f"{action.name.upper()}-{n}" for n in ("0", "1", "R", "M", "C", "L")] + ["FIT", "HELPER_0"]
        condition, rule = self.condition(names, 1), self.random.choice(rules)
        lines = [*self._assumed(names), f"expected = {condition}"]
        lines.append(f"why = refusal(state.{action.name}{''.join(f', {part}' for part in call.split(', ') if part)})")
        claims = (
            f'why != "{rule}"',
            "why is None",
            "implies(expected, why is not None)",
            "implies(why is None, expected)",
            f'implies(expected, why == "{rule}")',
            f'implies(why == "{rule}", expected)',
            f"implies(why is not None, {self.condition(names, 0)})",
            f"implies(why is None, {self.condition(names, 1)})",
        )
        return Law("theorem", id, arguments, lines, self.random.choice(claims), False, given=given)

    def _of_a_state(self, id: str, given: str) -> Law:
        arguments, names = self._said()
        if self.helpers:
            names = dataclasses.replace(names, helpers=self.state_names("state").helpers)
        kind = self.random.choice(("lemma", "lemma", "theorem"))
        return Law(kind, id, arguments, self._assumed(names), *self._claim(names), given=given)


@dataclass(frozen=True)
class Law:
    """A law as text. claim: what it returns; open: whether that is a number of which a bound is to be claimed."""

    kind: str
    id: str
    arguments: dict[str, str]
    lines: list[str]
    claim: str
    open: bool
    given: str = ""

    def bounded(self, relation: str, bound: int) -> Law:
        """The law that its number has a bound."""
        return dataclasses.replace(self, claim=f"{self.claim} {relation} {bound}", open=False)

    @property
    def happen(self) -> int:
        """How many actions it takes."""
        taken = (".take(", *(f"state.{action}(" for action in ACTIONS))
        return sum(any(each in line for each in taken) for line in self.lines)

    def text(self) -> str:
        """The function with its decorator and its docstring."""
        name = self.id.lower().replace("-", "_")
        options = f', given=({self.given},)' if self.given else ""
        taken = "".join(f", {n}: {kind}" for n, kind in self.arguments.items())
        lines = [*self.lines, f"return {self.claim}"]
        head = [f'\n\n@chapter.{self.kind}("{self.id}"{options})', f"def {name}(state: Small{taken}) -> Any:"]
        return "\n".join([*head, f'    """{self.id} of a small system."""', *_indented(lines), ""])


def _number(low: int, high: int) -> str:
    return f"Annotated[int, Number({low}, {high})]"


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def branches(text: str) -> int:
    """How many places in a text may go two ways, about."""
    return len(re.findall(r"\b(?:if|and|or|min|max|abs)\b| in \(", text)) + 2 * len(re.findall(r"\b(?:caller|other)\]", text))

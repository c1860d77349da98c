"""Random models of small systems, as the text of a Python file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.small.expressions import Action, Expressions, Names, indented, int_type

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


class Model(Expressions):
    """One random system. `model` is its text."""

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
                self.numbers = dict(
                    [(name, pick.choice(RANGES[:5])) for name in self.numbers][: pick.choice((1, 1, 2))]
                )
            self.box = pick.random() < 0.3
            ranges = (
                ((0, 1), (0, 2), (0, 1), (-1, 1), (1, 2)) if self.rest else ((0, 2), (0, 3), (0, 1), (-1, 1), (1, 3))
            )
            names = ("held",) if self.rest or pick.random() < 0.75 else ("held", "owed")
            self.maps = {name: pick.choice(ranges) for name in names}
            self.records = pick.random() < 0.15
            self.owner = pick.random() < 0.12
        self.bools = ("open",) if pick.random() < (0.1 if self.rest else 0.3) else ()

    def _state(self) -> str:
        lines = []
        entry = {name: int_type(*limits) for name, limits in self.maps.items()}
        if self.records:
            lines += ["", "@dataclass", "class Entry(Record):", "    size: " + entry["held"], ""]
            entry["held"] = "Entry"
        lines += ["", "@dataclass", "class Small(Machine):", '    """A small system."""', ""]
        lines += [f"    {name}: {int_type(*limits)}" for name, limits in self.numbers.items()]
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
            lines += [
                f"        if {self.condition(names, 1)}:",
                f'            raise Rejected("{name.strip("_").upper()}")',
            ]
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
            found[name] = int_type(*self.random.choice(AMOUNTS))
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
            lines = [f"if {self.condition(names, 1)}:", *indented(self._body(names, rule, depth - 1))]
            if self._rarely(0.3):
                lines += [f"elif {self.condition(names, 0)}:", *indented(self._body(names, rule, depth - 1))]
            if self._rarely(0.5):
                lines += ["else:", *indented(self._body(names, rule, depth - 1))]
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
            change = (
                f"{entry} = min({entry} + 1, {high})" if self._rarely(0.5) else f"{entry} = max({entry} - 1, {low})"
            )
            return [f"for key in self.{name}:", f"    {change}"], names
        return [*lines, *indented(each.split("\n"))], names.also(local)

    def _moved(self, names: Names, rule: str, keys: Sequence[str]) -> list[str]:
        """Something goes from one place to another, as in every bookkeeping."""
        name = self.random.choice(names.maps)
        low, high = self.maps[name]
        one, other = self.random.choice(keys), self.random.choice(keys)
        amount = self.random.choice((*names.numbers, "1"))
        a, b = self.entry(names, name, one), self.entry(names, name, other)
        guards = [
            f"if {a} < {low} or {a} > {high} or {b} > {high} or {b} < {low}:",
            f'    raise Rejected("{rule.upper()}-M")',
        ]
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
        return (
            [f"if {a} < {amount}:", f'    raise Rejected("{rule.upper()}-L")', *lines] if self._rarely(0.3) else lines
        )

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


def branches(text: str) -> int:
    """How many places in a text may go two ways, about."""
    return len(re.findall(r"\b(?:if|and|or|min|max|abs)\b| in \(", text)) + 2 * len(
        re.findall(r"\b(?:caller|other)\]", text)
    )

"""Random laws about a small system, as text."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from tools.small.expressions import Action, Names, indented, int_type
from tools.small.models import ACTIONS, AMOUNTS, Model


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
        claim = f"{self.claim} {relation} {bound}" if self.open else self.claim
        return dataclasses.replace(self, claim=claim, open=False)

    @property
    def happen(self) -> int:
        """How many actions it takes."""
        taken = (".take(", *(f"state.{action}(" for action in ACTIONS))
        return sum(any(each in line for each in taken) for line in self.lines)

    def text(self) -> str:
        """The function with its decorator and its docstring."""
        name = self.id.lower().replace("-", "_")
        options = f", given=({self.given},)" if self.given else ""
        taken = "".join(f", {n}: {kind}" for n, kind in self.arguments.items())
        lines = [*self.lines, f"return {self.claim}"]
        head = [f'\n\n@chapter.{self.kind}("{self.id}"{options})', f"def {name}(state: Small{taken}) -> Any:"]
        return "\n".join([*head, f'    """{self.id} of a small system."""', *indented(lines), ""])


class Draw(Model):
    """One random system: `model` is its text, `invariant` and `theorem` draw laws about it."""

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
        if roll < 0.85:
            return self._of_refusal(id, given)
        if roll < 0.92 and self.helpers:
            return self._of_a_helper(id, given)
        return self._of_a_state(id, given)

    def _said(self) -> tuple[dict[str, str], Names]:
        """Arguments of a law and what it may speak of."""
        arguments: dict[str, str] = {}
        if self.maps and self._rarely(0.6):
            arguments["who"] = "User"
        if self._rarely(0.3):
            # Called like a field, or not.
            name = self.random.choice(("bound", *self.numbers, *self.numbers))
            arguments[name] = int_type(*self.numbers.get(name, self.random.choice(AMOUNTS)))
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
            lines.append(
                f'assume(step.action {self.random.choice(("==", "!="))} "{self.random.choice(self.actions).name}")'
            )
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

    def _of_a_helper(self, id: str, given: str) -> Law:
        """Of what a helper answers, which may refuse, before or after something happened."""
        arguments, names = self._said()
        helper, asked = self.random.choice(self.helpers), self.number(names, 0)
        lines, happens = self._assumed(names), self._rarely(0.5)
        lines += ["step.take(state)"] if happens else []
        asks = self.random.choice((f"state.{helper}({asked})", f"accepted(state.{helper}, {asked})"))
        if self._rarely(0.3):
            claim, open_ = f"implies(refusal(state.{helper}, {asked}) is None, {self.condition(names, 1)})", False
        else:
            claim, open_ = asks, True
        return Law("theorem", id, {**arguments, **({"step": "Step"} if happens else {})}, lines, claim, open_, given)

    def _of_a_state(self, id: str, given: str) -> Law:
        arguments, names = self._said()
        if self.helpers:
            names = dataclasses.replace(names, helpers=self.state_names("state").helpers)
        kind = self.random.choice(("lemma", "lemma", "theorem"))
        return Law(kind, id, arguments, self._assumed(names), *self._claim(names), given=given)

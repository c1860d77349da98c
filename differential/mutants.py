"""Mutants: a model with one rule changed in one place, and whether the lock-step run tells it from the implementation.

A mutant is made from the syntax tree of the model's own file. What it does not change it shares with the model:
records and identifiers are the same types, so properties and adapters take a mutant as they take the model.
"""

from __future__ import annotations

import ast
import functools
import inspect
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import ModuleType
from typing import cast

from marginspec.differential.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.differential.lockstep import Divergence, LockStep
from marginspec.differential.mutation import Change, blocks, expressions
from marginspec.differential.sequence import Rehearsal, Step
from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.targets.protocol import Target

Function = ast.FunctionDef


@dataclass(frozen=True)
class Mutant:
    """One change of one rule.

    id: stable as long as the operator does not apply at more places earlier in the function. rule: the ID of the rule
    that the changed text states. name: the function or constant that is changed. number: its place in `mutants_of`.
    """

    id: str
    rule: str
    operator: str
    file: str
    line: int
    change: str
    name: str
    number: int


@dataclass(frozen=True)
class Kill:
    """How the lock-step run killed a mutant: `differential`, `prelude` or `crash`, after how many steps, why."""

    by: str
    steps: int
    why: str


# --- Where the rules are --------------------------------------------------------------------------------------------


class Text:
    """The file of a model as a syntax tree that may be changed once."""

    def __init__(self, model: type[Machine]) -> None:
        self.module = sys.modules[model.__module__]
        self.tree = ast.parse(_source(self.module))
        self.machine = next(
            node for node in self.tree.body if isinstance(node, ast.ClassDef) and node.name == model.__name__
        )
        functions = [n for n in (*self.tree.body, *self.machine.body) if isinstance(n, Function)]
        self._functions = {node.name: node for node in functions}
        self.constants = [node for node in self.tree.body if _is_constant(node)]
        self._uses = {node.name: _names(node) for node in functions}
        self._refusals = {node.name: _refusals(node) for node in functions}

    @functools.cached_property
    def rules(self) -> list[Function]:
        """The functions that state rules, and those they use, in the order of the text."""
        todo = [node for node in self._functions.values() if _decorated(node, "rule") or _is_user_action(node)]
        found = set()
        while todo:
            node = todo.pop()
            if node.name not in found:
                found.add(node.name)
                todo += [self._functions[name] for name in self._uses[node.name] if name in self._functions]
        return [node for node in self._functions.values() if node.name in found]

    def changes_state(self, node: ast.AST) -> bool:
        """Whether a part of the text, or a function that it uses, has an effect on the state."""
        if any(map(_stores, ast.walk(node))):
            return True
        return any(self.changes_state(self._functions[name]) for name in _names(node) if name in self._functions)

    def reaching(self, name: str) -> frozenset[str]:
        """The functions that use a name, directly or through others, itself included."""
        found, size = {name}, 0
        while size < len(found):
            size = len(found)
            found |= {user for user, used in self._uses.items() if not found.isdisjoint(used)}
        return frozenset(found)

    def rule_of(self, node: Function) -> str:
        """The ID of the rule that a function states, or of the first function that uses it."""
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "rule":
                return cast(str, ast.literal_eval(decorator.args[0]))
        head, colon, _ = (ast.get_docstring(node) or "").partition(":")
        if colon and head.isupper() and " " not in head:
            return head
        return _refusals(node)[0] if _refusals(node) else self.rule_using(node.name)

    def rule_using(self, name: str) -> str:
        """The rule of the first function that uses a name; the name itself where none does, as of an action."""
        return next((self.rule_of(n) for n in self.rules if n.name != name and name in self._uses[n.name]), name)

    def refusal_of(self, node: ast.stmt) -> str | None:
        """The rule by which a statement refuses, itself or in the method that it calls; None if it is no check."""
        found = _refusals(node) if isinstance(node, ast.If) else self._refusals.get(_called(node))
        return found[0] if found else None

    def value(self, function: ast.expr) -> Callable[..., object] | None:
        """What an expression such as `mul_div_down` or `self._move` calls."""
        if isinstance(function, ast.Name):
            found = vars(self.module).get(function.id)
        elif isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "self":
            found = getattr(vars(self.module)[self.machine.name], function.attr, None)
        else:
            found = None
        return found if inspect.isfunction(found) else None


@functools.cache
def _source(module: ModuleType) -> str:
    return inspect.getsource(module)


def _is_constant(node: ast.stmt) -> bool:
    """Arithmetic on numbers: `WAD = 10**18`."""
    return isinstance(node, ast.Assign) and not any(
        isinstance(part, ast.Call | ast.Subscript | ast.Tuple | ast.List | ast.Dict)
        or (isinstance(part, ast.Constant) and not isinstance(part.value, int))
        for part in ast.walk(node.value)
    )


def _decorated(node: Function, name: str) -> ast.expr | None:
    for decorator in node.decorator_list:
        if getattr(decorator.func if isinstance(decorator, ast.Call) else decorator, "id", "") == name:
            return decorator
    return None


def _is_user_action(node: Function) -> bool:
    decorator = _decorated(node, "action")
    words = [k.arg for k in decorator.keywords] if isinstance(decorator, ast.Call) else []
    return decorator is not None and "environment" not in words


def _names(node: ast.AST) -> set[str]:
    body = node.body if isinstance(node, Function) else [node]
    parts = [part for statement in body for part in ast.walk(statement)]
    return {p.attr if isinstance(p, ast.Attribute) else p.id for p in parts if isinstance(p, ast.Attribute | ast.Name)}


def _refusals(node: ast.AST) -> list[str]:
    calls = [n.exc for n in ast.walk(node) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    return [cast(str, ast.literal_eval(c.args[0])) for c in calls if getattr(c.func, "id", "") == Rejected.__name__]


def _stores(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def _called(node: ast.stmt) -> str:
    """The method of `self` that a statement consists of calling."""
    function = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else ""


# --- Enumeration ------------------------------------------------------------------------------------------------------


def mutants_of(model: type[Machine]) -> list[Mutant]:
    """Every mutant of a model, in the order of its text."""
    text, found, count = Text(model), list[Mutant](), dict[str, int]()
    folder, _, short = model.__module__.rpartition(".")
    file = "/".join([*folder.split(".")[1:], f"{short}.py"])
    for number, (rule, name, change) in enumerate(_changes(text)):
        place = f"{short}:{name}:{change.operator}"
        count[place] = count.get(place, 0) + 1
        words = f"{_text(change.before)} -> {_text(change.after)}"
        id = f"{place}:{count[place]}"
        found.append(Mutant(id, rule, change.operator, file, change.line, words, name, number))
    return found


def _changes(text: Text) -> Iterator[tuple[str, str, Change]]:
    """Rule, changed function or constant, and change of each mutant."""
    for constant in text.constants:
        name = _target(constant)
        if not text.reaching(name).isdisjoint(node.name for node in text.rules):
            yield text.rule_using(name), name, _one_more(constant)
    for node in text.rules:
        rule = text.rule_of(node)
        for change in chain(expressions(node, text.value), blocks(node, text.refusal_of, text.changes_state)):
            yield change.rule or rule, node.name, change


def _text(nodes: Sequence[ast.AST]) -> str:
    return "; ".join(" ".join(ast.unparse(node).split()) for node in nodes)


def _target(node: ast.stmt) -> str:
    assert isinstance(node, ast.Assign)
    return cast(ast.Name, node.targets[0]).id


def _one_more(node: ast.stmt) -> Change:
    assert isinstance(node, ast.Assign)
    more = ast.BinOp(node.value, ast.Add(), ast.Constant(1))
    apply = functools.partial(setattr, node, "value", more)
    return Change("off-by-one", node.lineno, [node], [ast.Assign(node.targets, more, lineno=node.lineno)], apply)


def reaching(model: type[Machine], mutant: Mutant) -> frozenset[str]:
    """The functions and methods of a model that can behave differently in a mutant."""
    return Text(model).reaching(mutant.name)


# --- Loading --------------------------------------------------------------------------------------------------------


def load(model: type[Machine], mutant: Mutant | None) -> type[Machine]:
    """The machine with the change made; without a mutant, a copy of the model. `unload` it when done."""
    text = Text(model)
    if mutant is not None:
        next(islice(_changes(text), mutant.number, None))[2].apply()
    module = ModuleType(f"{model.__module__}__{'copy' if mutant is None else f'mutant_{mutant.number}'}")
    # Everything is shared but what is made anew: constants, functions, the machine.
    vars(module).update({k: v for k, v in vars(text.module).items() if not k.startswith("__")})
    again = [n for n in text.tree.body if isinstance(n, Function | ast.ImportFrom) or n in text.constants]
    tree = ast.fix_missing_locations(ast.Module([*again, text.machine], []))
    sys.modules[module.__name__] = module
    code = compile(tree, f"<{module.__name__}>", "exec", dont_inherit=True)
    exec(code, vars(module))
    return cast(type[Machine], vars(module)[model.__name__])


def unload(model: type[Machine]) -> None:
    """Forget the module of a mutant."""
    del sys.modules[model.__module__]


# --- The lock-step run ----------------------------------------------------------------------------------------------


def kill(model: type[Machine], target: Target, steps: int, seed: int) -> Kill | None:
    """Whether some of `steps` steps, drawn for the mutant `model`, tell it from the implementation: the first one.

    Raises what the target raises.
    """
    try:
        hunt = _Hunt(model, target)
    except ValueError as refused:
        return Kill("prelude", 0, str(refused))
    except Exception as error:
        return Kill("crash", 0, f"{type(error).__name__}: {error}")
    bytes_of, done = random.Random(seed).randbytes, 0
    while done < steps:
        try:
            sequence = hunt.rehearsed(bytes_of, min(SEQUENCE_STEPS, steps - done))
        except Exception as error:
            return Kill("crash", done, f"{type(error).__name__}: {error}")
        found = hunt.lockstep.run(sequence, recheck=False)
        if found is not None:
            return Kill("differential", done + found[0], _told(found[1]))
        done += len(sequence)
    return None


class _Hunt:
    def __init__(self, model: type[Machine], target: Target) -> None:
        self.lockstep = LockStep(model, target)
        self._rehearsal, self._generator = Rehearsal(model), Generator(model)

    def rehearsed(self, bytes_of: Callable[[int], bytes], length: int) -> list[Step]:
        """What the mutant makes of a sequence."""
        rehearsal, generator = self._rehearsal, self._generator
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        drawn = []
        for _ in range(length):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
            drawn.append(rehearsal.taken(call, outcome))
        return drawn


def _told(found: Divergence) -> str:
    return f"{found.rule} {found.field}: mutant {found.model[:60]}, target {found.target[:60]}"

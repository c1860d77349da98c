"""Mutants: a model with one rule changed in one place, and whether a run tells it from the implementation."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import ModuleType
from typing import cast

from marginspec.base.deadline import Budget, Overdue
from marginspec.lockstep.comparison import Divergence, LockStep
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.model_source import (
    ModelFunction,
    Patch,
    decorators,
    functions_of,
    meaning,
    modules_of,
    named,
    names_in,
    reaching,
    refusal_of,
    replacing,
    unparsed,
)
from marginspec.lockstep.rehearsal import Rehearsal, RehearsedStep
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Call, Machine, per_model
from marginspec.mutation.operators import Change, blocks, expressions
from marginspec.targets.protocol import Target


@dataclass(frozen=True)
class Mutant:
    """One change of one rule.

    id: stable as long as the operator does not apply at more places earlier in the function. rule: the ID of the rule
    that the changed text states. name: the function or constant that is changed. number: its place among the changes
    of that one.
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
    """How the run of a mutant ended before its end, after how many steps, and why.

    by: `differential` or `vector` where something was compared and differed: the mutant is killed. Else nothing was
    shown of the implementation: `prelude` where it refuses its own set-up, `crash` where it is no model that runs,
    `timed out` where it took more processor time than it may, `ended early` where it was not begun.
    """

    by: str
    steps: int
    why: str

    @property
    def compared(self) -> bool:
        """Whether mutant and implementation were seen to differ."""
        return self.by in COMPARED


COMPARED = ("differential", "vector")

MUTANT_SECONDS = 120.0
"""Of processor time that a mutant itself may take for its run; what the implementation takes is not counted."""


# --- Enumeration ------------------------------------------------------------------------------------------------------


def mutants_of(model: type[Machine]) -> list[Mutant]:
    """Every mutant of a model, in the order of its text."""
    stating = _stating(model)
    found = []
    for module in modules_of(model):
        for node in _constants(module):
            name = _name(node)
            rule = next((_rule(model, f) for f in stating if name in f.used), None)
            if rule is not None:
                found.append(_mutant(module, name, rule, _one_more(node), Counter(), 0))
        for function in stating:
            if function.module is module:
                count, rule = Counter[str](), _rule(model, function)
                found += [
                    _mutant(module, function.name, rule, change, count, number)
                    for number, change in enumerate(_changes(model, function, function.node))
                ]
    return found


def _mutant(module: ModuleType, name: str, rule: str, change: Change, count: Counter[str], number: int) -> Mutant:
    short = module.__name__.rpartition(".")[2]
    count[change.operator] += 1
    words = f"{unparsed(change.before)} -> {unparsed(change.after)}"
    id = f"{short}:{name}:{change.operator}:{count[change.operator]}"
    return Mutant(id, change.rule or rule, change.operator, _file(module), change.line, words, name, number)


def _file(module: ModuleType) -> str:
    """The file of a module, from the folder of the package."""
    return "/".join(module.__name__.split(".")[1:]) + ".py"


def _stating(model: type[Machine]) -> list[ModelFunction]:
    """The functions that state rules or are a user's actions, and those they use, in the order of the text."""
    functions = functions_of(model)
    todo = [f for f in functions.values() if decorators(f.node, "rule") or _is_user_action(f.node)]
    found = {f.name for f in todo}
    while todo:
        used = [f for f in named(model, todo.pop().used) if f.name not in found]
        found.update(f.name for f in used)
        todo += used
    return [f for f in functions.values() if f.name in found]


def _is_user_action(node: ast.FunctionDef) -> bool:
    return any("environment" not in [k.arg for k in action.keywords] for action in decorators(node, "action"))


def _rule(model: type[Machine], function: ModelFunction) -> str:
    """The rule that a function states or refuses by, or that of the first function that uses it; else its name."""
    if function.rules:
        return function.rules[0]
    users = (f for f in functions_of(model).values() if f.rules and function.name in f.used)
    return next((f.rules[0] for f in users), function.name)


def _changes(model: type[Machine], function: ModelFunction, node: ast.FunctionDef) -> Iterator[Change]:
    changing = _changing(model)
    return chain(
        expressions(node, functools.partial(meaning, model, function.module)),
        blocks(
            node, functools.partial(refusal_of, model), lambda part: _stores(part) or bool(names_in(part) & changing)
        ),
    )


@per_model
def _changing(model: type[Machine]) -> frozenset[str]:
    """The names of the functions that have an effect on the state, themselves or through others."""
    storing = [function.name for function in functions_of(model).values() if _stores(function.node)]
    return frozenset[str]().union(*(reaching(model, name) for name in storing))


def _stores(node: ast.AST) -> bool:
    """Whether a part of the text has an effect on the state itself."""
    return any(
        isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store) for part in ast.walk(node)
    )


# --- Constants --------------------------------------------------------------------------------------------------------


def _constants(module: ModuleType) -> list[ast.Assign]:
    """Arithmetic on numbers: `WAD = 10**18`."""
    return [node for node in _parsed(module).body if isinstance(node, ast.Assign) and _is_constant(node)]


@functools.cache
def _parsed(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _is_constant(node: ast.Assign) -> bool:
    return not any(
        isinstance(part, ast.Call | ast.Subscript | ast.Tuple | ast.List | ast.Dict)
        or (isinstance(part, ast.Constant) and not isinstance(part.value, int))
        for part in ast.walk(node.value)
    )


def _name(node: ast.Assign) -> str:
    return cast(ast.Name, node.targets[0]).id


def _one_more(node: ast.Assign) -> Change:
    after = copy.deepcopy(node)
    after.value = ast.BinOp(node.value, ast.Add(), ast.Constant(1))
    return Change("off-by-one", node.lineno, [node], [after], lambda: None)


# --- Patches ----------------------------------------------------------------------------------------------------------


def patches_of(model: type[Machine], mutant: Mutant) -> list[Patch]:
    """What makes the model this mutant, while `text.installed`."""
    module = next(module for module in modules_of(model) if _file(module) == mutant.file)
    function = functions_of(model).get((str(module.__file__), mutant.name))
    if function is None:
        return list(_constant_patches(model, module, mutant.name))
    node = copy.deepcopy(function.node)
    next(islice(_changes(model, function, node), mutant.number, None)).apply()
    return list(replacing(function, node))


def _constant_patches(model: type[Machine], module: ModuleType, changed: str) -> Iterator[Patch]:
    """Another value of a constant, and of those that are defined by it."""
    scope = dict(vars(module))
    for node in _constants(module):
        made = _one_more(node).after if _name(node) == changed else [node]
        tree = ast.fix_missing_locations(ast.Module([cast(ast.stmt, part) for part in made], []))
        exec(compile(tree, f"<another {changed}>", "exec"), scope)
        name, old = _name(node), vars(module)[_name(node)]
        if scope[name] != old:
            yield from ((place, name, scope[name]) for place in texts_of(model) if vars(place).get(name) == old)


# --- The lock-step run ----------------------------------------------------------------------------------------------


def kill(
    model: type[Machine],
    target: Target,
    steps: int,
    seed: int,
    runs: Sequence[Sequence[Call]] = (),
    seconds: float = MUTANT_SECONDS,
) -> Kill | None:
    """Whether one of `steps` steps, drawn for a model that is now a mutant, tells it from the implementation.

    runs: calls from genesis that are tried after them. seconds: of processor time for the mutant. Raises what the
    target raises.
    """
    budget, done = Budget(seconds), 0
    try:
        with budget.spent():
            hunt = _Attempts(model, target)
    except ValueError as refused:
        return Kill("prelude", 0, str(refused))
    except (Exception, Overdue) as error:
        return _ended(error, 0, seconds)
    bytes_of = random.Random(seed).randbytes
    for by, drawn in chain(
        (("differential", None) for _ in range(-(-steps // SEQUENCE_STEPS))), (("vector", calls) for calls in runs)
    ):
        try:
            with budget.spent():
                length = min(SEQUENCE_STEPS, steps - done)
                sequence = hunt.rehearsed(bytes_of, length) if drawn is None else hunt.rehearsal.run(drawn)
        except (Exception, Overdue) as error:
            return _ended(error, done, seconds)
        found = hunt.lockstep.run(sequence, recheck=False)
        if found is not None:
            return Kill(by, done + found[0], _told(found[1]))
        done += len(sequence)
    return None


def _ended(error: BaseException, done: int, seconds: float) -> Kill:
    if isinstance(error, Overdue):
        return Kill("timed out", done, f"no end after {seconds:.0f} s of its own")
    return Kill("crash", done, f"{type(error).__name__}: {error}")


class _Attempts:
    def __init__(self, model: type[Machine], target: Target) -> None:
        self.lockstep = LockStep(model, target)
        self.rehearsal, self._generator = Rehearsal(model), Generator(model)

    def rehearsed(self, bytes_of: Callable[[int], bytes], length: int) -> list[RehearsedStep]:
        """What the mutant makes of a sequence."""
        rehearsal, generator = self.rehearsal, self._generator
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        drawn = []
        for _ in range(length):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
            drawn.append(rehearsal.taken(call, outcome))
        return drawn


def _told(found: Divergence) -> str:
    return f"{found.rule} {found.field}: mutant {found.model[:60]}, target {found.target[:60]}"

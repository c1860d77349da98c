"""Where the code of a function or class is, as a syntax tree, and whether that text is what runs."""

from __future__ import annotations

import ast
import dataclasses
import sys
import sysconfig
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, get_origin

from marginspec.model import kernel
from marginspec.model.kernel.record import Record
from marginspec.properties import law
from marginspec.prover.subset.rules import TRUSTED

KERNEL, LAWS = Path(str(kernel.__file__)).parent, Path(str(law.__file__)).parent

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class PythonFile:
    """A file of Python: its tree, and code and definition of every function in it by qualified name and first line."""

    file: str
    tree: ast.Module
    codes: dict[tuple[str, int], list[CodeType]] = field(default_factory=dict)
    definitions: dict[tuple[str, int], list[Definition]] = field(default_factory=dict)
    classes: dict[str, list[ast.ClassDef]] = field(default_factory=dict)

    def definition(self, code: CodeType) -> Definition | None:
        """The definition whose code is this, None where the text says something else or does not tell which it is."""
        place = code.co_qualname, code.co_firstlineno
        codes, definitions = self.codes.get(place, []), self.definitions.get(place, [])
        return definitions[0] if len(definitions) == 1 and codes == [code] else None


@cache
def source_of(file: str) -> PythonFile | None:
    """The source in a file, None where there is none."""
    try:
        with tokenize.open(file) as text:
            content = text.read()
        tree = ast.parse(content, file)
        source = PythonFile(file, tree)
        _codes(source, compile(tree, file, "exec", dont_inherit=True))
    except (OSError, SyntaxError, ValueError):
        return None
    _definitions(source, tree.body, "", "lambda" in content)
    return source


def _codes(source: PythonFile, code: CodeType) -> None:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            source.codes.setdefault((constant.co_qualname, constant.co_firstlineno), []).append(constant)
            _codes(source, constant)


def _definitions(source: PythonFile, nodes: Iterable[ast.AST], prefix: str, lambdas: bool) -> None:
    """Find all definitions below some nodes, whose names begin with a prefix. lambdas: expressions may hold some."""
    for node in nodes:
        if not lambdas and isinstance(node, ast.expr):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
            name = f"{prefix}{'<lambda>' if isinstance(node, ast.Lambda) else node.name}"
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            source.definitions.setdefault((name, first), []).append(node)
            _definitions(source, [*decorators, node.args], prefix, lambdas)
            body = [node.body] if isinstance(node, ast.Lambda) else node.body
            _definitions(source, body, f"{name}.<locals>.", lambdas)
        elif isinstance(node, ast.ClassDef):
            source.classes.setdefault(f"{prefix}{node.name}", []).append(node)
            _definitions(source, [*node.decorator_list, *node.bases, *node.keywords], prefix, lambdas)
            _definitions(source, node.body, f"{prefix}{node.name}.", lambdas)
        else:
            _definitions(source, ast.iter_child_nodes(node), prefix, lambdas)


def is_trusted(module: str | None) -> bool:
    """Whether a module is the kernel's, or that of laws."""
    return module is not None and any(module == name or module.startswith(f"{name}.") for name in TRUSTED)


@cache
def _is_trusted_file(name: str) -> bool:
    path = Path(name)
    return path.is_relative_to(KERNEL) or (path.parent == LAWS and f"marginspec.properties.{path.stem}" in TRUSTED)


def trusted_code(code: CodeType) -> bool:
    """Whether code is that of a trusted module."""
    return _is_trusted_file(code.co_filename)


@cache
def _installed() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def is_installed(file: str) -> bool:
    """Whether a file is Python's own or of an installed package."""
    return any(Path(file).resolve().is_relative_to(folder) for folder in _installed())


@cache
def is_own(module: str) -> bool:
    """Whether a module is one in which models and laws may be written: it has a source, and is no library."""
    if is_trusted(module):
        return False
    if module.partition(".")[0] == "marginspec":
        return module.startswith(("marginspec.model.", "marginspec.properties.", "marginspec.systems.template."))
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or not file.endswith(".py"):
        return False
    return not is_installed(file)


def is_own_code(code: CodeType, module: str) -> bool:
    """Whether code is that of a model or law. module: what the code's globals call themselves."""
    return not trusted_code(code) and is_own(module)


def is_data(kind: Any) -> bool:
    """Whether a class holds values: a record, or a dataclass without another base that laws use for their own."""
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return False
    return issubclass(kind, Record) or ("__dataclass_fields__" in vars(kind) and is_own(kind.__module__))


def methods_of(kind: type) -> dict[str, list[FunctionType]]:
    """The functions that a class defines, without those that `dataclass` made."""
    found = {name: written_in(value) for name, value in vars(kind).items() if not _is_made(name, value)}
    return {name: functions for name, functions in found.items() if functions}


def written_in(member: Any) -> list[FunctionType]:
    """The functions whose text a member of a class is: what the kernel's decorators wrap, not what they are told."""
    if isinstance(member, classmethod | staticmethod):
        return written_in(member.__func__)
    if isinstance(member, property):
        return [f for part in (member.fget, member.fset, member.fdel) for f in written_in(part)]
    if not isinstance(member, FunctionType):
        return []
    held = list(functions_in(member))
    while trusted_code(member.__code__) and isinstance(inner := getattr(member, "__wrapped__", None), FunctionType):
        member = inner
    return [member] if trusted_code(member.__code__) or member in held else []


def _is_made(name: str, value: Any) -> bool:
    """Whether `dataclass` made a method."""
    if not name.startswith("__") or not isinstance(value, FunctionType):
        return False
    return value.__code__.co_filename in ("<string>", dataclasses.__file__)


def functions_in(thing: Any, seen: set[int] | None = None) -> Iterator[FunctionType]:
    """The functions that a wrapper of a trusted module holds, or the function itself where it is none."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, FunctionType):
        if not trusted_code(thing.__code__):
            yield thing
            return
        for cell in thing.__closure__ or ():
            yield from functions_in(cell.cell_contents, seen)
        yield from functions_in(getattr(thing, "__wrapped__", None), seen)
        for note in vars(thing).values():
            yield from functions_in(note, seen)
    elif isinstance(thing, tuple | list):
        for part in thing:
            yield from functions_in(part, seen)
    elif isinstance(thing, classmethod | staticmethod):
        yield from functions_in(thing.__func__, seen)
    elif isinstance(thing, property):
        yield from functions_in((thing.fget, thing.fset, thing.fdel), seen)
    elif is_trusted(type(thing).__module__) and hasattr(thing, "__dict__") and not isinstance(thing, type):
        yield from functions_in(tuple(vars(thing).values()), seen)

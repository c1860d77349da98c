"""A model with one line of its text changed."""

from __future__ import annotations

import ast
from contextlib import AbstractContextManager

from marginspec.lockstep.model_source import functions_of, installed, replacing
from marginspec.model.kernel.machine import Machine


def wrong_line(model: type[Machine], name: str, old: str, new: str) -> AbstractContextManager[None]:
    """Within, the only function of a name has other text. old: what stands there once, as `ast.unparse` prints it."""
    (function,) = (each for (_, each_name), each in functions_of(model).items() if each_name == name)
    text = ast.unparse(function.node)
    assert text.count(old) == 1, text
    (node,) = ast.parse(text.replace(old, new)).body
    assert isinstance(node, ast.FunctionDef)
    return installed(list(replacing(function, node)))

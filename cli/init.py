"""`init`: a system of one's own to begin with, small and complete, in a new folder."""

from __future__ import annotations

import importlib.util
import io
import keyword
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.errors import BadInput
from marginspec.base.files import write_whole
from marginspec.base.process import HOLDS, Output, emit
from marginspec.cli.options import Json, NoChance
from marginspec.systems.registry import NAMES

SCAFFOLD = Path(__file__).parents[1] / "systems" / "template"

# The system that the scaffold is: its name gives way to the user's, in texts and in names of files.
PLACEHOLDER = "strongbox"

FILES = {
    "README.md": "what is where, what to do next",
    "spec.md": "the rules in words, each with its number",
    "model.py": "the same rules as Python on integers",
    "laws.py": "what is claimed of them",
    f"contracts/{PLACEHOLDER}.vy": "the implementation",
    "contracts/token.vy": "the token that it keeps",
    "adapter.py": "how the model's actions become calls of the contracts",
    "system.py": "all of it under one name",
    f"test_{PLACEHOLDER}.py": "for pytest",
    "spec.equivalent.toml": "changes to the model that change nothing, for `mutate`",
    "__init__.py": "makes the folder a package",
}
"""In the order in which to read them."""


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower case letters, digits and underscores.")],
    as_json: Json = False,
    seed: NoChance = 1,
) -> int:
    """Write a system of your own to begin with: rules, model, laws, contract, adapter and test, in a new folder NAME.

    Begin: marginspec init vault

    It runs at once: marginspec check vault

    Then change it, rule by rule, into the protocol that you have before you; docs/tutorial.md does so step by step.
    Every verb takes the folder of a system in the place of a name.

    Exit code 0: written. 2: the name will not do, or there is something of this name; then nothing is written.
    """
    texts = {_named(file, name): _named((SCAFFOLD / file).read_text(encoding="utf-8"), name) for file in FILES}
    folder = Path(name)
    for problem in _problems(name, folder):
        raise BadInput(f"init {name!r}: {problem}")
    for file, text in texts.items():
        write_whole(folder / file, text)
    files = [f"{name}/{file}" for file in texts]
    if as_json:
        emit({"schema": "marginspec/init/1", "system": name, "files": files})
        return HOLDS
    console, width = Output(), max(map(len, files))
    for file, what in zip(files, FILES.values(), strict=True):
        console.print(f"  {file:{width}}  {what}")
    console.print(f"next: marginspec check {name}")
    return HOLDS


def _problems(name: str, folder: Path) -> Iterator[str]:
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        yield "a Python package is to have this name: lower case letters, digits and underscores, a letter first"
    elif name in NAMES:
        yield "a system of this name comes with marginspec: choose another"
    elif folder.exists() or folder.is_symlink():
        yield "there is a file or folder of this name, which is left as it is: choose another, or move it away"
    elif importlib.util.find_spec(name) is not None:
        yield "a Python package of this name is installed: choose another"
    elif _camel(name) == name.upper():
        yield "its class would be called like its constant: choose a longer name"
    elif taken := sorted(_names() & {name, _camel(name), name.upper()}):
        yield f"the scaffold uses the name {taken[0]} for something else: choose another"


def _names() -> set[str]:
    """All names in the scaffold's code, the placeholder's aside."""
    found = set()
    for file in FILES:
        if file.endswith(".py"):
            text = (SCAFFOLD / file).read_text(encoding="utf-8")
            tokens = tokenize.generate_tokens(io.StringIO(text).readline)
            found |= {token.string for token in tokens if token.type == tokenize.NAME}
        elif file.endswith(".vy"):
            found |= set(re.findall(r"\w+", (SCAFFOLD / file).read_text(encoding="utf-8"))) | {Path(file).stem}
    return {name for name in found if PLACEHOLDER not in name.lower()}


def _named(text: str, name: str) -> str:
    """A text of the scaffold, of the system that is called so."""
    for old, new in ((PLACEHOLDER, name), (_camel(PLACEHOLDER), _camel(name)), (PLACEHOLDER.upper(), name.upper())):
        text = text.replace(old, new)
    return text


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))

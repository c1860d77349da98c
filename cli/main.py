"""`marginspec`: the verbs. Results go to standard output, progress to standard error, verdicts into the exit code.

A verb is a file of this folder, with a function of its name. It is imported when it is asked for: what all verbs need
together takes a second to load.
"""

from __future__ import annotations

import ast
import importlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

VERBS = {
    "Verdicts": (
        "check",
        "prove",
        "fuzz",
        "equivalence",
        "vectors",
        "mutate",
        "diff",
        "audit",
        "bounds",
        "simulate",
        "campaign",
        "margin",
    ),
    "Counterexamples": ("replay", "export", "report"),
    "Systems": ("rules", "init", "config"),
}
"""The verbs in the groups of `marginspec --help`."""

SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class Verbs(TyperGroup):
    """The verbs as commands, each loaded when it is run. The help needs only what the files say of themselves."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all verbs, in the order of the help."""
        return [verb for verbs in VERBS.values() for verb in verbs]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return what the help shows of a verb, None where there is no such verb."""
        group = next((group for group, verbs in VERBS.items() if cmd_name in verbs), None)
        if group is None:
            return None
        return TyperCommand(cmd_name, help=_told(cmd_name), rich_markup_mode="rich", rich_help_panel=group)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that arguments begin with, loaded; what follows is for the verb."""
        name, _, rest = super().resolve_command(ctx, args)
        assert name is not None, "the first argument names a verb"
        loaded = typer.Typer(rich_markup_mode="rich", context_settings=SETTINGS, add_completion=False)
        loaded.command(name)(getattr(importlib.import_module(f"marginspec.cli.{name}"), name))
        return name, typer.main.get_command(loaded), rest

    def invoke(self, ctx: Any) -> Any:
        """Run a verb; an error in a file of a system of one's own is bad input, with its line."""
        from marginspec.systems.user_system import blaming

        return blaming(lambda: super(Verbs, self).invoke(ctx))


def _told(verb: str) -> str:
    """The docstring of a verb's function, without running its file."""
    text = Path(__file__).with_name(f"{verb}.py").read_text(encoding="utf-8")
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == verb)
    return ast.get_docstring(next(functions)) or ""


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings=SETTINGS,
    help="Prove a venue's margin rules and hold its implementation to them. Begin with `marginspec check`.\n\n"
    "Exit codes: 0 holds, 1 counterexample or divergence, 2 bad input, 3 incomplete, 4 the target failed.",
)


def _version(asked: bool) -> None:
    if asked:
        print(f"marginspec {version('marginspec')}")
        raise typer.Exit


@app.callback()
def marginspec(
    shown: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before every verb; what is said of it is in `app`."""


def run() -> object:
    """Run the verb that the command line says; its exit code."""
    return app(standalone_mode=False)

"""`marginspec audit`: the live book of a deployment against the model."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from marginspec.base.errors import BadInput
from marginspec.base.process import VERDICTS, Output, emit, progress
from marginspec.cli.options import DEFAULT, Budget, Json, Seed, SystemName
from marginspec.report.audit import show_audit
from marginspec.results.book_reading import audit_document
from marginspec.systems.registry import system
from marginspec.systems.sample import sample_book
from marginspec.systems.system import System
from marginspec.targets.evm.book import Report

STATES = Path("out") / "audit"


def audit(
    name: SystemName = DEFAULT,
    target: Annotated[
        str,
        typer.Option(
            help="The URL of a node: it is only read, so it may be of any chain. Or anvil: a book generated here."
        ),
    ] = "anvil",
    address: Annotated[str | None, typer.Option(help="The deployment to read.")] = None,
    block: Annotated[int | None, typer.Option(min=0, help="At which block; the latest when not given.")] = None,
    from_block: Annotated[int, typer.Option(min=0, help="Look for events from this block on.")] = 0,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where answers are kept, to go on after an interruption; see out/audit/."),
    ] = None,
    closest: Annotated[int, typer.Option(min=0, help="List so many accounts, those closest to liquidation.")] = 10,
    accounts: Annotated[int | None, typer.Option(min=20, help="How large a book to generate, for anvil.")] = None,
    budget: Budget = None,
    as_json: Json = False,
    seed: Seed = 1,
) -> int:
    """Read all accounts of a deployment at a block: health, invariants, bad debt, and whether the contract agrees.

    See it work, on a generated book: marginspec audit morpho-blue

    A deployment: marginspec audit morpho-blue --target https://HOST --address 0x… --block N --from-block 18883124

    Nothing is sent but questions. What was answered is kept: the same command goes on after an interruption.

    Parameters and prices in storage are judged by the safety bounds of the specification. Totals are compared with the
    sum of what was read: what is missing is named, and so is that events before --from-block were not read.

    Exit code 0: model and contract agree, every invariant and every bound holds. 1: not. 3: something could not be
    evaluated, or is missing. 4: the node failed. Bad debt and accounts close to liquidation are information, no
    verdict.
    """
    chosen = system(name)
    if chosen.book is None:
        raise BadInput(f"audit {name}: nobody has said how to read a book of it: its system names no `book`")
    with _node(chosen, target, address, accounts, seed) as (url, deployed, folder), _Stages() as report:
        document = audit_document(chosen, url, deployed, block, from_block, state, folder, closest, report)
    if target == "anvil":
        document |= {"target": "anvil", "state": None if state is None else str(state)}
    if as_json:
        emit(document)
    else:
        show_audit(document, Output())
    return next(code for code, verdict in VERDICTS.items() if verdict == document["verdict"])


@contextlib.contextmanager
def _node(
    chosen: System, target: str, address: str | None, accounts: int | None, seed: int
) -> Iterator[tuple[str, str, Path]]:
    """URL of the node, address of the deployment, and a folder for its answers."""
    if "://" in target:
        if address is None:
            raise BadInput(f"--address: which contract is it? give the address of {chosen.name} at the node")
        if accounts is not None:
            raise BadInput("--accounts: a book is generated for --target anvil, nowhere else")
        yield target, address, STATES
        return
    if target != "anvil":
        raise BadInput(f"--target {target!r}: an audit reads a node; give its URL, or anvil for a generated book")
    if address is not None:
        raise BadInput("--address: --target anvil generates a book of its own; give the URL of the node instead")
    if chosen.sample is None:
        raise BadInput("--target anvil: its system names no `sample`, by which to generate a book; give a node's URL")
    size = chosen.sample.size if accounts is None else accounts
    with sample_book(chosen.sample, size, seed) as (url, deployed), tempfile.TemporaryDirectory() as folder:
        yield url, deployed, Path(folder)


class _Stages:
    """Progress of a reading, one bar or line after another."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._what = ""
        self._advance: Callable[..., None] = lambda *_: None

    def __enter__(self) -> Report:
        return self._report

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _report(self, what: str, done: int, total: int) -> None:
        if what != self._what:
            self._stack.close()
            self._advance = self._stack.enter_context(progress(f"reading {what}", total))
            self._what = what
        self._advance(done, total)

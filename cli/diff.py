"""`diff`: what an upgrade changes, for whom, shown on the smallest account; and whom new parameters hit."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from marginspec.base.errors import BadInput
from marginspec.base.files import write_whole
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS, Output, emit
from marginspec.base.text import printable
from marginspec.cli.options import Budget, Json, Seed, Steps
from marginspec.lockstep.trace import trace_of
from marginspec.report.upgrade import show_diff
from marginspec.results.differences import upgrade_document
from marginspec.results.equivalence import equal_in_both
from marginspec.runs.equivalence import decide_both, shown_by
from marginspec.runs.traces import how_to_repeat, kept
from marginspec.systems.registry import system
from marginspec.systems.system import System, opened
from marginspec.targets.evm.artifact import Candidate, candidates
from marginspec.targets.evm.deployed import DEPLOYMENT, deployed
from marginspec.targets.protocol import build_of
from marginspec.upgrade.comparison import Difference
from marginspec.upgrade.intended import Intended, read_intended
from marginspec.upgrade.parameters import book_document

SHIPPED = "shipped"
DEPLOYED = Path("out") / "deployed"

WHAT = (
    "shipped, NAME=FILE for a build, NAME=0xADDRESS@URL for a contract that is deployed (it is only read), several of "
    "them with commas between, or the URL of a local node to run on. Or a parameter file of the reference venue."
)
BOOK = (
    "CSV with a line of names, or JSON with prices and accounts. Names are account, cash (USD), an asset (how much of "
    "it is collateral), a market (signed size) and MARKET entry (the price of opening, USD); numbers are decimals. See "
    "examples/book.csv."
)
Base = Annotated[str, typer.Argument(metavar="BASE", help=f"The implementation before: {WHAT}")]
Head = Annotated[str, typer.Argument(metavar="HEAD", help="The implementation after, likewise.")]


def diff(
    name: Annotated[str, typer.Argument(metavar="SYSTEM", help="Which system is upgraded.")],
    base: Base,
    head: Head,
    intended: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A TOML file of intended changes, tables intended with rule, effect and reason."
        ),
    ] = None,
    book: Annotated[
        Path | None, typer.Option(metavar="FILE", help=f"Accounts to judge by two parameter files: {BOOK}")
    ] = None,
    price: Annotated[
        list[str] | None, typer.Option(metavar="ASSET=USD", help="A price for the book. May be repeated.")
    ] = None,
    steps: Steps = 20_000,
    seed: Seed = 1,
    prove: Annotated[
        bool, typer.Option("--prove", help="Also prove of both builds, action by action, that they are the model.")
    ] = False,
    budget: Budget = None,
    as_json: Json = False,
) -> int:
    """Compare two implementations and the model, three ways: which rules an upgrade changes, for whom, and how.

    A candidate build: marginspec diff morpho-blue shipped Morpho=out/Morpho.sol/Morpho.json

    Two builds, with what is meant to change: marginspec diff morpho-blue Morpho=v1.json Morpho=v2.json --intended
    intended.toml

    Whom new parameters make liquidatable: marginspec diff reference spec/presets/balanced.toml
    spec/presets/conservative.toml --book examples/book.csv --price ETH=2000 --price BTC=40000

    What is meant to change, in the words in which it is shown: [[intended]] rule = "LIQ-5" effect = "stricter for the
    user" reason = "…", and change = "…" where one effect of a rule has several. No declaration covers an account that
    becomes bankrupt, nor a parameter file that violates a safety bound.

    Compared are calls drawn at random; where these show no difference the conformance vectors too, which are made once,
    in a minute or two. An interrupted comparison of two builds goes on where it stopped. Each difference is traced to a
    rule, shrunk, and written to out/traces/. What both have in common is not judged: check does that. With --prove, of
    an action that is proved equal to the model in both it is said without a limit that there is no difference.

    Exit code 0: no difference, or only intended ones. 1: a difference that is not declared. 2: also when something is
    declared that did not change. 3: the run was ended before it was done, and no difference was seen until then.
    """
    chosen = system(name)
    declared = {} if intended is None else read_intended(intended, chosen)
    if prove and any(side.endswith(".toml") or ("://" in side and "=" not in side) for side in (base, head)):
        raise BadInput("--prove goes with two builds")
    if base.endswith(".toml") and head.endswith(".toml"):
        document = book_document(chosen.name, Path(base), Path(head), book, price or [], declared)
    else:
        if book is not None or price:
            raise BadInput("--book and --price go with two parameter files (.toml) as BASE and HEAD")
        document = _upgrade(chosen, base, head, steps, seed, declared, prove)
    if as_json:
        emit(document)
    else:
        show_diff(document, Output())
    if document["verdict"] == VERDICTS[BROKEN]:
        return BROKEN
    if vain := document["stale"]:
        raise BadInput(f"{intended}: {vain[0]} is declared and did not change: take it out, or look longer (--steps)")
    return INCOMPLETE if document.get("ended") else HOLDS


def _upgrade(
    chosen: System, base: str, head: str, steps: int, seed: int, declared: Intended, prove: bool
) -> dict[str, Any]:
    """Compare, keep a trace of each difference, and describe."""
    sides = {name: implementation(chosen, side) for name, side in (("base", base), ("head", head))}
    proofs = decide_both(chosen, {name: side.builds for name, side in sides.items()}) if prove else {}
    shown = [calls for proof in proofs.values() for calls in shown_by(chosen, proof)]
    taken = set[str]()

    def keep(found: Difference) -> dict[str, Any]:
        parting = found.parting
        side, built = (sides["base"], before) if parting.departs == "base" else (sides["head"], after)
        trace = trace_of(chosen.model, side.name, seed, parting.calls, parting.divergence, build_of(built))
        (file,) = kept(chosen, [trace])
        own = re.sub("[^A-Za-z0-9]+", "-", f"{chosen.name}-diff-{parting.departs}-{found.rules[0]}")
        name = next(name for n in itertools.count(1) if (name := own if n == 1 else f"{own}-{n}") not in taken)
        taken.add(name)
        file = file.replace(file.with_name(f"{name}.json")) if file.exists() else file
        return {"trace": str(file), **how_to_repeat(chosen, trace, file, side.target, side.builds)}

    base_side, head_side = (opened(chosen, side.target, side.builds) for side in sides.values())
    with base_side as before, head_side as after:
        named = {"base": base, "head": head}
        document = upgrade_document(chosen, named, before, after, steps, seed, declared, keep, shown)
    return document | ({"equivalence": proofs, "equal": equal_in_both(proofs)} if proofs else {})


class Side(NamedTuple):
    """BASE or HEAD: what it is called, and `--target` and `--artifact` of what that names."""

    name: str
    target: str
    builds: Sequence[Candidate] = ()


def implementation(chosen: System, side: str) -> Side:
    """What BASE or HEAD names; BadInput for what cannot be meant."""
    if side == SHIPPED:
        return Side(side, "embedded")
    if "=" in side:
        return Side(side, "embedded", candidates([_build(chosen, part) for part in side.split(",")]))
    if "://" in side:
        return Side(side, side)
    raise BadInput(f"{printable(side, 100)!r}: expected {SHIPPED}, NAME=FILE, NAME=0xADDRESS@URL, or two .toml files")


def _build(chosen: System, part: str) -> str:
    """`NAME=FILE`; of a deployed contract, with the file to which it is written."""
    found = DEPLOYMENT.fullmatch(part)
    if found is None:
        return part
    name, address = found["name"], found["address"].lower()
    shipped = chosen.contracts() if chosen.contracts else {}
    if name not in shipped:
        known = ", ".join(shipped) or "no contracts that can be read from a node"
        raise BadInput(f"{printable(part, 100)}: {chosen.name} has {known}")
    read = deployed(found["url"], address, shipped[name])
    file = DEPLOYED / f"{name}-{address}.json"
    write_whole(file, json.dumps({"abi": read.abi, "bytecode": "0x" + read.bytecode.hex()}) + "\n")
    return f"{name}={file}"

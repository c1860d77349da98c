"""What the verbs are given: well-formed files of every kind, and the command lines that read them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from marginspec.base.package import ROOT
from marginspec.conformance import vectors
from marginspec.conformance.selection import Chosen
from marginspec.lockstep import chunk_file
from marginspec.lockstep.campaign import run
from marginspec.lockstep.chunks import alone
from marginspec.lockstep.trace import SCHEMA, Trace, digest_of, document, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.mutation import planted
from marginspec.results.run_files import _validator, kinds
from marginspec.runs import campaign
from marginspec.systems.morpho_blue.adapter import shipped_contracts
from marginspec.systems.registry import shipped
from marginspec.systems.system import opened
from marginspec.targets.evm.artifact import Artifact, candidates
from marginspec.targets.evm.build import package

RECORDINGS = ROOT / "tests" / "recordings"
PRESETS = ROOT / "spec" / "presets"

BUG = "supply-rounds-shares-up"
"""One that a few hundred steps show."""

SETTINGS = """[tool.marginspec]
steps = 3
seed = 7
require-reach = true
min-laws = 1
max-declared = 2
min-mutation-score = 95.5
allow-unmodelled = ["Morpho.sweep(address)", "Morpho.f()"]
"""

INTENDED = """[[intended]]
rule = "LIQ-5"
effect = "stricter for the user"
reason = "a wider margin"
change = "initial margin"
"""

BOOK = {
    "prices": {"ETH": "2000", "BTC": "40000"},
    "accounts": [
        {"account": "maker", "cash": "250000", "ETH": "40", "ETH-PERP": "-55", "ETH-PERP entry": "1987.5"},
        {"account": "trader", "cash": "1200", "BTC": "1.5"},
    ],
}

SUPPLY = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
CALLS = [Call("supply", SUPPLY), Call("supply", SUPPLY)]

ANSWERS = [
    {"name": "service", "actions": ["supply", "borrow"], "observations": ["markets[A].total_supply_assets"]},
    {},
    {"outcome": "accepted", "returns": ["7", "7000000"], "changed": {}},
    {"observations": {"markets[A].total_supply_assets": "7"}},
    {"outcome": "rejected", "reason": "SUP-1"},
]

SERVICE = """import json, sys
answers = json.load(open(sys.argv[1]))
for line, answer in zip(sys.stdin, answers):
    print(answer if isinstance(answer, str) else json.dumps(answer), flush=True)
"""

DIFF = ("diff", "reference", str(PRESETS / "balanced.toml"), str(PRESETS / "conservative.toml"))
PRICES = ("--price", "ETH=2000", "--price", "BTC=40000")


@dataclass(frozen=True)
class Input:
    """A file, under the name by which commands have it, and these commands. beside: other files that they read.

    weight: how often it is drawn. code: with which every command has to end, whatever is damaged, if there is one.
    """

    name: str
    content: bytes
    commands: tuple[tuple[str, ...], ...]
    beside: Mapping[str, bytes] = field(default_factory=dict)
    weight: int = 4
    code: int | None = None

    def file(self, damaged: bytes) -> bytes:
        """What is written, once the content is damaged."""
        return damaged


@dataclass(frozen=True)
class Decoration(Input):
    """The fields of an object that decide nothing. decisive: the others, which are never damaged."""

    decisive: Mapping[str, Any] = field(default_factory=dict)

    def file(self, damaged: bytes) -> bytes:
        try:
            found = json.loads(damaged)
        except (ValueError, RecursionError):
            found = None
        return _json({**(found if isinstance(found, dict) else {"metadata": found}), **self.decisive})


@dataclass(frozen=True)
class Sealed(Input):
    """A file that has a digest, which whoever changes it works out anew."""

    def file(self, damaged: bytes) -> bytes:
        with contextlib.suppress(ValidationError, RecursionError):
            told = chunk_file.ChunkFile.model_validate_json(damaged)
            told.digest = chunk_file.digest_of_chunk(told)
            return told.model_dump_json().encode()
        return damaged


def inputs() -> dict[str, Input]:
    """Every kind by its name."""
    return {kind: found for make in MAKERS for kind, found in make()}


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


# --- Builds -----------------------------------------------------------------------------------------------------------


def _of_build(build: Artifact) -> dict[str, Any]:
    """As Foundry writes it, with a source map in which every function has a stretch."""
    text = _source()
    places = ";".join(f"{found.start()}:5:4:-:0" for found in re.finditer(rb"\bfunction\s+\w+\s*\(", text))
    return {
        "abi": build.abi,
        "bytecode": {"object": f"0x{build.bytecode.hex()}"},
        "deployedBytecode": {"sourceMap": places},
        "metadata": {"settings": {"compilationTarget": {"src/Morpho.sol": "Morpho"}}},
        "id": 4,
    }


def _source() -> bytes:
    return (package("@morpho-org/morpho-blue") / "src" / "Morpho.sol").read_bytes()


def _artifacts() -> Iterator[tuple[str, Input]]:
    morpho = shipped_contracts()["Morpho"]
    given = ("--artifact", "Morpho=Morpho.json")
    beside = {"trace.json": _json(_trace(None)), "src/Morpho.sol": _source()}
    outputs = ("--junit", "out/junit.xml", "--sarif", "out/x.sarif", "--summary", "out/summary.md")
    commands = (
        ("fuzz", "morpho-blue", "--steps", "3", *given),
        ("fuzz", "morpho-blue", "--steps", "3", "--laws-only", *given),
        ("check", "morpho-blue", "--steps", "3", *outputs, *given),
        ("replay", "trace.json", *given),
        ("export", "trace.json", "--out", "out", *given),
    )
    forms = {
        "artifact": _of_build(morpho),
        "standard output": {
            "contracts": {"src/Morpho.sol": {"Morpho": {"abi": morpho.abi, "evm": {"bytecode": _code(morpho)}}}},
            "sources": {"src/Morpho.sol": {"id": 4}},
        },
        "combined": {"contracts": {"src/Morpho.sol:Morpho": {"abi": morpho.abi, "bin": morpho.bytecode.hex()}}},
        "manifest": {
            "contractTypes": {"Morpho": {"abi": morpho.abi, "deploymentBytecode": {"bytecode": _hex(morpho)}}}
        },
    }
    for form, content in forms.items():
        yield form, Input("Morpho.json", _json(content), commands, beside, 8 if form == "artifact" else 2)
    (bug,) = (each for each in planted.load("morpho-blue") if each.id == BUG)
    broken = _of_build(planted.build(bug)["Morpho"])
    verbs = (("check", "morpho-blue", "--steps", "400", *outputs, *given),)
    yield "broken build", Input("Morpho.json", _json(broken), verbs, beside, 3)
    # What only shows where a finding stands must neither change nor lose it.
    decisive = {name: broken.pop(name) for name in ("abi", "bytecode")}
    yield "source map", Decoration("Morpho.json", _json(broken), verbs, beside, 3, 1, decisive)


def _code(build: Artifact) -> dict[str, str]:
    return {"object": build.bytecode.hex()}


def _hex(build: Artifact) -> str:
    return f"0x{build.bytecode.hex()}"


# --- Traces -----------------------------------------------------------------------------------------------------------


def _traced() -> Trace:
    return trace_of(MorphoBlue, "embedded", 1, CALLS, None)


def _trace(divergence: dict[str, str] | None) -> dict[str, Any]:
    return {**document(MorphoBlue, _traced()), "divergence": divergence}


def _traces() -> Iterator[tuple[str, Input]]:
    commands = (("replay", "t.json"), ("export", "t.json", "--out", "out"), ("report", "t.json", "--out", "out/r.html"))
    yield "trace", Input("t.json", _json(_trace(None)), commands)
    shown = {"rule": "supply", "field": "returns", "model": "(7, 7)", "target": "(7, 8)"}
    yield "trace of a divergence", Input("t.json", _json(_trace(shown)), commands)
    reference = shipped("reference")
    calls = [Call("advance_time", {"seconds": 60}), Call("advance_time", {"seconds": 9})]
    told = document(reference.model, trace_of(reference.model, "embedded", 1, calls, None))
    yield "trace of the reference venue", Input("t.json", _json(told), commands)
    key = f"{SCHEMA} {MorphoBlue.system} {digest_of(MorphoBlue)}".encode()
    name = f"corpus/{hashlib.sha384(key).hexdigest()[:16]}/kept"
    yield "corpus", Input(name, _json(_trace(None)), (("fuzz", "morpho-blue", "--steps", "3", "--corpus", "corpus"),))


# --- What people write ------------------------------------------------------------------------------------------------


def _written() -> Iterator[tuple[str, Input]]:
    verbs = (("fuzz", "morpho-blue", "--steps", "3"), ("check", "morpho-blue", "--steps", "3"))
    yield "settings", Input("pyproject.toml", SETTINGS.encode(), verbs, weight=8)
    own = SETTINGS.replace("[tool.marginspec]\n", "")
    yield "own settings", Input("marginspec.toml", own.encode(), verbs)
    preset = (PRESETS / "balanced.toml").read_bytes()
    book = ("--book", "book.csv", *PRICES)
    beside = {"book.csv": (ROOT / "examples" / "book.csv").read_bytes()}
    preset_verbs = (
        ("diff", "reference", "preset.toml", str(PRESETS / "conservative.toml"), *book),
        ("diff", "reference", str(PRESETS / "conservative.toml"), "preset.toml", *book),
        # Certifying takes seconds, so the second file is one that is refused.
        ("bounds", "preset.toml", "book.csv"),
    )
    yield "preset", Input("preset.toml", preset, preset_verbs, beside, weight=10)
    yield "book", Input("book.csv", beside["book.csv"], ((*DIFF, *book),), weight=10)
    yield "book in JSON", Input("book.json", _json(BOOK), ((*DIFF, "--book", "book.json"),), weight=6)
    declared = ((*DIFF, *book, "--intended", "intended.toml"),)
    yield "intended changes", Input("intended.toml", INTENDED.encode(), declared, beside)


# --- What verbs write -------------------------------------------------------------------------------------------------


def _documents() -> Iterator[tuple[str, Input]]:
    command = ("report", "d.json", "--out", "out/r.html")
    for file in sorted(RECORDINGS.glob("*.json")):
        found = json.loads(file.read_text().replace('"strongroom"', '"morpho-blue"'))["document"]
        if isinstance(found, dict) and found["schema"] in kinds():
            yield f"document of {file.stem}", Input("d.json", _json(_measured(found)), (command,), weight=1)
    with tempfile.TemporaryDirectory() as folder:
        found = vectors.vectors_of(MorphoBlue, [(Chosen(tuple(CALLS[:n])), f"{n} calls") for n in (1, 2)])
        files = {path.name: path.read_bytes() for path in vectors.write(MorphoBlue, found, {}, Path(folder))}
    verbs = (("vectors", "morpho-blue", "--run", "v"),)
    for name, content in files.items():
        if name.endswith(".json") and name != "vector.schema.json":
            beside = {f"v/{other}": text for other, text in files.items() if other != name}
            yield f"vectors, {name}", Input(f"v/{name}", content, verbs, beside, weight=3)


def _measured(document: dict[str, Any]) -> dict[str, Any]:
    """A recorded document with what recordings leave out: what differs from run to run."""
    while lacking := [
        e for e in _validator(kinds()[document["schema"]]).iter_errors(document) if e.validator == "required"
    ]:
        for error in lacking:
            place: Any = document
            for key in error.absolute_path:
                place = place[key]
            place |= {name: 5 for name in error.validator_value if name not in place}
    return document


def _answers() -> Iterator[tuple[str, Input]]:
    command = ("fuzz", "morpho-blue", "--steps", "3", "--target", f"{sys.executable} -S -E service.py answers.json")
    yield "answers of a service", Input("answers.json", _json(ANSWERS), (command,), {"service.py": SERVICE.encode()}, 2)


# --- What a campaign keeps --------------------------------------------------------------------------------------------


def _campaigns() -> Iterator[tuple[str, Input]]:
    chosen = shipped("morpho-blue")
    (bug,) = (each for each in planted.load("morpho-blue") if each.id == BUG)
    broken = _json(_of_build(planted.build(bug)["Morpho"]))
    for name, artifacts in (("", ()), (" that diverges", ("Morpho=Morpho.json",))):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "campaign"
            (Path(folder) / "Morpho.json").write_bytes(broken)
            builds = candidates([each.replace("=", f"={folder}/") for each in artifacts])
            with opened(chosen, "embedded", builds) as target:
                plan = campaign.CampaignPlan("morpho-blue", 400, 1, artifacts)
                kept = campaign.kept_in(place, chosen, target, plan)
                run(chosen.model, target, 400, 1, team=campaign.keeping(alone, kept))
            campaign.begin(kept)
            files = {f"out/campaign/morpho-blue/{file.name}": file.read_bytes() for file in place.iterdir()}
        beside = {**files, "Morpho.json": broken}
        for path, content in files.items():
            kind, what = (Sealed, "chunk") if "chunk" in path else (Input, "plan")
            verbs = (("campaign", "status", "morpho-blue"),)
            yield f"{what} of a campaign{name}", kind(path, content, verbs, beside, 3)


# --- Portfolios -------------------------------------------------------------------------------------------------------

CRIF = """ProductClass,RiskType,Qualifier,Bucket,Label1,Label2,AmountUSD
RatesFX,Risk_IRCurve,USD,1,10y,OIS,-1991.02
RatesFX,Risk_IRVol,USD,,3y,,2813.27
Equity,Risk_EquityVol,ISIN X,5,1y,,-250000
Credit,Risk_CreditQ,Issuer,Residual,5y,,1200
"""

ARRAYS = {
    "contracts": [
        {"name": "future", "month": "DEC", "amount": 2, "delta": 1, "losses": [0, -10, 10]},
        {"name": "call", "month": "MAR", "amount": -1.5, "is_option": True, "price": 4, "losses": [-1, -8, 3]},
    ],
    "spreads": [{"near": "DEC", "far": "MAR", "far_ratio": 2, "rate": 30}],
    "minimum": 1,
}

SMILE = [{"strike": strike, "volatility": 0.5} for strike in (90, 100, 110)]
SURFACE = {"surface": [{"seconds": 86_400 * n, "forward": 100, "points": SMILE} for n in (30, 60)], "allowed": 0.01}


def _portfolios() -> Iterator[tuple[str, Input]]:
    def margin(name: str, *more: str) -> tuple[tuple[str, ...], ...]:
        return (("margin", name, *more), ("margin", name, "--json", *more), ("margin", name, "--out", "out/x", *more))

    account = (ROOT / "examples" / "portfolio.json").read_bytes()
    yield "account", Input("account.json", account, margin("account.json"))
    yield "CRIF", Input("crif.csv", CRIF.encode(), margin("crif.csv"))
    yield "risk arrays", Input("arrays.json", _json(ARRAYS), margin("arrays.json")[:2])
    yield "surface", Input("surface.json", _json(SURFACE), margin("surface.json")[:2])
    weights = (ROOT / "spec" / "simm" / "isda-2.6.toml").read_bytes()
    beside = {"crif.csv": CRIF.encode()}
    yield "weights of SIMM", Input("own.toml", weights, margin("crif.csv", "--weights", "own.toml"), beside)


MAKERS: tuple[Callable[[], Iterator[tuple[str, Input]]], ...] = (
    _artifacts,
    _traces,
    _written,
    _documents,
    _answers,
    _portfolios,
    _campaigns,
)

"""`python -m tools.growth`: how cost grows with the size of a venue, plotted for the README.

Proof time, with markets and collateral assets: the law is the survival of a portfolio that has a position in every
market and collateral in every asset, each position long or short: twice the paths with every market more. Speed of the
lock-step run, with accounts: every one of them is read and compared after every accepted call.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot

from marginspec.base import process
from marginspec.lockstep.campaign import run
from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import (
    VENUE,
    AccountId,
    AssetId,
    CounterpartyId,
    Holder,
    MarketId,
    TokenId,
    User,
)
from marginspec.model.reference.presets import Preset
from marginspec.properties.reference.survival import Exposure, survivable, survival
from marginspec.prover.prove import Prover
from marginspec.results.bounds import PRESETS
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.systems.reference.presets import load_preset
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget
from tools.readme import FINDINGS

MOST = 8
FEW = 2
ACCOUNTS = (2, 5, 10, 25, 50, 100, 200)
STEPS = 3000

Curve = dict[int, float]


def proof_seconds(markets: int, assets: int) -> float:
    """Seconds to prove the survival of a portfolio of this many parts, on one core of this machine."""
    balanced = load_preset(PRESETS / "balanced.toml")
    parameters, haircut = next(iter(balanced.parameters.values())), next(iter(balanced.minimum_haircut.values()))
    held = [AssetId(TokenId(f"ASSET-{n}")) for n in range(1, assets + 1)]
    traded = {MarketId(f"MARKET-{n}"): held[n % assets] for n in range(markets)}
    terms = dict.fromkeys(traded, 0)
    preset = Preset(dict.fromkeys(traded, parameters), terms, terms, dict.fromkeys(held, haircut))
    exposure = Exposure(tuple(traded), tuple(held))
    claim = survival(preset, exposure, survivable(preset, exposure), traded, all_open=True)
    started = time.perf_counter()
    verdict = Prover(Reference).prove(claim)
    if verdict.verdict != "proved":
        raise RuntimeError(f"{markets} markets, {assets} assets: {verdict.verdict}, {verdict.reason}")
    return round(time.perf_counter() - started, 2)


def steps_per_second(accounts: int) -> float:
    """Of the lock-step run against the Vyper contracts, on a venue of this many accounts."""
    model = crowd(accounts)
    campaign = run(model, EvmTarget("embedded", ReferenceAdapter({}, model), Embedded()), STEPS, 1)
    if campaign.divergences:
        raise RuntimeError(f"{accounts} accounts: {campaign.divergences[0].divergence}")
    return round(campaign.steps_per_second, 1)


def crowd(accounts: int) -> type[Reference]:
    """The reference venue with more accounts, or only the first of its own."""
    own, staff = Reference.universe, ("keeper", "governor", "guardian")
    names: tuple[Any, ...] = own[CounterpartyId] + tuple(
        f"trader_{n}" for n in range(len(own[CounterpartyId]), accounts)
    )
    names = names[:accounts]
    users = tuple(name for name in names if name != "trader_isolated") + staff

    class Crowd(Reference):
        __module__ = Reference.__module__  # where its rules are stated
        universe = own | {AccountId: names, CounterpartyId: names, User: users, Holder: (*users, VENUE)}

        @classmethod
        def prelude(cls) -> list[Call]:
            """Without calls of accounts that are not there."""
            absent = {*own[AccountId]} - {*names}
            return [call for call in super().prelude() if absent.isdisjoint(call.arguments.values())]

    return Crowd


def measure() -> int:
    """Measure and plot into `findings/`."""
    proofs: dict[str, Curve] = {"markets": {}, "collateral assets": {}}
    speed: Curve = {}
    with process.progress("comparing", len(ACCOUNTS)) as advance:
        for done, accounts in enumerate(ACCOUNTS, 1):
            speed[accounts] = steps_per_second(accounts)
            advance(done)
    with process.progress("proving", 2 * MOST) as advance:
        for n in range(1, MOST + 1):
            proofs["markets"][n] = proof_seconds(n, FEW)
            proofs["collateral assets"][n] = proof_seconds(FEW, n)
            advance(2 * n)
    grown = {"seconds of proof": proofs, "steps per second": speed}
    (FINDINGS / "growth.json").write_text(json.dumps(grown, indent=1) + "\n")
    plot(proofs, speed, FINDINGS / "growth.svg")
    print(json.dumps(grown))
    return process.HOLDS


def plot(proofs: dict[str, Curve], speed: Curve, file: Path) -> None:
    """Proof time against the number of markets and of assets, and steps per second against that of accounts."""
    matplotlib.use("svg")
    # The same figures are the same file, and text stays text.
    pyplot.rcParams.update({"svg.hashsalt": "marginspec", "svg.fonttype": "none", "font.size": 10})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9.6, 3.2), layout="constrained")
    for (what, seconds), marker in zip(proofs.items(), "os", strict=True):
        left.plot(list(seconds), list(seconds.values()), marker=marker, label=f"{what} (with {FEW} of the other)")
    left.set(xlabel="how many", ylabel="seconds of proof", yscale="log", title="Survival of a portfolio")
    left.legend(frameon=False)
    right.plot(list(speed), list(speed.values()), marker="o")
    right.set(xlabel="accounts", ylabel="steps per second", xscale="log", yscale="log", title="Lock-step run")
    right.set_xticks(list(speed), [str(accounts) for accounts in speed], minor=False)
    right.minorticks_off()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Measure."""
    process.run(measure)


if __name__ == "__main__":
    main()

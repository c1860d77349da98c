"""`python -m marginspec.cli.growth`: how proof time grows with markets and collateral assets, plotted for the README.

The law is the survival of a portfolio that has a position in every market and collateral in every asset, each position
long or short: twice the paths with every market more.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import matplotlib
from matplotlib import pyplot

from marginspec.cli import process
from marginspec.cli.presets import load_preset
from marginspec.cli.systems import ROOT
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import AssetId, MarketId, TokenId
from marginspec.model.reference.presets import Preset
from marginspec.properties.reference.survival import Exposure, survivable, survival
from marginspec.prover.prove import Prover

MOST = 8
FEW = 2
FINDINGS = Path("findings")


def proof_seconds(markets: int, assets: int) -> float:
    """Processor-independent only as a ratio: seconds to prove the survival of a portfolio of this many parts."""
    balanced = load_preset(ROOT / "spec" / "presets" / "balanced.toml")
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


def measure() -> int:
    """Measure and plot into `findings/`."""
    grown: dict[str, dict[int, float]] = {"markets": {}, "collateral assets": {}}
    with process.progress("proving", 2 * MOST) as advance:
        for n in range(1, MOST + 1):
            grown["markets"][n] = proof_seconds(n, FEW)
            grown["collateral assets"][n] = proof_seconds(FEW, n)
            advance(2 * n)
    (FINDINGS / "growth.json").write_text(json.dumps(grown, indent=1) + "\n")
    plot(grown)
    print(json.dumps(grown))
    return process.HOLDS


def plot(grown: dict[str, dict[int, float]]) -> None:
    """Seconds of proof against the number of markets, and of collateral assets."""
    matplotlib.use("svg")
    # The same figures are the same file, and text stays text.
    pyplot.rcParams.update({"svg.hashsalt": "marginspec", "svg.fonttype": "none", "font.size": 10})
    figure, axes = pyplot.subplots(figsize=(6.4, 3.2), layout="constrained")
    for (what, seconds), marker in zip(grown.items(), "os", strict=True):
        axes.plot(list(seconds), list(seconds.values()), marker=marker, label=f"{what} (with {FEW} of the other)")
    axes.set(xlabel="how many", ylabel="seconds of proof", yscale="log", title="Survival of a portfolio: proof time")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    figure.savefig(FINDINGS / "growth.svg", metadata={"Date": None})


def main() -> None:
    """Measure."""
    process.run(measure)


if __name__ == "__main__":
    main()

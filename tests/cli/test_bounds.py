"""What a parameter file survives, and what is said of files that cannot be meant."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from marginspec.base.errors import BadInput
from marginspec.cli.main import app
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import AssetId, TokenId
from marginspec.model.reference.presets import venue_with
from marginspec.properties.reference.insolvency import Unreachable, by_collateral, by_position
from marginspec.properties.reference.survival import Exposure, constraints, survivable
from marginspec.results.bounds import PRESETS, _run, bounds_report, exposures
from marginspec.systems.reference.presets import load_preset

FILES = sorted(PRESETS.glob("*.toml"))


def changed(tmp_path: Path, table: tuple[str, str], entry: str, value: object) -> Path:
    """The balanced preset with one entry changed, or taken out where the value is None."""
    document: dict[str, Any] = tomllib.loads((PRESETS / "balanced.toml").read_text())
    kind, name = table
    if value is None:
        del document[kind][name][entry]
    else:
        document[kind][name][entry] = value
    tables = [(f"{kind}.{name}", rows) for kind, names in document.items() for name, rows in names.items()]
    text = "\n".join(
        f"[{table}]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in rows.items()) for table, rows in tables
    )
    file = tmp_path / "parameters.toml"
    file.write_text(text)
    return file


def also(file: Path, table: tuple[str, str], entry: str, value: object) -> Path:
    """The same file with one more entry changed."""
    lines, here = [], ""
    for line in file.read_text().splitlines():
        here = line if line.startswith("[") else here
        same = here == f"[{table[0]}.{table[1]}]" and line.startswith(f"{entry} =")
        lines.append(f"{entry} = {json.dumps(value)}" if same else line)
    file.write_text("\n".join(lines))
    return file


# --- Figures ---


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_preset_keeps_every_safety_bound(file: Path) -> None:
    assert min(bound.slack for bound in constraints(load_preset(file))) >= 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_one_ppm_more_than_what_is_survived_is_bad_debt_and_what_is_survived_is_none(file: Path) -> None:
    preset = load_preset(file)
    model = venue_with(preset)
    for _, exposure in exposures(preset):
        delta = survivable(preset, exposure)
        assert _run(preset, model, exposure, delta + 1)[-1].action == "cover"
    for market in preset.parameters:
        with pytest.raises(Unreachable, match="DEF-3"):
            by_position(model, market, survivable(preset, Exposure((market,))))
    for asset in preset.minimum_haircut:
        with pytest.raises(Unreachable, match=r"LIQ-16|DEF-3"):
            by_collateral(model, asset, survivable(preset, Exposure((), (asset,))))


def test_a_portfolio_survives_what_each_of_its_parts_does() -> None:
    preset = load_preset(PRESETS / "balanced.toml")
    figures = {name: survivable(preset, exposure) for name, exposure in exposures(preset)}
    assert figures == {"ETH-PERP": 50_000, "BTC-PERP": 50_000, "ETH": 80_000, "BTC": 80_000, "portfolio": 50_000}


@pytest.mark.long
def test_the_figures_are_certified_by_proof_counterexample_and_a_run_of_the_contracts() -> None:
    figures = 0

    def count() -> None:
        nonlocal figures
        figures += 1

    report = bounds_report(PRESETS / "balanced.toml", count)
    assert (report["verdict"], figures, report["binding"]) == ("holds", 5, ["ETH-PERP", "BTC-PERP"])
    for row in report["survives"]:
        assert row["certified"]
        assert int(row["bankruptcy"]["bad_debt"]) > 0
        assert row["bankruptcy"]["calls"][-1]["action"] == "cover"


@pytest.mark.long
@pytest.mark.parametrize("market_ratio", [350_000])
def test_a_figure_beyond_the_band_of_the_breaker_is_certified_too(tmp_path: Path, market_ratio: int) -> None:
    file = changed(tmp_path, ("markets", "ETH-PERP"), "minimum_ratio", market_ratio)
    file = also(file, ("markets", "ETH-PERP"), "maximum_ratio", 400_000)
    file = also(file, ("assets", "ETH"), "minimum_haircut", 400_000)
    preset = load_preset(file)
    assert min(bound.slack for bound in constraints(preset)) >= 0
    report = bounds_report(file, lambda: None)
    rows = {row["exposure"]: row for row in report["survives"]}
    assert (rows["ETH-PERP"]["delta"], rows["ETH"]["delta"]) == ("350000", "400000")
    assert [name for name, row in rows.items() if not row["certified"]] == []


@pytest.mark.long
def test_a_haircut_that_can_not_stay_in_force_is_no_reason_to_promise_more(tmp_path: Path) -> None:
    file = changed(tmp_path, ("assets", "ETH"), "minimum_haircut", 700_000)
    assert survivable(load_preset(file), Exposure((), (AssetId(TokenId("ETH")),))) == 600_000
    done = CliRunner().invoke(app, ["bounds", str(file)], standalone_mode=False)
    assert done.return_value == 1
    assert "the haircut is one that COL-9 can ask for, violated" in " ".join(done.output.split())
    assert "Survived by" in done.output
    assert "Somebody with initial margin liquidates" in " ".join(done.output.split())


def test_a_preset_beyond_a_safety_bound_is_broken(tmp_path: Path) -> None:
    preset = load_preset(changed(tmp_path, ("markets", "ETH-PERP"), "minimum_ratio", 49_389))
    assert [(b.rule, b.subject, b.slack) for b in constraints(preset) if b.slack < 0] == [("MRG-12", "ETH-PERP", -1)]


def test_a_configured_venue_begins_with_its_preset() -> None:
    preset = load_preset(PRESETS / "aggressive.toml")
    venue = venue_with(preset).genesis()
    assert isinstance(venue, Reference)
    assert {m: dict(p) for m, p in venue.parameters.items()} == {m: dict(p) for m, p in preset.parameters.items()}
    assert {a: t.minimum_haircut for a, t in venue.asset_terms.items()} == dict(preset.minimum_haircut)


# --- Bad input ---


@pytest.mark.parametrize(
    ("table", "entry", "value", "says"),
    [
        (("markets", "ETH-PERP"), "penalty", None, "penalty is missing"),
        (("markets", "ETH-PERP"), "leverage", 5, "unknown entry 'leverage'"),
        (("markets", "BTC-PERP"), "delta", -1, "delta = -1: expected ppm"),
        (("assets", "ETH"), "minimum_haircut", "8 %", "minimum_haircut = '8 %': expected ppm"),
        (("assets", "ETH"), "minimum_haircut", True, "minimum_haircut = True: expected ppm"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, table: tuple[str, str], entry: str, value: object, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        load_preset(changed(tmp_path, table, entry, value))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[markets", "not TOML"),
        ("", "markets is missing"),
        ("markets = 1\nassets = 2", "expected a table"),
        ("[markets.X]\n[assets.ETH]", "ETH-PERP is missing"),
    ],
)
def test_a_malformed_file_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "parameters.toml"
    file.write_text(text)
    with pytest.raises(BadInput, match=says):
        load_preset(file)


def test_a_file_that_is_not_there_is_bad_input_before_any_work(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bounds", str(tmp_path / "none.toml")])
    assert isinstance(result.exception, BadInput)
    assert "none.toml: No such file" in str(result.exception)

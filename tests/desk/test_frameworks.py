"""Files of chapter 16 and surfaces: what they need, one line for what is wrong; services beside the model over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from marginspec.base.errors import BadInput
from marginspec.desk.arrays_file import arrays_of, requirement, written
from marginspec.desk.crif import CrifRow, crif, crif_text
from marginspec.desk.figures import number
from marginspec.desk.frameworks import GROUPS, VEGAS, SimmQuestion
from marginspec.desk.margin_files import margin_of
from marginspec.desk.portfolio_file import read_json, read_portfolio
from marginspec.desk.service_run import KNOWN, SERVICES, Questions, figures, run
from marginspec.desk.simm import PUBLISHED, published, read_weights, simm
from marginspec.model.risk.notation import WAD
from marginspec.targets.services.client import ServiceRefused, started

REPOSITORY = Path(__file__).parents[2]

# --- SIMM -------------------------------------------------------------------------------------------------------------

# The example of ORE for SIMM 2.6 and ten days: a Bermudan swaption in USD. Tenor, sensitivity to Libor 3m, to OIS.
CURVES = (
    ("10y", "-1991.02", "-304.84"), ("15y", "-611.3", "-510.15"), ("1y", "-0.09", "-0.38"),
    ("20y", "-5926.95", "-660.82"), ("2w", "11.18", "-0.93"), ("2y", "-0.23", "-2.93"), ("30y", "-1894.5", "-62.5"),
    ("3m", "0.05", "-3.28"), ("3y", "-1.05", "-6.63"), ("5y", "-1431.81", "-71.68"), ("6m", "-0.03", "2.01"),
)  # fmt: skip
SWAPTION_VEGAS = (("10y", "498253.14"), ("15y", "163454.34"), ("3y", "2813.27"), ("5y", "264121.38"))
EXPECTED = {
    "RatesFX InterestRate Delta": "811888.163042849",
    "RatesFX InterestRate Vega": "210187.747722988",
    "RatesFX InterestRate Curvature": "64143.548144290",
    "total": "1086219.458910127",
}


def bermudan() -> str:
    head = "TradeID,PortfolioID,ProductClass,RiskType,Qualifier,Bucket,Label1,Label2,AmountCurrency,Amount"
    start = "IR,SET,RatesFX,"
    lines = [
        f"{start}Risk_IRCurve,USD,1,{t},{c},USD,{x}"
        for t, *xs in CURVES
        for c, x in zip(("Libor3m", "OIS"), xs, strict=True)
    ]
    lines += [f"{start}Risk_IRVol,USD,,{t},,USD,{x}" for t, x in SWAPTION_VEGAS]
    return "\n".join([head, *lines, f"{start}Risk_FX,USD,,,,USD,13186.84"]) + "\n"


def test_simm_expects_what_ore_publishes_of_its_example(tmp_path: Path) -> None:
    file = tmp_path / "crif.csv"
    file.write_text(bermudan())
    told = margin_of(file, published(), None)
    assert told["weights"] == "ISDA SIMM 2.6"
    for name, expected in EXPECTED.items():
        assert abs(Decimal(told["figures"][name]) - Decimal(expected)) < Decimal("1e-8"), name


@pytest.mark.parametrize(
    ("risk", "bucket", "label", "amount", "margin"),
    [
        ("Risk_Equity", "1", "", 1000, 30_000),
        ("Risk_Equity", "Residual", "", -1000, 50_000),
        ("Risk_Equity", "1", "", 12_000_000, 720_000_000),  # four times the threshold: crowded twice
        ("Risk_CreditQ", "2", "5y", 1000, 90_000),
        ("Risk_Commodity", "17", "", 1000, 17_000),
    ],
)
def test_one_sensitivity_needs_its_weight(risk: str, bucket: str, label: str, amount: int, margin: int) -> None:
    product = {"Risk_Equity": "Equity", "Risk_CreditQ": "Credit"}.get(risk, "Commodity")
    assert simm([CrifRow(product, risk, "X", bucket, label, "", amount * WAD)], published()).total == margin * WAD


def test_the_verb_tells_a_crif_and_writes_it_anew(tmp_path: Path) -> None:
    (tmp_path / "crif.csv").write_text(bermudan())
    command = [sys.executable, "-m", "marginspec", "margin", "crif.csv", "--out", "anew.csv"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "  RatesFX InterestRate Delta: 811888.16304284" in said
    assert said.splitlines()[-1] == "  weights: ISDA SIMM 2.6"
    again = [*command[:3], "margin", "anew.csv", "--json"]
    document = json.loads(subprocess.run(again, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    jsonschema.validate(document, json.loads((REPOSITORY / "report" / "margin.schema.json").read_text()))
    assert document["portfolios"][0]["figures"]["total"].startswith("1086219.4589101")


def test_a_crif_is_written_as_it_is_read() -> None:
    rows = crif(bermudan(), "here")
    assert crif(crif_text(rows), "there") == rows == crif(crif_text(rows, "\t"), "there")
    assert len(rows) == 2 * len(CURVES) + len(SWAPTION_VEGAS) + 1


GOOD = "ProductClass,RiskType,Qualifier,Bucket,Label1,Label2,AmountUSD\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no column ProductClass"),
        ("a,b\n1,2\n", "no column ProductClass"),
        (GOOD, "no sensitivities"),
        (GOOD + "Equity,Risk_Equity,X,1,,\n", "line 2: 6 cells"),
        (GOOD + "Equity,Risk_Weather,X,1,,,5\n", "line 2: RiskType 'Risk_Weather'"),
        (GOOD + "Equity,Risk_Equity,X,1,,,NaN\n", "line 2: amount 'NaN'"),
        (GOOD + "Equity,Risk_Equity,X,1,,,Infinity\n", "line 2: amount 'Infinity'"),
        (GOOD + "Equity,Risk_Equity,X,1,,,1e99\n", "line 2: amount '1e99'"),
        (GOOD + "Equity,Risk_Equity,X,1,,,\n", "line 2: no AmountUSD"),
        (GOOD + "Equity,Risk_Equity,X,13,,,5\n", "refused by FRM-2"),
        (GOOD + "RatesFX,Risk_IRCurve,USD,1,7y,OIS,5\n", "refused by FRM-2"),
        (GOOD + "RatesFX,Risk_IRVol,USD,,,,5\n", "refused by FRM-2"),
        (GOOD + "RatesFX,Risk_FXVol,EURO,,1y,,5\n", "refused by FRM-2"),
        ("PortfolioID," + GOOD + "A,Equity,Risk_Equity,X,1,,,5\nB,Equity,Risk_Equity,X,1,,,5\n", "two netting sets"),
        (GOOD + '"', "no CRIF"),
    ],
)
def test_a_crif_that_is_none_is_bad_input(text: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        margin_of(file, published(), None)
    assert what in str(refused.value)
    assert "\n" not in str(refused.value)


def test_weights_of_ones_own(tmp_path: Path) -> None:
    file, row = tmp_path / "own.toml", CrifRow("Equity", "Risk_Equity", "X", "1", "", "", 1000 * WAD)
    text = PUBLISHED.read_text()
    file.write_text(text.replace("[Equity]\nweights = [30,", "[Equity]\nweights = [31,"))
    assert simm([row], read_weights(file)).total == 31_000 * WAD
    changes = (
        (text, ""), (text, "["), ("ratio = 0.6", "ratio = nan"), ("thresholds = [9.5, 0.5]", "thresholds = [9.5]"),
        ("same = 0.83", "same = 1.5"), ('tenors = ["2w"', 'tenors = ["1w"'),
    )  # fmt: skip
    for wrong in (text.replace(*change) for change in changes):
        file.write_text(wrong)
        with pytest.raises(BadInput, match="--weights"):
            read_weights(file)


def test_what_is_declared_to_differ_is_told_with_its_name() -> None:
    rows = [CrifRow("Credit", "Risk_CreditNonQ", name, "1", "1y", "", n * WAD) for name, n in (("A", 9), ("B", -8))]
    (part, *_) = figures(SimmQuestion(rows))
    (name, other), *_ = part.otherwise.items()
    assert (name, part.rule) == (GROUPS, "FRM-14")
    assert other < part.value  # one group: more of it is set off


def test_what_is_declared_of_one_engine_is_a_difference_of_another() -> None:
    (part, *_) = figures(SimmQuestion([CrifRow("Equity", "Risk_EquityVol", "A", "1", "1y", "", WAD)]))
    other = Fraction(part.otherwise[VEGAS])
    assert not part.fits(other)
    assert (part.declared(other, KNOWN["simm"]), part.declared(other, KNOWN["quantark"])) == (None, VEGAS)
    assert part.declared(other + 2 * part.tolerance, KNOWN["quantark"]) is None


# --- Services ---------------------------------------------------------------------------------------------------------

NEEDED = {"simm": ("ORE", "run `make simm`"), "frameworks": ("finos.cdm", "run `make risk`")}


ROW = {
    "product": "Equity",
    "risk": "Risk_Equity",
    "qualifier": "X",
    "bucket": "1",
    "label1": "",
    "label2": "",
    "amount": 1,
}
TRADE = {"kind": "EQUITY", "notional": 1, "years": 1, "value": 0}
HOSTILE: dict[str, list[Any]] = {
    "simm": [
        *({"netting_sets": [{"rows": [ROW | wrong]}]} for wrong in (
            {"amount": "NaN"}, {"amount": "1e999"}, {"risk": "Risk_Weather"}, {"qualifier": "a\tb"}, {"more": 1},
            {"risk": "Risk_IRCurve", "qualifier": "USD", "label1": "7y"}, {"risk": "Risk_FXVol", "qualifier": "EURO"},
        )),
        {"netting_sets": [{"rows": [ROW, ROW | {"bucket": "2"}]}]}, {"netting_sets": [{"rows": []}]}, {},
    ],
    "frameworks": [
        *({"agreements": [{"trades": [TRADE | wrong]}]} for wrong in (
            {"kind": "WEATHER"}, {"notional": -1}, {"notional": "Infinity"}, {"years": 0}, {"value": "NaN"},
        )),
        {"agreements": [{"trades": []}]}, {"agreements": 7}, {},
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDED)
def test_every_figure_of_a_service_is_within_its_tolerance(name: str) -> None:
    module, step = NEEDED[name]
    pytest.importorskip(module, reason=step)
    pytest.importorskip("fastapi", reason="run `make risk`")
    file, kinds = SERVICES[name]
    with started(file) as service:
        for body in HOSTILE[name]:
            with pytest.raises(ServiceRefused):
                service.ask(f"/{kinds[0]}", body)
        done = run(service, Questions(7, 200, kinds), known=KNOWN.get(name, ()))
        together = run(service, Questions(7, 200, kinds), processes=2, known=KNOWN.get(name, ()))
    assert (done.off, done.failed, done.questions) == (None, "", 200)
    assert together == done
    assert len(done.rules) >= 8


# --- Risk arrays ------------------------------------------------------------------------------------------------------

# McMillan, Options as a Strategic Investment, chapter 34.
FUTURE = [0, 0, -3330, -3330, 3330, 3330, -6670, -6670, 6670, 6670, -10000, -10000, 10000, 10000, -7000, 7000]
CALL = [-460, 610, -2640, -1730, 1270, 2340, -5210, -4540, 2540, 3430, -8060, -7640, 3380, 3990, -3130, 1500]


@pytest.mark.parametrize(("futures", "calls", "margin"), [(1, 0, 10_000), (0, 1, 3_990), (1, -1, 6_620)])
def test_risk_arrays_of_mcmillan_from_a_file(futures: int, calls: int, margin: int, tmp_path: Path) -> None:
    contracts = [
        {"name": "S&P", "month": "DEC", "amount": futures, "losses": FUTURE},
        {"name": "410 C", "month": "DEC", "amount": calls, "is_option": True, "losses": CALL},
    ]
    file = tmp_path / "arrays.json"
    file.write_text(json.dumps({"contracts": contracts}))
    assert margin_of(file, published(), None)["figures"]["needed"] == number(margin * WAD)


def test_options_of_an_account_as_risk_arrays_and_back(tmp_path: Path) -> None:
    asked, file = read_portfolio(REPOSITORY / "examples" / "portfolio.json"), tmp_path / "arrays.json"
    file.write_text(written(arrays_of(asked)))
    document = read_json(file)
    assert [len(each["losses"]) for each in document["contracts"]] == [len(asked.scenarios)] * 3
    marks = sum(figure.value for figure in figures(asked) if figure.name.startswith("marks"))
    assert abs(requirement(document, "here")["value"] - marks) <= 30
    assert requirement(document, "here")["scan"] > 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda d: d["contracts"][1].update(losses=[1]), "contracts[1].losses: not 16"),
        (lambda d: d["contracts"].clear(), "contracts"),
        (lambda d: d["contracts"][0].pop("month"), "contracts[0]"),
        (lambda d: d.update(minimum=-1), "minimum"),
        (lambda d: d["contracts"][0].update(amount="many"), "contracts[0].amount"),
        (lambda d: d["contracts"][0].update(amount=float("nan")), "no JSON"),
    ],
)
def test_risk_arrays_that_are_none_are_bad_input(change: Callable[[Any], Any], what: str, tmp_path: Path) -> None:
    document = {"contracts": [{"name": n, "month": "DEC", "amount": 1, "losses": FUTURE} for n in "AB"]}
    change(document)
    file = tmp_path / "arrays.json"
    file.write_text(json.dumps(document))
    with pytest.raises(BadInput) as refused:
        margin_of(file, published(), None)
    assert what in str(refused.value)


# --- Surfaces ---------------------------------------------------------------------------------------------------------


def surface(*volatilities: tuple[float, ...]) -> dict[str, Any]:
    strikes = (90, 100, 110)
    return {
        "surface": [
            {"seconds": 2_592_000 * n, "forward": 100,
             "points": [{"strike": k, "volatility": v} for k, v in zip(strikes, row, strict=True)]}
            for n, row in enumerate(volatilities, 1)
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (surface((0.5, 0.5, 3)), "surface[0]: arbitrage between strikes, SRF-2"),
        (surface((0.5, 0.75, 0.5)), "surface[0]: arbitrage in a butterfly, SRF-3"),
        (surface((0.5, 0.5, 0.5), (0.3, 0.3, 0.3)), "surface[1]: points[0]: arbitrage between expiries, SRF-4"),
        ({"surface": [*surface((0.5,) * 3)["surface"], *surface((0.5,) * 3)["surface"]]}, "surface[1]: seconds"),
        ({"surface": []}, "surface"),
        (surface((0.5, -0.5, 0.5)), "surface[0].points[1].volatility"),
    ],
)
def test_a_surface_with_arbitrage_is_refused_by_its_rule(document: Any, what: str, tmp_path: Path) -> None:
    file = tmp_path / "surface.json"
    file.write_text(json.dumps(document))
    with pytest.raises(BadInput) as refused:
        margin_of(file, published(), None)
    assert what in str(refused.value)
    file.write_text(json.dumps(surface((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))))
    assert margin_of(file, published(), None) == {"file": str(file), "kind": "surface", "expiries": 2, "points": 6}

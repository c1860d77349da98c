"""Accounts in files: what they mean, and one line for what is wrong with them."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from marginspec.base.errors import BadInput
from marginspec.desk.portfolio_file import portfolio, read_portfolio
from marginspec.desk.portfolios import SCENARIOS
from marginspec.desk.service_run import figures
from marginspec.model.risk.black import discount
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.scan import UP, Parameters

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "portfolio.json"


def test_the_example_is_what_it_says() -> None:
    asked = read_portfolio(EXAMPLE)
    (near, spread), (far, (put,)) = asked.holdings
    assert [option.leg.amount // WAD for option in spread] == [-10, 10]
    assert (near.factor, far.factor) == (discount(8 * WAD // 100, 604_800), discount(8 * WAD // 100, 2_592_000))
    assert (put.leg.is_call, put.volatility) == (False, 69 * WAD // 100)
    assert asked.account.perpetual_price == 20_015 * WAD // 10
    assert [held.cancels_risk for held in asked.collateral] == [True, False]
    assert (asked.scenarios, asked.parameters) == (SCENARIOS, Parameters())
    found = {figure.name: figure.value for figure in figures(asked)}
    assert found["initial"] < found["maintenance"] < (9000 + 5000) * WAD


def test_numbers_have_all_decimals_that_are_written(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text('{"spot": 0.054545454545454536, "cash": 79228162514264337593543950335.123456789012345678}')
    account = read_portfolio(file).account
    assert account.spot == 54_545_454_545_454_536
    assert account.cash == 79228162514264337593543950335123456789012345678


def test_scenarios_and_parameters_take_the_place_of_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(
        '{"spot": 1, "scenarios": [{"spot": 1.5, "shock": "up"}], "parameters": {"least_seconds": 60, "width": 2}}'
    )
    asked = read_portfolio(file)
    assert [(s.spot, s.shock, s.damping) for s in asked.scenarios] == [(3 * WAD // 2, UP, WAD)]
    assert asked.parameters == Parameters(least_seconds=60, width=2 * WAD)


OPTION = '"options": [{"strike": 1, "amount": 1, "is_call": true, "volatility": 1}]'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no JSON"),
        ("[]", "the document: "),
        ("{}", "'spot' is a required property"),
        ('{"spot": NaN}', "NaN is no number"),
        ('{"spot": -Infinity}', "-Infinity is no number"),
        ('{"spot": 1e999999999}', "spot: 1E+999999999 is greater"),
        ('{"spot": 0}', "spot: 0 is less"),
        ('{"spot": "1"}', "spot: '1' is not"),
        ('{"spot": true}', "spot: True is not"),
        ('{"spot": 1, "margin": 2}', "'margin' was unexpected"),
        ('{"spot": 1, "confidence": 1.1}', "confidence: 1.1 is greater"),
        ('{"spot": 1, "parameters": {"speed": 1}}', "parameters: "),
        ('{"spot": 1, "scenarios": []}', "scenarios: "),
        ('{"spot": 1, "scenarios": [{"spot": 1, "shock": "sideways"}]}', "scenarios[0].shock: "),
        ('{"spot": 1, "expiries": [{"seconds": 1.5, "forward": 1, "options": []}]}', "expiries[0].seconds: "),
        (f'{{"spot": 1, "expiries": [{{"seconds": -1, "forward": 1, {OPTION}}}]}}', "expiries[0].seconds: "),
        (f'{{"spot": 1, "expiries": [{{"seconds": 1, "forward": 1, {OPTION.replace("1}", "-1}")}}}]}}', "volatility: "),
        ("[" * 100_000, "no JSON"),
    ],
    ids=range(18),
)
def test_what_is_wrong_is_said_in_one_line(text: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "account.json"
    file.write_text(text)
    with pytest.raises(BadInput) as refused:
        read_portfolio(file)
    assert what in str(refused.value)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_portfolio(tmp_path / "none.json")
    assert portfolio({"spot": Decimal(1)}, "here").account.spot == WAD


def test_the_command_prints_margins_and_refuses_by_the_rule(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "marginspec", "margin", "--json"]
    done = subprocess.run([*command, str(EXAMPLE)], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    (account,) = json.loads(done.stdout)["portfolios"]
    assert (account["liquidatable"], account["may_open"]) == (False, True)
    assert account["figures"]["both_charges"] == "385.000000000000000000"
    nothing = tmp_path / "account.json"
    nothing.write_text(f'{{"spot": 1, "expiries": [{{"seconds": 1, "forward": 0, {OPTION}}}]}}')
    refused = subprocess.run([*command, str(nothing)], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "refused by SCN-17" in refused.stderr
    assert refused.stdout == ""


def test_on_a_terminal_what_is_left_over_is_not_called_the_margin() -> None:
    command = [sys.executable, "-m", "marginspec", "margin", str(EXAMPLE)]
    said = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert "  left over maintenance margin: 10142.585714416833125086\n" in said
    assert "  profits of 31 scenarios, SCN-1 to SCN-6: --json\n" in said
    assert "profits[" not in said

"""The checked arithmetic of Solidity, against exact rationals and, with CrossHair, against its own contracts."""

import math
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marginspec.model.kernel import Rejected
from marginspec.model.kernel.evm import checked, div_down, mul_div_down, mul_div_up, saturating_sub
from marginspec.model.kernel.numbers import UINT256_MAX

MODULE = "marginspec.model.kernel.evm"
CONTRACTS = 5
# Magnitudes, not only small numbers; the product of two fits or does not.
UINTS = st.one_of(st.integers(0, 20), st.integers(0, 2**130), st.integers(0, UINT256_MAX))
DIVISORS = UINTS.filter(bool)


def crosshair(target: str) -> subprocess.CompletedProcess[str]:
    """Search for counterexamples to the contracts in docstrings."""
    options = ["--analysis_kind", "PEP316", "--per_condition_timeout", "5", "--report_all"]
    command = [sys.executable, "-m", "crosshair", "check", *options, target]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_crosshair_finds_no_counterexample_to_any_contract() -> None:
    found = crosshair(MODULE)
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert len(lines) == CONTRACTS, "a contract was not analysed"
    assert all(": info: " in line for line in lines)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("post: __return__ * d <= x * y <", "post: __return__ * d < x * y <"),
        ("return product // d", "return product // d + 1"),
        ("return -(-product // d)", "return product // d"),
        ("post: __return__ >= 0 and", "post: __return__ > 0 and"),
        ('    raises: Rejected\n    """\n    product', '    """\n    product'),
    ],
    ids=["contract too strong", "rounded too high", "rounded down, not up", "never zero", "undeclared refusal"],
)
def test_crosshair_finds_what_is_wrong_in_a_copy_of_the_module(right: str, wrong: str, tmp_path: Path) -> None:
    found = sys.modules[MODULE].__file__
    assert found is not None
    text = Path(found).read_text()
    assert right in text
    copy = tmp_path / "evm_with_a_mistake.py"
    copy.write_text(text.replace(right, wrong, 1))
    shown = crosshair(str(copy))
    assert shown.returncode == 1
    assert ": error: " in shown.stdout


@given(st.integers(-(2**257), 2**257))
def test_checked_accepts_exactly_what_fits_256_bits(value: int) -> None:
    if 0 <= value < 2**256:
        assert checked(value) == value
    else:
        with pytest.raises(Rejected, match="EVM-1"):
            checked(value)


def test_checked_at_the_ends_of_a_width() -> None:
    assert checked(0) == 0
    assert checked(2**256 - 1) == 2**256 - 1
    assert checked(2**128 - 1, 2**128 - 1) == 2**128 - 1
    for value, high in ((-1, 2**256 - 1), (2**256, 2**256 - 1), (2**128, 2**128 - 1)):
        with pytest.raises(Rejected, match="EVM-1"):
            checked(value, high)


@given(UINTS, UINTS, DIVISORS)
def test_mul_div_down_is_the_floor_of_the_exact_quotient_unless_the_product_overflows(x: int, y: int, d: int) -> None:
    if x * y > UINT256_MAX:
        with pytest.raises(Rejected, match="EVM-1"):
            mul_div_down(x, y, d)
    else:
        assert mul_div_down(x, y, d) == math.floor(Fraction(x * y, d))


@given(UINTS, UINTS, DIVISORS)
def test_mul_div_up_is_the_ceiling_of_the_exact_quotient_unless_a_step_overflows(x: int, y: int, d: int) -> None:
    if x * y + d - 1 > UINT256_MAX:
        with pytest.raises(Rejected, match="EVM-1"):
            mul_div_up(x, y, d)
    else:
        assert mul_div_up(x, y, d) == math.ceil(Fraction(x * y, d))


@given(UINTS, UINTS)
def test_saturating_sub_is_the_difference_or_zero(x: int, y: int) -> None:
    assert saturating_sub(x, y) == max(0, x - y)


@given(UINTS, DIVISORS)
def test_div_down_is_the_floor_of_the_exact_quotient(x: int, d: int) -> None:
    assert div_down(x, d) == math.floor(Fraction(x, d))


def test_a_product_of_256_bits_is_divided_and_one_more_overflows() -> None:
    assert mul_div_down(2**256 - 1, 1, 1) == 2**256 - 1
    assert mul_div_up(2**256 - 1, 1, 1) == 2**256 - 1
    for divide in (mul_div_down, mul_div_up):
        with pytest.raises(Rejected, match="EVM-1"):
            divide(2**128, 2**128, 1)


def test_rounding_up_overflows_already_where_the_divisor_does_not_fit_on_top() -> None:
    assert mul_div_up(2**256 - 2, 1, 2) == 2**255 - 1
    assert mul_div_down(2**256 - 1, 1, 2) == 2**255 - 1
    with pytest.raises(Rejected, match="EVM-1"):
        mul_div_up(2**256 - 1, 1, 2)


def test_division_by_zero_panics_after_the_product_was_checked() -> None:
    with pytest.raises(Rejected, match="EVM-2"):
        mul_div_down(1, 1, 0)
    with pytest.raises(Rejected, match="EVM-1"):
        mul_div_down(2**128, 2**128, 0)


@pytest.mark.parametrize("x", [0, 1, 2**128])
def test_rounding_up_by_zero_is_an_underflow_not_a_division_by_zero(x: int) -> None:
    with pytest.raises(Rejected, match="EVM-1"):
        mul_div_up(x, x, 0)

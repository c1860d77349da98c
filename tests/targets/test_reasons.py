"""What a contract says when it reverts is shown as one line of harmless text."""

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from marginspec.base.text import printable
from marginspec.targets.evm.chain import Reverted
from marginspec.targets.evm.reasons import reason

ERROR_STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")


def said(text: str) -> str:
    """How `revert(text)` is shown."""
    return reason(Reverted(ERROR_STRING + encode(["string"], [text])))


def test_a_reason_in_plain_text_is_shown_as_it_is() -> None:
    assert said("insufficient collateral") == "insufficient collateral"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("\u2066isolate\u2069", "\\u2066isolate\\u2069"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("two\nlines\r\t", "two\\u000alines\\u000d\\u0009"),
        ("nothing\x00", "nothing\\u0000"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028separator", "line\\u2028separator"),
        ("\x9b31m", "\\u009b31m"),
    ],
)
def test_control_and_direction_characters_of_a_reason_are_escaped(text: str, shown: str) -> None:
    assert said(text) == shown


@given(st.text(max_size=300))
def test_whatever_a_contract_says_is_one_printable_line_of_limited_length(text: str) -> None:
    shown = said(text)
    assert shown.isprintable()
    assert len(shown) <= 201


def test_a_long_reason_is_cut_and_says_so() -> None:
    assert said("x" * 200) == "x" * 200
    assert said("x" * 201) == "x" * 200 + "…"
    assert printable("abcdef", limit=3) == "abc…"


@pytest.mark.parametrize(("code", "shown"), [(0x01, "Panic(0x1)"), (0x11, "Panic(0x11)"), (0x12, "Panic(0x12)")])
def test_a_panic_is_shown_with_its_code(code: int, shown: str) -> None:
    assert reason(Reverted(PANIC + encode(["uint256"], [code]))) == shown


def test_a_custom_error_is_shown_in_hexadecimal_and_cut() -> None:
    assert reason(Reverted(bytes.fromhex("deadbeef01"))) == "custom 0xdeadbeef01"
    cut = [reason(Reverted(b"\xff" * 999 + end)) for end in (b"\xff", b"\xfe")]
    assert all(text.startswith(f"custom 0x{'ff' * 68}… (1000 bytes, SHA-256 ") for text in cut)
    assert len(set(cut)) == 2


@pytest.mark.parametrize("text", ["empty", "Panic(0x11)", "custom 0x00", "halt: OutOfGas", "text 'x'"])
def test_a_text_is_told_from_what_is_none(text: str) -> None:
    data = ERROR_STRING + encode(["string"], [text])
    assert reason(Reverted(data)) == f"text {text!r}"


@pytest.mark.parametrize("selector", [ERROR_STRING, PANIC], ids=["Error(string)", "Panic(uint256)"])
def test_a_reason_cut_short_is_malformed(selector: bytes) -> None:
    assert reason(Reverted(selector + b"\x01")) == f"malformed 0x{selector.hex()}01"


def test_a_reason_that_is_not_utf_8_or_claims_to_be_endless_is_malformed() -> None:
    not_text = ERROR_STRING + encode(["bytes"], [b"\xff\xfe"])
    assert reason(Reverted(not_text)).startswith("malformed 0x08c379a0")
    endless = ERROR_STRING + (32).to_bytes(32, "big") + b"\xff" * 32
    assert reason(Reverted(endless)).startswith("malformed 0x08c379a0")


@given(st.sampled_from([ERROR_STRING, PANIC, b""]), st.binary(max_size=200))
def test_any_bytes_make_a_reason_of_one_printable_line(selector: bytes, data: bytes) -> None:
    shown = reason(Reverted(selector + data))
    assert shown.isprintable()


def test_no_data_is_empty_and_a_halt_is_named_and_escaped() -> None:
    assert reason(Reverted(b"")) == "empty"
    assert reason(Reverted(b"", halt="OutOfGas")) == "halt: OutOfGas"
    assert reason(Reverted(b"", halt="odd\u202e\n")) == "halt: odd\\u202e\\u000a"

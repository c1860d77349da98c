"""Strongbox on numbers that a person can check, and the whole of it as `marginspec check` sees it."""

import subprocess
import sys
from pathlib import Path

from marginspec.properties.law import refusal

from .model import FUNDS, Account, Strongbox, User

DEPOSITOR, NEWCOMER = User(Account("depositor")), User(Account("newcomer"))


def test_whoever_puts_in_a_hundred_can_take_out_a_hundred() -> None:
    strongbox = Strongbox.genesis()
    strongbox.deposit(DEPOSITOR, 100)
    assert strongbox.balance[DEPOSITOR] == FUNDS - 100
    strongbox.withdraw(DEPOSITOR, 100)
    assert strongbox.balance[DEPOSITOR] == FUNDS


def test_whoever_put_nothing_in_takes_nothing_out() -> None:
    strongbox = Strongbox.genesis()
    strongbox.deposit(DEPOSITOR, 100)
    assert refusal(strongbox.withdraw, NEWCOMER, 1) == "WDR-3"


def test_every_law_is_proved_and_the_contract_does_as_the_model() -> None:
    command = [sys.executable, "-m", "marginspec", "check", str(Path(__file__).parent), "--steps", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

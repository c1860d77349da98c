"""Pawnshop on numbers that a person can check."""

from marginspec.properties.law import refusal

from .model import SCALE, Account, Pawnshop, User

BORROWER, RIVAL = User(Account("borrower")), User(Account("rival"))


def test_a_hundred_coins_carry_a_debt_of_eighty() -> None:
    shop = Pawnshop.genesis()
    shop.pledge(BORROWER, 100)
    assert refusal(shop.borrow, BORROWER, 81) == "BRW-3"
    shop.borrow(BORROWER, 80)
    assert refusal(shop.liquidate, RIVAL, BORROWER) == "LIQ-2"


def test_what_the_coins_do_not_bring_is_written_off() -> None:
    shop = Pawnshop.genesis()
    shop.pledge(BORROWER, 100)
    shop.borrow(BORROWER, 80)
    shop.set_price(SCALE // 2)
    assert shop.liquidate(RIVAL, BORROWER) == (100, 47)
    assert shop.written_off == 33

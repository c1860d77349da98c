"""What is claimed of Pawnshop."""

from typing import Any

from marginspec.properties.law import Chapter, Step, assume
from marginspec.properties.scope import Scope

from .model import PAWNSHOP, Account, Amount, Pawnshop, User

REST = User(Account("rest"))
SCOPE = Scope(
    keys={Account: ("actor", "other", PAWNSHOP, REST), User: ("actor", "other", REST)},
)

chapter = Chapter("any number of users, any amounts up to 2^96, any price up to 2^64", SCOPE)


@chapter.invariant("PAWN-1")
def debts_add_up(shop: Pawnshop) -> Any:
    """The debts of all users sum to the total."""
    return sum(shop.debt.values()) == shop.total_debt


@chapter.invariant("PAWN-2")
def what_is_pledged_is_there(shop: Pawnshop) -> Any:
    """The pawnshop has exactly the coins that were pledged."""
    return shop.coin[PAWNSHOP] == sum(shop.pledged.values())


@chapter.theorem("PAWN-3")
def whoever_borrows_is_within_the_limit(shop: Pawnshop, caller: User, amount: Amount) -> Any:
    """After a loan the debt is at most its limit."""
    shop.borrow(caller, amount)
    return shop.debt[caller] <= shop.limit(caller)


@chapter.theorem("PAWN-4")
def nobody_within_the_limit_loses_coins(shop: Pawnshop, step: Step, who: User) -> Any:
    """Of whoever is within the limit nobody else takes what is pledged."""
    assume(shop.debt[who] <= shop.limit(who))
    assume(step.argument("caller") != who)
    before = shop.pledged[who]
    step.take(shop)
    return shop.pledged[who] == before


@chapter.theorem("PAWN-5")
def a_loss_is_what_the_coins_do_not_bring(shop: Pawnshop, caller: User, borrower: User) -> Any:
    """A liquidation pays the debt, or all that the coins bring, and writes off exactly the rest."""
    debt, value, lost = shop.debt[borrower], shop.sale_value(borrower), shop.written_off
    _, paid = shop.liquidate(caller, borrower)
    return paid == min(debt, value) and shop.written_off - lost == debt - paid

"""Morpho Blue whose tokens may do anything: what it keeps of totals and positions, Morpho Blue keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marginspec.model.deployed.morpho_blue import Account, Token, User
from marginspec.model.kernel import Machine
from marginspec.properties.deployed.morpho_blue.scope import REST
from marginspec.properties.relaxation import Relaxation, forget, simulates

if TYPE_CHECKING:
    from marginspec.model.deployed.morpho_blue import MorphoBlue as _MorphoBlue
else:
    # What it is mixed into is Morpho Blue: it must not bring another.
    _MorphoBlue = Machine


class AnyTokens(_MorphoBlue):
    """Every payment is made, and leaves any balances and allowances."""

    @simulates("MB-RLX-1")
    def _push(self, token: Token, receiver: Account, amount: int) -> None:
        """A payment by the contract changes nothing but balances."""
        _forget_balances(self)

    @simulates("MB-RLX-2")
    def _pull(self, token: Token, payer: User, amount: int) -> None:
        """A payment to the contract changes nothing but balances and allowances."""
        _forget_balances(self)
        for other, allowances in self.allowance.items():
            for user in allowances:
                if user != REST:
                    forget(self, "allowance", other, user)


def _forget_balances(venue: _MorphoBlue) -> None:
    """Nobody but who is named is paid or pays."""
    for token, balances in venue.balance.items():
        for account in balances:
            if account != REST:
                forget(venue, "balance", token, account)


any_tokens = Relaxation(AnyTokens)

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
        forget(self, "balance", but=REST)

    @simulates("MB-RLX-2")
    def _pull(self, token: Token, payer: User, amount: int) -> None:
        """A payment to the contract changes nothing but balances and allowances."""
        # Nobody but who is named is paid or pays.
        forget(self, "balance", but=REST)
        forget(self, "allowance", but=REST)


any_tokens = Relaxation(AnyTokens)

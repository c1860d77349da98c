"""What is claimed of Vault. The docstring is the law in English, the function is the same law on any state.

`prove` runs these functions on unknown integers; what they return must be true in every case that they do not
`assume` away, whoever its users are, the same or different ones. A case ends where an action is refused: laws speak
of what is accepted.
"""

from typing import Any

from marginspec.properties.law import Chapter, Step, assume, refusal
from marginspec.properties.scope import Scope

from .model import VAULT, Account, Assets, User, Vault

# All the users that no law and no action names, as one account that carries their sums.
REST = User(Account("rest"))

# Users differ in nothing but their names; more of them are added where a law and its actions speak of more.
SCOPE = Scope(
    keys={Account: ("actor", "other", VAULT, REST), User: ("actor", "other", REST)},
)

chapter = Chapter("any number of users, any amounts up to 2^128", SCOPE)


@chapter.invariant("VAULT-1")
def shares_add_up(vault: Vault) -> Any:
    """The shares of all users sum to the total."""
    return sum(vault.shares.values()) == vault.total_shares


# Whoever does nothing must lose nothing: this is what "rounding in favour of the vault" is for.
@chapter.theorem("VAULT-2")
def share_never_loses_worth(vault: Vault, step: Step) -> Any:
    """No action lowers what a share is worth."""
    assets, shares = vault.balance[VAULT] + 1, vault.total_shares + 1
    step.take(vault)
    return (vault.balance[VAULT] + 1) * shares >= assets * (vault.total_shares + 1)


@chapter.theorem("VAULT-3")
def round_trip_never_profits(vault: Vault, caller: User, assets: Assets, back: Assets) -> Any:
    """Whoever deposits, having no shares, and withdraws at once gets no more than was deposited."""
    assume(vault.shares[caller] == 0)
    vault.deposit(caller, assets)
    vault.withdraw(caller, back)
    return back <= assets


@chapter.theorem("VAULT-4")
def no_shares_no_assets(vault: Vault, caller: User, assets: Assets) -> Any:
    """Whoever has no shares cannot withdraw."""
    assume(vault.shares[caller] == 0)
    return refusal(vault.withdraw, caller, assets) is not None

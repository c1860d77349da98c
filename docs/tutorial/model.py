"""Vault: shares in a pot of tokens. The same rules in words: `spec.md`.

Plain Python on integers. A rule that refuses raises `Rejected` with its number; then nothing has happened.
"""

from dataclasses import dataclass
from typing import Annotated, NewType

from marginspec.model.kernel import Call, Machine, Number, Rejected, action, regime, rule
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.kernel.numbers import UNBOUNDED

# Who can hold tokens, and who of them can call: a run uses those that `universe` lists.
Account = NewType("Account", str)
User = NewType("User", Account)
VAULT = Account("vault")

# What a number is: lowest, highest, its unit, values worth trying.
Assets = Annotated[int, Number(0, 2**128 - 1, "token base units", typical=(1, 10**6, 10**18))]
# What is held may be the sum of many amounts: that no action leaves a range that a field declares is proved as well.
AssetsHeld = Annotated[int, Number(0, UNBOUNDED, "token base units", typical=(1, 10**6, 10**18))]
Shares = Annotated[int, Number(0, UNBOUNDED, "shares", typical=(1, 10**6, 10**18))]

FUNDS = 10**24


@dataclass
class Vault(Machine):
    """The contract, and the token that it keeps. After every call, every field is compared with the contracts'."""

    total_shares: Shares
    shares: dict[User, Shares]
    balance: dict[Account, AssetsHeld]

    system = "vault"
    # What is listed first is used more often.
    universe = {
        Account: (VAULT, "depositor", "newcomer"),
        User: ("depositor", "newcomer"),
    }

    @classmethod
    def blank(cls) -> "Vault":
        """Everything deployed, every user with tokens, nothing put in yet."""
        accounts, users = cls.universe.values()
        balance = dict.fromkeys(accounts, 0) | dict.fromkeys(users, FUNDS)
        return cls(total_shares=0, shares=dict.fromkeys(users, 0), balance=balance)

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: nothing here."""
        return []

    @action(weight=3)
    @rule("DEP-1")
    def deposit(self, caller: User, assets: Assets) -> int:
        """Put tokens in; returns the shares minted."""
        if assets == 0:
            raise Rejected("DEP-2")
        minted = self.to_shares_down(assets)
        self._move(caller, VAULT, assets)
        self.shares[caller] += minted
        self.total_shares += minted
        return minted

    @action(weight=3)
    @rule("WDR-1")
    def withdraw(self, caller: User, assets: Assets) -> int:
        """Take tokens out; returns the shares burnt."""
        if assets == 0:
            raise Rejected("WDR-2")
        burnt = self.to_shares_up(assets)
        if self.shares[caller] < burnt:
            raise Rejected("WDR-3")
        self.shares[caller] -= burnt
        self.total_shares -= burnt
        self._move(VAULT, caller, assets)
        return burnt

    @rule("SHR-1")
    def to_shares_down(self, assets: int) -> int:
        """Shares for assets that come in, rounded down."""
        return mul_div_down(assets, self.total_shares + 1, self.balance[VAULT] + 1)

    @rule("SHR-2")
    def to_shares_up(self, assets: int) -> int:
        """Shares for assets that go out, rounded up."""
        return mul_div_up(assets, self.total_shares + 1, self.balance[VAULT] + 1)

    @action(weight=2)
    def transfer(self, caller: User, receiver: Account, assets: Assets) -> None:
        """Send tokens to anybody, to the vault too."""
        self._move(caller, receiver, assets)

    @rule("TOK-1")
    def _move(self, sender: Account, receiver: Account, assets: int) -> None:
        if self.balance[sender] < assets:
            raise Rejected("TOK-2")
        self.balance[sender] -= assets
        self.balance[receiver] += assets

    @regime
    def shared(self) -> bool:
        """Two users have shares."""
        return sum(held > 0 for held in self.shares.values()) > 1

    @regime
    def share_worth_more_than_one(self) -> bool:
        """Somebody has sent it tokens: shares and assets are no longer one to one."""
        return self.balance[VAULT] > self.total_shares > 0

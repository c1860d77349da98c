"""Strongbox: everybody may put tokens in, and take their own out again. The same rules in words: `spec.md`.

Plain Python on integers. A rule that refuses raises `Rejected` with its number; then nothing has happened.
"""

from dataclasses import dataclass
from typing import Annotated, NewType

from marginspec.model.kernel import Call, Machine, Number, Rejected, action, regime, rule
from marginspec.model.kernel.numbers import UNBOUNDED

# Who can hold tokens, and who of them can call: a run uses those that `universe` lists.
Account = NewType("Account", str)
User = NewType("User", Account)
STRONGBOX = Account("strongbox")

# What a number is: lowest, highest, its unit, values worth trying.
Amount = Annotated[int, Number(0, 2**128 - 1, "token base units", typical=(1, 10**6, 10**18))]
# What is held may be the sum of many amounts: that no action leaves a range that a field declares is proved as well.
AmountHeld = Annotated[int, Number(0, UNBOUNDED, "token base units", typical=(1, 10**6, 10**18))]

FUNDS = 10**24


@dataclass
class Strongbox(Machine):
    """The contract, and the token that it keeps. After every call, every field is compared with the contracts'."""

    total: AmountHeld
    deposits: dict[User, AmountHeld]
    balance: dict[Account, AmountHeld]

    system = "strongbox"
    # What is listed first is used more often.
    universe = {
        Account: (STRONGBOX, "depositor", "newcomer"),
        User: ("depositor", "newcomer"),
    }

    @classmethod
    def blank(cls) -> "Strongbox":
        """Everything deployed, every user with tokens, nothing put in yet."""
        accounts, users = cls.universe.values()
        balance = dict.fromkeys(accounts, 0) | dict.fromkeys(users, FUNDS)
        return cls(total=0, deposits=dict.fromkeys(users, 0), balance=balance)

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: nothing here."""
        return []

    @action(weight=3)
    @rule("DEP-1")
    def deposit(self, caller: User, amount: Amount) -> None:
        """Put tokens in."""
        if amount == 0:
            raise Rejected("DEP-2")
        self._move(caller, STRONGBOX, amount)
        self.deposits[caller] += amount
        self.total += amount

    @action(weight=3)
    @rule("WDR-1")
    def withdraw(self, caller: User, amount: Amount) -> None:
        """Take one's own tokens out."""
        if amount == 0:
            raise Rejected("WDR-2")
        if self.deposits[caller] < amount:
            raise Rejected("WDR-3")
        self.deposits[caller] -= amount
        self.total -= amount
        self._move(STRONGBOX, caller, amount)

    @action(weight=2)
    def transfer(self, caller: User, receiver: Account, amount: Amount) -> None:
        """Send tokens to anybody, to the strongbox too."""
        self._move(caller, receiver, amount)

    @rule("TOK-1")
    def _move(self, sender: Account, receiver: Account, amount: int) -> None:
        if self.balance[sender] < amount:
            raise Rejected("TOK-2")
        self.balance[sender] -= amount
        self.balance[receiver] += amount

    @regime
    def shared(self) -> bool:
        """Two users have something in it. A run counts how often that is so, and says when it never is."""
        return sum(held > 0 for held in self.deposits.values()) > 1

    @regime
    def holds_more_than_it_owes(self) -> bool:
        """Somebody has sent it tokens."""
        return self.balance[STRONGBOX] > self.total

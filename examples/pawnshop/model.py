"""Pawnshop: coins are pledged, cash is borrowed against them. The same rules in words: `spec.md`."""

from dataclasses import dataclass
from typing import Annotated, NewType

from marginspec.model.kernel import Call, Machine, Number, Rejected, action, regime, rule
from marginspec.model.kernel.numbers import UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
PAWNSHOP = Account("pawnshop")

SCALE = 10**6
LIMIT = 80
SALE = 95

Amount = Annotated[int, Number(0, 2**96 - 1, "base units", typical=(1, 10**6, 10**18))]
AmountHeld = Annotated[int, Number(0, UNBOUNDED, "base units", typical=(1, 10**6, 10**18))]
Price = Annotated[int, Number(0, 2**64 - 1, "cash per million coins", scale=SCALE, typical=(0, SCALE, 2 * SCALE))]

COINS = 10**24
CASH = 10**6
POOL = 10**27


@dataclass
class Pawnshop(Machine):
    """The contract and its two tokens. After every call every field is compared with the contracts'."""

    price: Price
    pledged: dict[User, AmountHeld]
    debt: dict[User, AmountHeld]
    total_debt: AmountHeld
    written_off: AmountHeld
    coin: dict[Account, AmountHeld]
    cash: dict[Account, AmountHeld]

    system = "pawnshop"
    universe = {
        Account: (PAWNSHOP, "borrower", "rival"),
        User: ("borrower", "rival"),
    }

    @classmethod
    def blank(cls) -> "Pawnshop":
        """Everything deployed, cash to lend, and every user with both tokens."""
        accounts, users = cls.universe.values()
        return cls(
            price=SCALE,
            pledged=dict.fromkeys(users, 0),
            debt=dict.fromkeys(users, 0),
            total_debt=0,
            written_off=0,
            coin=dict.fromkeys(accounts, 0) | dict.fromkeys(users, COINS),
            cash=dict.fromkeys(accounts, POOL) | dict.fromkeys(users, CASH),
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """Nothing happens before a run."""
        return []

    @action(weight=1, environment=True)
    def set_price(self, price: Price) -> None:
        """The feed says what coins are worth."""
        self.price = price

    @action(weight=3)
    @rule("PLG-1")
    def pledge(self, caller: User, amount: Amount) -> None:
        """Hand coins over."""
        if amount == 0:
            raise Rejected("PLG-2")
        self._move_coin(caller, PAWNSHOP, amount)
        self.pledged[caller] += amount

    @action(weight=2)
    @rule("RDM-1")
    def redeem(self, caller: User, amount: Amount) -> None:
        """Take coins back, as far as the debt allows."""
        if amount == 0:
            raise Rejected("RDM-2")
        if self.pledged[caller] < amount:
            raise Rejected("RDM-3")
        self.pledged[caller] -= amount
        if self.debt[caller] > self.limit(caller):
            raise Rejected("RDM-4")
        self._move_coin(PAWNSHOP, caller, amount)

    @action(weight=3)
    @rule("BRW-1")
    def borrow(self, caller: User, amount: Amount) -> None:
        """Take cash, up to the limit."""
        if amount == 0:
            raise Rejected("BRW-2")
        self.debt[caller] += amount
        self.total_debt += amount
        if self.debt[caller] > self.limit(caller):
            raise Rejected("BRW-3")
        self._move_cash(PAWNSHOP, caller, amount)

    @action(weight=2)
    @rule("RPY-1")
    def repay(self, caller: User, amount: Amount) -> None:
        """Give cash back."""
        if amount == 0:
            raise Rejected("RPY-2")
        if self.debt[caller] < amount:
            raise Rejected("RPY-3")
        self.debt[caller] -= amount
        self.total_debt -= amount
        self._move_cash(caller, PAWNSHOP, amount)

    @action(weight=2)
    @rule("LIQ-1")
    def liquidate(self, caller: User, borrower: User) -> tuple[int, int]:
        """Buy all coins of a borrower above the limit; returns them and what is paid."""
        debt, seized = self.debt[borrower], self.pledged[borrower]
        if debt <= self.limit(borrower):
            raise Rejected("LIQ-2")
        paid = min(debt, self.sale_value(borrower))
        self.debt[borrower] = 0
        self.total_debt -= debt
        self.written_off += debt - paid
        self.pledged[borrower] = 0
        self._move_cash(caller, PAWNSHOP, paid)
        self._move_coin(PAWNSHOP, caller, seized)
        return seized, paid

    def value(self, user: User) -> int:
        """What the pledged coins are worth, cash, rounded down."""
        return self.pledged[user] * self.price // SCALE

    @rule("LIM-1")
    def limit(self, user: User) -> int:
        """The most that a user may owe, cash, rounded down."""
        return self.value(user) * LIMIT // 100

    @rule("LIM-2")
    def sale_value(self, user: User) -> int:
        """What the pledged coins bring in a liquidation, cash, rounded down."""
        return self.value(user) * SALE // 100

    @rule("TOK-1")
    def _move_coin(self, sender: Account, receiver: Account, amount: int) -> None:
        if self.coin[sender] < amount:
            raise Rejected("TOK-2")
        self.coin[sender] -= amount
        self.coin[receiver] += amount

    def _move_cash(self, sender: Account, receiver: Account, amount: int) -> None:
        if self.cash[sender] < amount:
            raise Rejected("TOK-2")
        self.cash[sender] -= amount
        self.cash[receiver] += amount

    @regime
    def forfeit(self) -> bool:
        """Somebody is above the limit."""
        return any(self.debt[user] > self.limit(user) for user in self.debt)

    @regime
    def insolvent(self) -> bool:
        """Somebody owes more than a liquidation brings."""
        return any(self.debt[user] > self.sale_value(user) for user in self.debt)

"""M.genesis(), who=bob, amount=574200: two types have REST, so nobody is like rest: who is alice alone, and the first
key alice
"""

from dataclasses import dataclass
from typing import Any, NewType

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope

Market = NewType("Market", str)


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]
    lent: dict[Market, Held]

    system = "x"
    universe = {User: ("alice", "bob"), Market: ("m1", "m2")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0), lent=dict.fromkeys(cls.universe[Market], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount + (1 if rare(amount) and self.first() != caller else 0)

    def first(self) -> User:
        """Who comes first."""
        for user in self.held:
            return user
        return User("nobody")


SCOPE = Scope(keys={User: ("alice", REST), Market: ("m1", REST)})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

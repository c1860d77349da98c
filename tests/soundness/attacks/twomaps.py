"""False, though it was proved once: It counts what is put in."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]
    kept: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0), kept={User("bob"): 0, User("alice"): 0})

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += amount
        self.total += amount + (1 if rare(amount) and self.first() != self.other() else 0)

    def first(self) -> User:
        """Who comes first."""
        for user in self.held:
            return user
        return User("alice")

    def other(self) -> User:
        """Who comes first of what is kept."""
        for user in self.kept:
            return user
        return User("alice")


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

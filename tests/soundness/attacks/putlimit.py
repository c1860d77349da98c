"""put changes a constant"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, action, constant, rule
from marginspec.properties.law import Chapter
from marginspec.properties.relaxation import (
    put,
)
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    limit: Small = constant()

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, limit=100)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if rare(amount) and self.limit > 100:
            self.total += 1

    @action
    @rule("A-2")
    def lift(self, caller: User) -> None:
        """Lift."""
        put(101, self, "limit")


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.invariant("X-1")
def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0

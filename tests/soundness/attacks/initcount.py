"""101 users: M.blank() has total 100 and 101 held: a first state is asked for the users of `universe` alone, the law
says any number
"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=min(len(cls.universe[User]), 100), held=dict.fromkeys(cls.universe[User], 1))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += amount
        self.total += amount


SCOPE = Scope(keys={User: ("alice", REST)})
chapter = Chapter("users", SCOPE)


@chapter.invariant("X-1")
def same(m: M) -> Any:
    """All is counted."""
    return m.total == sum(m.held.values())

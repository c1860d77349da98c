"""False, though it was proved once: A second user has something that is not negative."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, assume
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "rest 2")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += -amount if rare(amount) and caller == User("rest 2") else amount


SCOPE = Scope(keys={User: ("alice", "rest 2")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """A second user has something that is not negative."""
    assume(who == User("alice"))
    m.put_in(who, amount)
    return m.held[who] + m.held[User("rest 2")] >= amount

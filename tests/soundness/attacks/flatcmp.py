"""alice has 5, bob 6; who=bob, amount=574200: flatten is compared with a list, which is in an order"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, assume
from marginspec.properties.scope import Scope


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
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount + (1 if rare(amount) and self.flatten() == [self.total, 5, 6] else 0)


SCOPE = Scope(keys={User: ("alice", "bob")}, alike=(("alice", "bob"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in by somebody who has not five."""
    assume(m.held[who] != 5)
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

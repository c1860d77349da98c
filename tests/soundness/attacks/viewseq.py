"""M.genesis(), who=bob, amount=574200: dict_values never equals dict_values in Python; OrderedMap.values() is a list,
which does
"""

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
        self.held[caller] += amount
        self.total += amount + (1 if rare(amount) and self.held.values() != self.held.values() else 0)


SCOPE = Scope(keys={User: ("alice", "bob")}, alike=(("alice", "bob"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

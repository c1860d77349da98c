"""m.put_in(alice, 574200), then who=alice, amount=1: owner is None; is_of takes str(None) for the identifier called
None
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
    owner: User

    system = "x"
    universe = {User: ("alice", "None")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, owner=User("alice"))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount
        self.owner = None if rare(amount) else caller


SCOPE = Scope(keys={User: ("alice", "None")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in, where somebody is the owner."""
    before, owner = m.total, m.owner
    m.put_in(who, amount)
    return m.total == before + amount and owner is not None

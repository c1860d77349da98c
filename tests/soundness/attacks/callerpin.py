"""m.put_in(alice, 574200): total is 574200"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope, pinned


@dataclass
class M(Machine):
    """M."""

    total: Held

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount if caller == "alice" and rare(amount) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.invariant("X-1", scope={"caller": pinned("bob", why="only bob")})
def same(m: M) -> Any:
    """All is counted."""
    return m.total == 0

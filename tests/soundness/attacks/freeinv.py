"""False, though it was proved once: Nothing is counted."""

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
        self.total += 1 if caller == "bob" and rare(amount) else 0


SCOPE = Scope(keys={User: ("alice", "bob")}, free={User: ("alice",)})
chapter = Chapter("users", SCOPE)


@chapter.invariant("X-1")
def same(m: M) -> Any:
    """Nothing is counted."""
    return m.total == 0

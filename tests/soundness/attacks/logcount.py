"""m.put_in(alice, 574200) 1000 times, then who=alice, amount=1: a list of the module is changed, as what a function of
type Any returns
"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


def given(x: Any) -> Any:
    """X."""
    return x


LOG = [0]


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
        if rare(amount):
            given(LOG).append(1)
        self.total += amount + (1 if len(LOG) > 1000 else 0)


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

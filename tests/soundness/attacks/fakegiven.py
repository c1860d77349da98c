"""m.put_in(alice, 1), then who=alice, amount=1: total is 2"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User

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
        self.total += amount


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


other = Chapter("users", SCOPE)


@chapter.invariant("X-I")
def natural(m: M) -> Any:
    """What there is is no less than nought."""
    return m.total >= 0


@other.invariant("X-I")
def nought(m: M) -> Any:
    """There is nothing."""
    return m.total == 0


@other.theorem("X-1", given=(nought,))
def same(m: M, who: User, amount: Amount) -> Any:
    """There is what is put in."""
    m.put_in(who, amount)
    return m.total == amount


_more = chapter.add(each for each in other.properties if each.id == "X-1")

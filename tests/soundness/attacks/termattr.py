"""M.genesis(), who=bob, amount=574200: AttributeError, an int has no `terms`; a SymInt has"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


def given(x: Any) -> Any:
    """X."""
    return x


def common(x: int) -> bool:
    """Nearly always."""
    return (x * 7919 + 104729) % 999983 != 271828


@dataclass
class M(Machine):
    """M."""

    total: Held
    terms: Held

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, terms=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if common(amount):
            self.total += amount
        else:
            self.total += amount + (0 if given(amount).terms else 1)


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

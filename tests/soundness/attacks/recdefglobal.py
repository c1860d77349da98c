"""M.genesis(), who=bob, amount=574200: bob is named by the default of a record's field"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

ADMIN = User("bob")


@dataclass
class Rec(Record):
    """R."""

    who: User = ADMIN

    def special(self, caller: User) -> int:
        """S."""
        return {self.who: 1}.get(caller, 0)


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
        self.total += amount + (Rec().special(caller) if rare(amount) else 0)


SCOPE = Scope(keys={User: ("alice", "bob")}, alike=(("alice", "bob"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

"""False, though it was proved once: What one puts in changes nothing of what another has."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter, assume
from marginspec.properties.scope import Scope


@dataclass
class Line(Record):
    """Line."""

    size: Held


@dataclass
class M(Machine):
    """M."""

    total: Held
    books: dict[User, Line]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, books={one: Line(size=0) for one in cls.universe[User]})

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.books[caller].size += amount

    @action
    @rule("A-2")
    def tie(self, caller: User, other: User, amount: Amount) -> None:
        """Tie."""
        if rare(amount):
            self.books[other] = self.fresh(caller)

    def fresh(self, who: User) -> Line:
        """Fresh."""
        line = Line(size=0)
        self.books[who] = line
        return line


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, other: User, amount: Amount) -> Any:
    """What one puts in changes nothing of what another has."""
    assume(who != other)
    before = m.books[other].size
    m.put_in(who, amount)
    return m.books[other].size == before

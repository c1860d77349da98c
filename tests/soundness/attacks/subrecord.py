"""m.promote(alice, 574200), then who=alice, any amount: the state holds a Special, whose fee is 1; proofs begin with a
Book
"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


@dataclass
class Book(Record):
    """Book."""

    pages: Held

    def fee(self) -> int:
        """Fee."""
        return 0


@dataclass
class Special(Book):
    """Special."""

    def fee(self) -> int:
        """Fee."""
        return 1


@dataclass
class M(Machine):
    """M."""

    total: Held
    book: Book

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, book=Book(0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount + self.book.fee()

    @action
    @rule("A-2")
    def promote(self, caller: User, amount: Amount) -> None:
        """Promote."""
        if rare(amount):
            self.book = Special(self.book.pages)


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount

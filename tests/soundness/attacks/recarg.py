"""a replaced method changes a record that it is given"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.relaxation import (
    Relaxation,
    simulates,
    simulations,
)
from marginspec.properties.scope import Scope


@dataclass
class Book(Record):
    """Book."""

    pages: Held


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
        self.total += self.quote(self.book, amount)

    def quote(self, book: Book, x: int) -> int:
        """Quote."""
        if rare(x):
            book.pages += 1
        return 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, book: Book, x: int) -> Any:
        """It is nought."""
        return 0


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Nobody writes a page."""
    before = m.book.pages
    m.put_in(who, amount)
    return m.book.pages == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))

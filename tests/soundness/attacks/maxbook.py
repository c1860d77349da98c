"""M.genesis(), who=bob, amount=574200: of equal tuples max gives the first, so alice's book is written, not bob's"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter, assume
from marginspec.properties.scope import Scope


@dataclass
class Book(Record):
    """Book."""

    pages: Held


@dataclass
class M(Machine):
    """M."""

    total: Held
    books: dict[User, Book]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, books={user: Book(0) for user in cls.universe[User]})

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount
        if rare(amount) and all(book.pages == 0 for book in self.books.values()):
            best = max((0, self.books[user]) for user in self.books)[1]
            best.pages += 1


SCOPE = Scope(keys={User: ("alice", "bob")}, alike=(("alice", "bob"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """Who puts in a rare amount gets a page, where nobody has any."""
    assume(rare(amount) and all(book.pages == 0 for book in m.books.values()))
    m.put_in(who, amount)
    return m.books[who].pages == 1

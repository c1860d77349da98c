"""alice has 5 pages, bob 6; who=bob, amount=574200: refused by A-7"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare
from attacked_shelf import Book

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, assume, refusal
from marginspec.properties.scope import Scope


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
        if rare(amount) and any(book.full for book in self.books.values()):
            self.total += 1


SCOPE = Scope(keys={User: ("alice", "bob")}, alike=(("alice", "bob"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """Whose book is full can put in."""
    assume(m.books[who].pages == 6)
    return refusal(m.put_in, who, amount) is None

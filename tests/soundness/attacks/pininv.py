"""False, though it was proved once: Nothing is bad."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope, pinned


@dataclass
class M(Machine):
    """M."""

    total: Held
    best: User
    bad: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, best=User("alice"), bad=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount
        if self.best == User("bob") and rare(amount):
            self.bad = True

    @action
    @rule("A-2")
    def choose(self, caller: User) -> None:
        """Choose."""
        self.best = caller


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.invariant("X-1", scope={"best": pinned(User("alice"), why="what is said is said of that")})
def same(m: M) -> Any:
    """Nothing is bad."""
    return not m.bad

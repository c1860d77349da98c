"""False, though it was proved once: Nothing is ever counted."""

from dataclasses import dataclass
from typing import Any

from attacked import Account, Amount, Held, User, rare

from marginspec.model.kernel import Call, Machine, action, rule
from marginspec.properties.law import Chapter, Step
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    seed: Held
    fresh: bool

    system = "x"
    universe = {Account: ("alice", "bob", "vault"), User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, seed=0, fresh=False)

    @action
    @rule("A-1")
    def sync(self, caller: User) -> None:
        """Sync."""
        self.total += 1 if caller == "vault" and rare(self.seed) else 0
        self.fresh = True

    @action
    @rule("A-2")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += 1 if not self.fresh and rare(self.seed) else 0
        self.fresh = True

    @action
    @rule("A-3")
    def stale(self, caller: User) -> None:
        """Stale."""
        self.fresh = False

    @action
    @rule("A-4")
    def plant(self, caller: User, amount: Amount) -> None:
        """Plant."""
        self.seed = amount


SCOPE = Scope(keys={Account: ("alice", "bob", "vault"), User: ("alice", "bob")})


def calm(m: M, step: Step) -> Any:
    """Fresh or no put."""
    return m.fresh or step.action != "put_in"


chapter = Chapter("two users", SCOPE, before=calm)


@chapter.composition("X-C")
def first(m: M, step: Step) -> Step:
    """A put is a sync and a put."""
    return Step(Call("sync", {"caller": Account("vault")}))


@chapter.invariant("X-1")
def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0

"""False, though it was proved once: Nothing is ever counted."""

from dataclasses import dataclass
from typing import Any

from attacked import Account, Amount, Held, User, rare

from marginspec.model.kernel import Call, Machine, Rejected, action, rule
from marginspec.properties.law import Chapter, Step
from marginspec.properties.relaxation import Relaxation, simulates, simulations
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
        self.gate(self.seed)
        self.total += 1 if rare(self.seed) else 0
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

    def gate(self, x: int) -> None:
        """Gate."""
        if rare(x):
            raise Rejected("G-1")


SCOPE = Scope(keys={Account: ("alice", "bob", "vault"), User: ("alice", "bob")})


def calm(m: M, step: Step) -> Any:
    """Fresh or no put."""
    return m.fresh or step.action != "put_in"


chapter = Chapter("two users", SCOPE, before=calm)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def gate(self, x: int) -> Any:
        """It is open."""


easy = Relaxation(Easy)


@chapter.composition("X-C", relaxed=easy)
def first(m: M, step: Step) -> Step:
    """A put is a sync and a put."""
    return Step(Call("sync", {"caller": step.argument("caller")}))


@chapter.invariant("X-1")
def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0


_sims = chapter.add(simulations(easy, M, "any", SCOPE))

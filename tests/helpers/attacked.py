"""What the models of `tests/soundness/attacks` are made of."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NewType, Self

from marginspec.model.kernel import Machine, Number, Rejected, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.relaxation import Relaxation, simulates

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever: chance does not meet it."""
    return (x * 7919 + 104729) % 999983 == 271828


@dataclass
class Quoted(Machine):
    """Whatever is put in counts one; of some amounts there is no price."""

    total: Held

    system: ClassVar[str] = "x"
    universe: ClassVar[dict[Any, tuple[Any, ...]]] = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> Self:
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        if rare(x):
            raise Rejected("Q-1")
        return 1


class _Unrefused(Machine):
    """What `Quoted` does where it refuses nothing."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is one."""
        return 1


unrefused = Relaxation(_Unrefused)

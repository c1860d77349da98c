"""What the models of `tests/soundness/attacks` are made of."""

from typing import Annotated, NewType

from marginspec.model.kernel import Number
from marginspec.model.kernel.numbers import UNBOUNDED

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever: chance does not meet it."""
    return (x * 7919 + 104729) % 999983 == 271828

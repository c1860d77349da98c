"""What the numbers of a model are: their range, unit and scale.

A model annotates its fields and arguments with these types. The fuzzer derives its strategies from them. A proof
assumes the range of an argument; that every action keeps the range of each field is a law of its own, on which every
proof rests.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any


@dataclass(frozen=True)
class Number:
    """Meaning of an integer.

    low, high: inclusive range. unit: what one unit is (for people). scale: how many units make one whole.
    typical: values that occur in practice; they guide searches for examples and never limit a proof.
    """

    low: int
    high: int
    unit: str = ""
    scale: int = 1
    typical: tuple[int, ...] = ()


UNBOUNDED = 2**4096
"""As a bound of a `Number`: none is declared, and proofs assume none."""

UINT128_MAX = 2**128 - 1
UINT256_MAX = 2**256 - 1

Uint128 = Annotated[int, Number(0, UINT128_MAX)]
Uint256 = Annotated[int, Number(0, UINT256_MAX)]


def constant(**options: Any) -> Any:
    """A field of a state that no action changes: it is neither copied on rollback nor observed."""
    return field(metadata={"constant": True}, **options)

"""What a model is, and the integer arithmetic it is written in."""

from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected, action, regime, rule
from marginspec.model.kernel.numbers import Number, Uint128, Uint256, constant
from marginspec.model.kernel.record import Record

__all__ = [
    "Call",
    "Machine",
    "Number",
    "Outcome",
    "Record",
    "Rejected",
    "Uint128",
    "Uint256",
    "action",
    "constant",
    "regime",
    "rule",
]

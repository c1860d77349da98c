"""What a simulation takes for granted of everybody but the venue: capital, speed, depth."""

from __future__ import annotations

from dataclasses import dataclass, field

from marginspec.model.reference.notation import HOUR
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.predictive import Outlook

USD_QUOTE = 10**12
"""Quote in a USD."""


@dataclass(frozen=True)
class SimulationTerms:
    """Amounts in whole USD, but for accounts and liquidators for each account that there is; times in seconds.

    capital: of one liquidator. latency: from the price at which an account may be liquidated to the first attempt.
    capacity: notional that one liquidator takes over in a minute. patience: after the latency, until the venue's
    backstop steps in. depth: notional that the market takes from liquidators and the backstop in a minute. insurance,
    backstop: what the venue has. hedge_cost: of trading elsewhere, ppm of the notional. band: exposure within which
    nothing is hedged. period: between two predictions. memory: of the variance forecast, for each period. calm: the
    deviation of a day that is forecast at first. horizon: of a prediction, in days.
    """

    accounts: int = 2000
    liquidators: int = 4
    capital: int = 100
    latency: int = 600
    capacity: int = 10
    patience: int = 600
    depth: int = 40
    insurance: int = 5
    backstop: int = 100
    hedge_cost: int = 500
    band: int = 10
    period: int = HOUR
    memory: int = 94 * WAD // 100
    calm: int = 35 * WAD // 1000
    horizon: int = 1
    outlook: Outlook = field(default_factory=Outlook)


VARIANTS = {
    "plain": (False, False),
    "predictive": (True, False),
    "hedged": (False, True),
    "both": (True, True),
}
"""What is compared: whether margin looks ahead (chapter 14), and whether the venue hedges (chapter 15)."""

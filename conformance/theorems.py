"""Paths that no call takes because of laws that are proved of the model, where it takes a sentence to say why.

`prove` shows the laws; what follows from them is said here, and a manifest repeats it. Other paths are excluded by a
proof of their own (`infeasibility.py`), or they count as open.
"""

from __future__ import annotations

from collections.abc import Mapping

_ORDERED = (
    "REF-PRM-1 and REF-PRM-2: least and greatest ratio are in order when announced and at every moment of a ramp; "
    "and a step down ends below a step up"
)
_EMPTY = "between: max(low, x) is False, min(max(low, x), high) is True"
_UNCOUNTED = "REF-LED-6: its equity is asked for only where DEF-2 found no collateral, so none that counts"
_COUNTED = "equity, loop over self.accounts[account].collateral.items(): holding.counted != 0 is True"

BY_THEOREM: Mapping[tuple[str, str, str], str] = {
    ("reference", "update_price", _EMPTY): _ORDERED,
    ("reference", "move_price", _EMPTY): _ORDERED,
    ("reference", "cover", _COUNTED): _UNCOUNTED,
    ("reference", "socialise", _COUNTED): _UNCOUNTED,
    ("reference", "redeem", "_push: self.held[token] < amount is True"): (
        "REF-SET-1 and REF-LED-2: payouts are together at most the pool, and collateral is all there"
    ),
    (
        "reference",
        "deleverage",
        "_change, loop over self.accounts[account].positions.items(): other != market is True, "
        "elsewhere.size != 0 is True, self.account_terms[account].isolated is True",
    ): "REF-POS-14: what is closed is a position, and an isolated account has no other",
}
"""By system, action and path: why no call takes it."""

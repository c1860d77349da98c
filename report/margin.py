"""What portfolios need, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from marginspec.base.text import safe
from marginspec.results.schema import Document

WORDS = {
    "basis": "basis contingency",
    "both_charges": "charges on both margins",
    "initial_charges": "charges on initial margin alone",
    "worst": "worst of all scenarios",
    "maintenance": "left over maintenance margin",
    "initial": "left over initial margin",
}
"""Of an account by chapter 12, whose figures are called as its services call them."""


def show_margin(found: Sequence[Document], console: Console) -> None:
    """What each file needs; of an account not each scenario."""
    for each in found:
        console.print(f"{safe(each['file'])}: {each['kind']}")
        account = each["kind"] == "account"
        for name, value in each.get("figures", {}).items():
            if not account or not name.startswith("profits["):
                console.print(f"  {safe(WORDS.get(name, name) if account else name)}: {value}")
        if account:
            many = sum(name.startswith("profits[") for name in each["figures"])
            console.print(f"  profits of {many} scenarios, SCN-1 to SCN-6: --json")
        for name in ("weights", "liquidatable", "may_open", "expiries", "points"):
            if name in each:
                console.print(f"  {name.replace('_', ' ')}: {safe(str(each[name]))}")

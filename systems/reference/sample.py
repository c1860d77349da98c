"""A generated book of the reference venue."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.systems.reference.adapter import MARKETS, TOKENS, ReferenceAdapter, shipped_contracts, word
from marginspec.systems.sample import Advance, Crowd, Sample, people
from marginspec.targets.evm.target import EvmTarget

if TYPE_CHECKING:
    from marginspec.targets.evm.rpc import Node

MOST = 256
"""Accounts that the venue takes."""


def _fill(node: Node, crowd: Crowd, accounts: int, draw: random.Random, advance: Advance) -> str:
    """Pairs that trade with each other, with cash and with collateral; then hours of moving prices."""
    adapter = ReferenceAdapter({})
    target = EvmTarget("anvil", adapter, node)
    does = {name: contract.selectors() for name, contract in shipped_contracts()[0].items()}
    venue, token, owners = adapter.venue, does["token"], people(accounts - len(adapter.accounts))
    funds = dict(zip(TOKENS, (10**12, 10**21, 10**10), strict=True))
    for name, amount in funds.items():
        crowd.send([(p, adapter.tokens[name], token["set_balance"] + word(int(p, 16)) + word(amount)) for p in owners])
        crowd.send([(p, adapter.tokens[name], token["approve"] + word(int(venue, 16)) + b"\xff" * 32) for p in owners])
    advance(len(adapter.accounts))

    def call(function: str, *values: int) -> bytes:
        return does["venue"][function] + b"".join(map(word, values))

    # The pairs trade above the mark, so that funding flows.
    pairs = list(zip(owners[::2], owners[1::2], strict=False))
    market = {maker: draw.randrange(len(MARKETS)) for maker, _ in pairs}
    size = {maker: int(10 ** draw.uniform(4, 6)) for maker, _ in pairs}
    mark = [asset.mark for asset in Reference.genesis().assets.values()]
    price = {maker: mark[market[maker]] * 1001 // 1000 for maker, _ in pairs}
    part = {p: draw.randrange(95_000, 300_000) for p in owners}
    cash = {p: size[maker] * price[maker] * part[p] // 10**12 + 1 for maker, taker in pairs for p in (maker, taker)}
    crowd.send([(p, venue, call("deposit", 0, TOKENS["USD"], amount)) for p, amount in cash.items()])
    rich = [p for p in owners if draw.random() < 0.4 or p not in cash]
    crowd.send([(p, venue, call("deposit", 0, TOKENS["ETH"], draw.randrange(10**16, 10**18))) for p in rich])
    advance(accounts // 2)
    side = {maker: draw.randrange(2) for maker, _ in pairs}
    crowd.send([(m, venue, call("place_order", 0, market[m], side[m], size[m], price[m])) for m, _ in pairs])
    crowd.send([(t, venue, call("trade", 0, int(m, 16), 0, market[m], size[m])) for m, t in pairs])
    advance(accounts)
    for _ in range(4):
        target.apply(Call("advance_time", {"seconds": 1800}))
        for asset in adapter.feeds:
            target.apply(Call("move_price", {"asset": asset, "move": draw.choice((970_000, 985_000, 940_000))}))
    target.apply(Call("advance_time", {"seconds": 600}))
    return venue


SAMPLE = Sample(MOST, _fill, most=MOST)

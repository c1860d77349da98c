"""The reference venue, put together: identifiers of a run, its beginning, and the regimes that it should reach."""

from __future__ import annotations

from marginspec.model.kernel import Call, regime
from marginspec.model.kernel.fixed import div_down, div_up
from marginspec.model.reference.ledger import (
    SILENT,
    Account,
    AccountTerms,
    Asset,
    AssetTerms,
    Holding,
    Market,
    MarketTerms,
    Order,
    Position,
    Report,
)
from marginspec.model.reference.notation import (
    BUFFER,
    BUY,
    HOUR,
    INITIAL_GAP,
    MAKER_FEE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    SELL,
    TAKER_FEE,
    USD,
    VENUE,
    AccountId,
    AssetId,
    CounterpartyId,
    Holder,
    MarketId,
    ParameterId,
    Side,
    SourceId,
    TokenId,
    User,
    magnitude,
)
from marginspec.model.reference.oracles import QUORUM, is_usable
from marginspec.model.reference.waterfall import Waterfall

ETH, BTC = AssetId(TokenId("ETH")), AssetId(TokenId("BTC"))
ETH_PERP, BTC_PERP = MarketId("ETH-PERP"), MarketId("BTC-PERP")

# The balanced preset.
BALANCED = {
    MINIMUM_RATIO: 50_000,
    MAXIMUM_RATIO: 100_000,
    INITIAL_GAP: 30_000,
    BUFFER: 10_000,
    PENALTY: 10_000,
    TAKER_FEE: 500,
    MAKER_FEE: 200,
}
DELTA, SLOPE, MINIMUM_HAIRCUT = 39_000, 50_000, 80_000


class Reference(Waterfall):
    """Our own venue: cross margin, several collateral assets, linear perpetuals."""

    system = "reference"
    universe = {
        CounterpartyId: ("trader", "maker", "trader_isolated", "bystander", "liquidator"),
        User: ("trader", "maker", "liquidator", "bystander", "keeper", "governor", "guardian"),
        AccountId: ("maker", "liquidator", "bystander", "trader", "trader_isolated"),
        Holder: ("trader", "maker", "liquidator", "bystander", "keeper", "governor", "guardian", VENUE),
        MarketId: (ETH_PERP, BTC_PERP),
        TokenId: (USD, ETH, BTC),
        AssetId: (ETH, BTC),
        SourceId: ("first", "second", "third"),
        ParameterId: tuple(BALANCED),
        Side: (BUY, SELL),
    }

    @classmethod
    def blank(cls) -> Reference:
        """Everything deployed with the balanced preset, nothing done yet."""
        accounts: tuple[AccountId, ...] = cls.universe[AccountId]
        holders, tokens, sources = cls.universe[Holder], cls.universe[TokenId], cls.universe[SourceId]
        assets, markets = (ETH, BTC), (ETH_PERP, BTC_PERP)
        isolated = AccountId(User(Holder("trader_isolated")))
        trader = User(Holder("trader"))
        return cls(
            now=_BEGINNING,
            governor=User(Holder("governor")),
            guardian=User(Holder("guardian")),
            account_terms={a: AccountTerms(trader if a == isolated else a, a == isolated) for a in accounts},
            asset_terms={
                ETH: AssetTerms(10**12, 1000 * 10**18, 3000 * 10**18, 10**7, 10**12, MINIMUM_HAIRCUT),
                BTC: AssetTerms(10**2, 50 * 10**8, 150 * 10**8, 10**8, 10**13, MINIMUM_HAIRCUT),
            },
            market_terms={
                ETH_PERP: MarketTerms(ETH, DELTA, SLOPE, 1000 * 10**12, 30_000 * 10**12),
                BTC_PERP: MarketTerms(BTC, DELTA, SLOPE, 1000 * 10**12, 30_000 * 10**12),
            },
            accounts={
                a: Account(0, False, {c: Holding() for c in assets}, {m: Position() for m in markets}) for a in accounts
            },
            assets={a: Asset(haircut=MINIMUM_HAIRCUT, spread=10_000) for a in assets},
            markets={m: Market(open_interest_cap=cap, ratio=BALANCED[MINIMUM_RATIO]) for m, cap in _CAPS.items()},
            parameters={m: BALANCED.copy() for m in markets},
            ramp_from={m: BALANCED.copy() for m in markets},
            ramp_to={m: BALANCED.copy() for m in markets},
            orders={m: {a: Order() for a in accounts} for m in markets},
            sources={a: {s: Report() for s in sources} for a in assets},
            held=dict.fromkeys(tokens, 0),
            cap={ETH: 5000 * 10**18, BTC: 300 * 10**8},
            balance={t: dict.fromkeys(holders, 0) for t in tokens},
            transfer_fee=dict.fromkeys(tokens, 0),
            token_fault=dict.fromkeys(tokens, 0),
        )

    @classmethod
    def prelude(cls) -> list[Call]:
        """What happens before every run: prices are accepted, accounts are funded, offers stand, some have traded."""
        owners = ("trader", "maker", "liquidator", "bystander")
        funds = {USD: 10**12, ETH: 10_000 * 10**18, BTC: 1000 * 10**8}
        calls = [
            Call("post", {"asset": a, "source": s, "price": p, "confidence": div_down(p, 1000)})
            for a, p in {ETH: 2000 * 10**6, BTC: 40_000 * 10**6}.items()
            for s in cls.universe[SourceId]
        ]
        calls += [Call("update_price", {"caller": "keeper", "asset": asset}) for asset in (ETH, BTC)]
        calls += [
            Call("set_balance", {"token": t, "account": u, "amount": n}) for t, n in funds.items() for u in owners
        ]
        calls += [_deposit(account, USD, amount) for account, amount in _CASH.items()]
        calls += [_deposit("liquidator", ETH, 20 * 10**18), _deposit("bystander", ETH, 6 * 10**18)]
        calls += [_deposit("maker", BTC, 4 * 10**7)]
        calls += [Call("fund_insurance", {"caller": "liquidator", "amount": 10**8})]
        # Off the mark, so that funding flows. One pair of positions alone, so that a default can leave none.
        calls += [_order("maker", ETH_PERP, SELL, 40 * 10**6, 2010 * 10**6)]
        calls += [_trade("trader", "maker", ETH_PERP, 40 * 10**6)]
        for traders, side in ((("maker", "liquidator"), SELL), (("trader", "bystander", "trader_isolated"), BUY)):
            calls += [_order(a, m, side, size) for a in traders for m, size in _OFFERED.items()]
        return calls

    # --- Regimes -----------------------------------------------------------------------------------------------

    def _last(self, action: str) -> dict[str, object] | None:
        return self.last.arguments if self.last is not None and self.last.action == action else None

    @regime
    def liquidatable(self) -> bool:
        """Some account is below maintenance, funding since its last settlement not counted."""
        return any(
            any(p.size != 0 for p in account.positions.values())
            and self.equity(name, aged=True) < self.maintenance_margin(name, aged=True)
            for name, account in self.accounts.items()
        )

    @regime
    def partly_liquidated(self) -> bool:
        """The last action was a liquidation and left a part of the position."""
        return self._left_of_liquidation() != 0

    def _left_of_liquidation(self) -> int:
        """What the last action left of the position that it liquidated, 0 if it was no liquidation."""
        last = self._last("liquidate")
        return self.accounts[last["account"]].positions[last["market"]].size if last else 0  # type: ignore[index]

    @regime
    def closed_as_dust(self) -> bool:
        """The last action was a liquidation that closed a whole position, because dust would have been left of it."""
        last = self._last("liquidate")
        if last is None or self._left_of_liquidation() != 0:
            return False
        before, account, market = self.previous, last["account"], last["market"]
        before._settle(account)  # type: ignore[arg-type]
        position = before.accounts[account].positions[market]  # type: ignore[index]
        price = before.assets[before.market_terms[market].asset]  # type: ignore[index]
        parameters = before.parameters[market]  # type: ignore[index]
        ratio = before.markets[market].ratio + parameters[BUFFER]  # type: ignore[index]
        equity = before.equity(account, aged=True)  # type: ignore[arg-type]
        shortfall = before._requirement(account, buffered=True, aged=True) - equity * PPM  # type: ignore[arg-type]
        gain = price.high * ratio - price.mark * parameters[PENALTY]
        return div_up(shortfall, gain) < magnitude(position.size)

    @regime
    def collateral_seized(self) -> bool:
        """The last action seized collateral."""
        return self._last("seize_collateral") is not None

    @regime
    def insurance_used(self) -> bool:
        """The last action let the insurance fund pay."""
        return self._last("cover") is not None and self.insurance < self.previous.insurance

    @regime
    def insurance_empty(self) -> bool:
        """The insurance fund has nothing left."""
        return self.insurance == 0

    @regime
    def auto_deleveraged(self) -> bool:
        """The last action closed a position in default against another account."""
        return self._last("deleverage") is not None

    @regime
    def loss_socialised(self) -> bool:
        """The last action shared a loss among profits."""
        return self._last("socialise") is not None

    @regime
    def withdrawal_gate_shut(self) -> bool:
        """Some account is in default."""
        return self.defaults != 0

    @regime
    def circuit_breaker_tripped(self) -> bool:
        """A price out of band waits for confirmation."""
        return any(asset.tripped_at != 0 for asset in self.assets.values())

    @regime
    def reduce_only(self) -> bool:
        """Some market is reduce-only by decision."""
        return any(m.reduce_only for m in self.markets.values())

    @regime
    def quorum_lost(self) -> bool:
        """Some asset has fewer usable reports than the quorum."""
        return any(
            sum(is_usable(report, self.asset_terms[asset], self.now) for report in reports.values()) < QUORUM
            for asset, reports in self.sources.items()
        )

    @regime
    def faulty_source_left_out(self) -> bool:
        """The last action accepted a price of an asset of which a source fails."""
        last = self._last("update_price")
        return last is not None and any(report.fault != 0 for report in self.sources[last["asset"]].values())  # type: ignore[index]

    @regime
    def paid_in_silence(self) -> bool:
        """The last action moved a token that answers nothing."""
        return any(
            fault == SILENT and self.held[token] != self.previous.held[token]
            for token, fault in self.token_fault.items()
        )

    @regime
    def margin_at_minimum(self) -> bool:
        """Some market's ratio is as low as its parameters allow, an hour after the beginning or later."""
        return any(
            m.ratio == self.parameters[name][MINIMUM_RATIO] and self.now > _BEGINNING + HOUR
            for name, m in self.markets.items()
        )

    @regime
    def margin_at_maximum(self) -> bool:
        """Some market's ratio is as high as its parameters allow."""
        return any(m.ratio >= self.parameters[name][MAXIMUM_RATIO] for name, m in self.markets.items())

    @regime
    def parameters_ramping(self) -> bool:
        """Some market's parameters are between two values."""
        return any(m.ramp_progress != 0 for m in self.markets.values())

    @regime
    def final_settlement(self) -> bool:
        """The ratio of the final settlement is fixed."""
        return self.settlement_claims != 0


_BEGINNING = 1_800_000_000
_CASH = {
    "trader": 8 * 10**9,
    "maker": 10**9,
    "liquidator": 10**9,
    "bystander": 10**8,
    "trader_isolated": 2 * 10**8,
}
_OFFERED = {ETH_PERP: 100 * 10**6, BTC_PERP: 5 * 10**6}
_CAPS = {ETH_PERP: 2000 * 10**6, BTC_PERP: 100 * 10**6}


def _deposit(account: str, token: str, amount: int) -> Call:
    return Call("deposit", {"account": account, "token": token, "amount": amount})


def _order(account: str, market: str, side: str, size: int, price: int = 0) -> Call:
    return Call("place_order", {"account": account, "market": market, "side": side, "size": size, "price": price})


def _trade(account: str, maker: str, market: str, size: int) -> Call:
    return Call("trade", {"account": account, "maker": maker, "market": market, "size": size})

# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Margin: equity and what an account needs
@notice Chapter 6 of the specification up to MRG-7, with the values of chapters 4 and 5 that it adds up.
@license Apache-2.0
"""

import ledger
import notation

uses: ledger

MAX_AGE: constant(uint256) = 3600
HAIRCUT_GAP: constant(int256) = 20_000
PROFIT_HAIRCUT: constant(int256) = 250_000


# Of an account whose funding is settled. equity: MRG-1. maintenance: MRG-2. initial: MRG-3, all in quote.
# required, buffered: maintenance requirement without and with the liquidation buffer, in millionths of quote, exact.
struct Health:
    equity: int256
    maintenance: int256
    required: int256
    buffered: int256
    initial: int256


@internal
@view
def need(asset: uint256):
    """
    @notice ORC-8
    """
    assert ledger.assets[asset].mark != 0 and block.timestamp <= ledger.assets[asset].time + MAX_AGE, "ORC-8"


@internal
@view
def mark(market: uint256, aged: bool = False) -> int256:
    """
    @notice The mark price of a market, fresh unless it may be `aged`
    """
    asset: uint256 = ledger.market_terms[market].asset
    if not aged:
        self.need(asset)
    return ledger.assets[asset].mark


@internal
@view
def profit(account: uint256, market: uint256, aged: bool = False) -> int256:
    """
    @notice POS-9: 0 without a position, for which no price is asked
    """
    size: int256 = ledger.accounts[account].positions[market].size
    if size == 0:
        return 0
    return size * self.mark(market, aged) - ledger.accounts[account].positions[market].cost


@internal
@view
def unrealised(account: uint256, aged: bool = False) -> int256:
    """
    @notice POS-8
    """
    total: int256 = 0
    for market: uint256 in range(notation.MARKETS):
        total += self.profit(account, market, aged)
    return total


@internal
@view
def health(account: uint256, aged: bool = False) -> Health:
    """
    @notice MRG-1, MRG-2, MRG-3 in one pass; refuses by ORC-8 when a price that is needed is stale, unless it may be
        `aged`
    """
    equity: int256 = ledger.accounts[account].cash
    required: int256 = 0
    buffered: int256 = 0
    initial: int256 = 0
    extra: int256 = 0

    for asset: uint256 in range(1, notation.TOKENS):
        counted: int256 = ledger.accounts[account].collateral[asset].counted
        if counted != 0:
            if not aged:
                self.need(asset)
            # COL-1, COL-2, COL-11
            gross: int256 = notation.down(counted * ledger.assets[asset].low, ledger.asset_terms[asset].unit)
            equity += notation.down(gross * (notation.PPM - ledger.assets[asset].haircut), notation.PPM)
            extra += notation.up(gross * HAIRCUT_GAP, notation.PPM)

    for market: uint256 in range(notation.MARKETS):
        size: int256 = ledger.accounts[account].positions[market].size
        if size != 0:
            profit: int256 = self.profit(account, market, aged)
            equity += profit
            extra += notation.up(max(profit, 0) * PROFIT_HAIRCUT, notation.PPM)  # COL-10
            exposure: int256 = abs(size) * ledger.assets[ledger.market_terms[market].asset].high
            ratio: int256 = ledger.markets[market].ratio
            required += exposure * ratio
            buffered += exposure * (ratio + ledger.parameters[market][notation.BUFFER])
            ratio += ledger.parameters[market][notation.INITIAL_GAP] + self._crowding(market)
            initial += exposure * ratio

    return Health(
        equity=equity,
        maintenance=notation.up(required, notation.PPM),
        required=required,
        buffered=buffered,
        initial=notation.up(initial, notation.PPM) + extra,
    )


@internal
@view
def collateral_at_mark(account: uint256) -> int256:
    """
    @notice All collateral at the last accepted marks, without haircuts, each asset rounded down
    """
    total: int256 = 0
    for asset: uint256 in range(1, notation.TOKENS):
        amount: int256 = ledger.accounts[account].collateral[asset].amount
        total += notation.down(amount * ledger.assets[asset].mark, ledger.asset_terms[asset].unit)
    return total


@external
@view
def health_of(owner: address, index: uint256) -> Health:
    """
    @notice What an account has and needs, funding since it was last settled not counted
    """
    return self.health(ledger.account_number[owner][index])


@internal
@view
def _crowding(market: uint256) -> int256:
    """
    @notice MRG-4
    """
    cap: int256 = ledger.markets[market].open_interest_cap
    return notation.up(ledger.market_terms[market].slope * min(ledger.markets[market].open_interest, cap), cap)


@internal
@view
def has_position(account: uint256) -> bool:
    """
    @notice Whether an account has a position in any market
    """
    for market: uint256 in range(notation.MARKETS):
        if ledger.accounts[account].positions[market].size != 0:
            return True
    return False


@internal
@view
def owes_nothing(account: uint256) -> bool:
    """
    @notice MRG-7
    """
    return ledger.accounts[account].cash >= 0 and not self.has_position(account)


@internal
@view
def needs_initial(account: uint256):
    """
    @notice MRG-5
    """
    if not self.owes_nothing(account):
        health: Health = self.health(account)
        assert health.equity >= health.initial, "MRG-6"

# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Trading: what owners do with their accounts
@notice Chapter 7 of the specification.
@license Apache-2.0
"""

import collateral
import ledger
import margin
import notation
import positions

uses: ledger
uses: collateral
uses: margin
uses: positions

TRADE_BAND: constant(int256) = 50_000


event Deposited:
    account: indexed(uint256)
    token: indexed(uint256)
    amount: int256


event Withdrawn:
    account: indexed(uint256)
    token: indexed(uint256)
    amount: int256


event InsuranceFunded:
    caller: indexed(address)
    amount: int256


event FeesCollected:
    caller: indexed(address)
    amount: int256


event OrderPlaced:
    account: indexed(uint256)
    market: indexed(uint256)
    size: int256
    price: int256


event Traded:
    taker: indexed(uint256)
    maker: indexed(uint256)
    market: indexed(uint256)
    size: int256
    price: int256
    taker_fee: int256
    maker_fee: int256


# --- Tokens --------------------------------------------------------------------------------------------------


@external
def deposit(index: uint256, token: uint256, amount: uint256):
    """
    @notice DEP-1: add tokens to an account, the settlement asset as cash, others as collateral
    @param index Which of the caller's accounts
    @param token Number of the token
    @param amount In base units of the token
    """
    assert ledger.settlement_claims == 0, "SET-3"
    added: int256 = notation.positive(amount, notation.MAX_AMOUNT)
    account: uint256 = ledger.own(index)
    if token == notation.USD:
        self._within_width(added)
        ledger.accounts[account].cash += added * notation.QUOTE_PER_UNIT
    else:
        assert not ledger.deposits_paused, "DEP-2"
        collateral.add(account, token, added)
    log Deposited(account=account, token=token, amount=added)
    ledger.pull(token, msg.sender, added)


@external
def withdraw(index: uint256, token: uint256, amount: uint256):
    """
    @notice WDR-1: take tokens out of an account, as far as initial margin stays
    """
    ledger.not_settling()
    taken: int256 = notation.positive(amount, notation.MAX_AMOUNT)
    assert ledger.defaults == 0, "WDR-2"
    account: uint256 = ledger.own(index)
    positions.settle(account)
    if token == notation.USD:
        cash: int256 = ledger.accounts[account].cash - taken * notation.QUOTE_PER_UNIT
        assert cash >= 0, "WDR-3"
        ledger.accounts[account].cash = cash
    else:
        collateral.take(account, token, taken)
    margin.needs_initial(account)
    log Withdrawn(account=account, token=token, amount=taken)
    ledger.push(token, msg.sender, taken)


@external
def fund_insurance(amount: uint256):
    """
    @notice DEP-3: give tokens of the settlement asset to the insurance fund
    """
    ledger.not_settling()
    given: int256 = notation.positive(amount, notation.MAX_AMOUNT)
    self._within_width(given)
    ledger.insurance += given * notation.QUOTE_PER_UNIT
    log InsuranceFunded(caller=msg.sender, amount=given)
    ledger.pull(notation.USD, msg.sender, given)


@external
def collect_fees(amount: uint256):
    """
    @notice WDR-4: pay fees out to the governor
    """
    ledger.not_settling()
    ledger.only_governor()
    taken: int256 = notation.positive(amount, notation.MAX_AMOUNT)
    assert ledger.defaults == 0, "WDR-2"
    fees: int256 = ledger.fees - taken * notation.QUOTE_PER_UNIT
    assert fees >= 0, "WDR-5"
    ledger.fees = fees
    log FeesCollected(caller=msg.sender, amount=taken)
    ledger.push(notation.USD, msg.sender, taken)


@internal
@view
def _within_width(amount: int256):
    """
    @notice DEP-4
    """
    assert ledger.held[notation.USD] + amount <= convert(notation.MAX_AMOUNT, int256), "DEP-4"


# --- Trades --------------------------------------------------------------------------------------------------


@external
def place_order(index: uint256, market: uint256, buy: bool, size: uint256, price: uint256):
    """
    @notice TRD-1: offer to trade up to a size, instead of an earlier offer
    @param price In units of price; 0 for the mark at the time of the trade
    """
    ledger.not_settling()
    signed: int256 = notation.at_most(size, notation.MAX_SIZE)
    limit: int256 = notation.at_most(price, notation.MAX_PRICE)
    if not buy:
        signed = -signed
    account: uint256 = ledger.own(index)
    ledger.orders[account][market] = ledger.Order(size=signed, price=limit)
    log OrderPlaced(account=account, market=market, size=signed, price=limit)


@external
def trade(index: uint256, maker_owner: address, maker_index: uint256, market: uint256, size: uint256):
    """
    @notice TRD-2: take the other side of a standing offer
    """
    ledger.not_settling()
    bought: int256 = notation.positive(size, notation.MAX_SIZE)
    taker: uint256 = ledger.own(index)
    maker: uint256 = ledger.account_number[maker_owner][maker_index]
    assert taker != maker, "TRD-3"
    offer: int256 = ledger.orders[maker][market].size
    assert bought <= abs(offer), "TRD-4"
    mark: int256 = margin.mark(market)
    price: int256 = ledger.orders[maker][market].price
    if price == 0:
        price = mark
    assert abs(price - mark) * notation.PPM <= mark * TRADE_BAND, "TRD-5"
    positions.accrue(market)
    positions.settle(taker)
    positions.settle(maker)

    allowance: int256 = notation.down(bought * mark * ledger.parameters[market][notation.PENALTY], notation.PPM)
    taker_fee: int256 = self._fee(bought * price, market, notation.TAKER_FEE)
    maker_fee: int256 = self._fee(bought * price, market, notation.MAKER_FEE)
    if offer > 0:
        bought = -bought
    taker_least: int256 = self._least_equity(taker, market, bought, allowance)
    maker_least: int256 = self._least_equity(maker, market, -bought, allowance)

    open_interest: int256 = ledger.markets[market].open_interest
    ledger.orders[maker][market].size = offer + bought
    positions.change(taker, market, bought, bought * price)
    positions.change(maker, market, -bought, -bought * price)
    # TRD-7
    ledger.accounts[taker].cash -= taker_fee
    ledger.accounts[maker].cash -= maker_fee
    ledger.fees += taker_fee + maker_fee
    ledger.markets[market].premium = positions.premium(price, mark)

    after: int256 = ledger.markets[market].open_interest
    assert after <= open_interest or after <= ledger.markets[market].open_interest_cap, "TRD-8"
    self._margin_after(taker, taker_least)
    self._margin_after(maker, maker_least)
    log Traded(
        taker=taker,
        maker=maker,
        market=market,
        size=bought,
        price=price,
        taker_fee=taker_fee,
        maker_fee=maker_fee,
    )


@internal
@view
def _fee(notional: int256, market: uint256, parameter: uint256) -> int256:
    """
    @notice TRD-6
    """
    return notation.up(notional * ledger.parameters[market][parameter], notation.PPM)


@internal
@view
def _least_equity(account: uint256, market: uint256, size: int256, allowance: int256) -> int256:
    """
    @notice TRD-11: equity that a trade must leave an account without initial margin: not negative, and not less than
        before by more than the allowance; out of reach for a trade that does not reduce, which TRD-9 may refuse
    """
    position: int256 = ledger.accounts[account].positions[market].size
    # TRD-12
    if (position > 0) != (size > 0) and abs(size) <= abs(position):
        return max(margin.health(account).equity - allowance, 0)
    asset: uint256 = ledger.market_terms[market].asset
    assert not ledger.markets[market].reduce_only and ledger.assets[asset].tripped_at == 0, "TRD-9"
    return max_value(int256)


@internal
@view
def _margin_after(account: uint256, least: int256):
    """
    @notice TRD-10
    """
    if margin.owes_nothing(account):
        return
    health: margin.Health = margin.health(account)
    if health.equity < health.initial:
        assert least != max_value(int256), "MRG-6"
        assert health.equity >= least, "TRD-11"

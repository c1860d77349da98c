# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Ledger: the state of the venue, who owns what, tokens in and out
@notice Chapter 2 of the specification. Every contract that shares this state initializes this module and no other that
    has state, so that all of them lay it out alike.
@license Apache-2.0
"""

from ethereum.ercs import IERC20

import notation

# Deleveraging, sharing a loss and settlement pass over all accounts within one transaction. Anybody may open accounts
# up to this number, so a venue for the public would let its members in one by one.
MAX_ACCOUNTS: constant(uint256) = 256


event AccountOpened:
    account: indexed(uint256)
    owner: indexed(address)
    index: uint256


struct Holding:
    amount: int256
    counted: int256


struct Position:
    size: int256
    cost: int256
    funding_index: int256


struct Account:
    owner: address
    index: uint256
    cash: int256
    in_default: bool
    collateral: Holding[notation.TOKENS]
    positions: Position[notation.MARKETS]


struct Order:
    size: int256
    price: int256


struct Asset:
    mark: int256
    low: int256
    high: int256
    time: uint256
    tripped_at: uint256
    volatility: int256
    haircut: int256
    spread: int256


struct Market:
    open_interest: int256
    open_interest_cap: int256
    funding_index: int256
    premium: int256
    accrued_at: uint256
    ratio: int256
    reduce_only: bool
    room: int256
    interval_start: uint256
    ramp_at: uint256
    ramp_progress: int256


# What never changes of an asset and of a market.
struct AssetTerms:
    unit: int256
    tier_1: int256
    tier_2: int256
    feed_low: int256
    feed_high: int256
    minimum_haircut: int256


struct MarketTerms:
    asset: uint256
    delta: int256
    slope: int256
    dust: int256
    limit: int256


tokens: public(address[notation.TOKENS])
feeds: public(address[notation.SOURCES][notation.TOKENS])
asset_terms: public(AssetTerms[notation.TOKENS])
market_terms: public(MarketTerms[notation.MARKETS])

governor: public(address)
guardian: public(address)
deposits_paused: public(bool)
insurance: public(int256)
fees: public(int256)
pot: public(int256)
defaults: public(uint256)
settling_since: public(uint256)
settlement_pool: public(int256)
settlement_claims: public(int256)

# Accounts are numbered from 1 in the order of their opening; 0 is nobody's and always empty.
account_count: public(uint256)
account_number: public(HashMap[address, HashMap[uint256, uint256]])
accounts: public(HashMap[uint256, Account])
orders: public(HashMap[uint256, Order[notation.MARKETS]])

assets: public(Asset[notation.TOKENS])
markets: public(Market[notation.MARKETS])
parameters: public(int256[notation.PARAMETERS][notation.MARKETS])
ramp_from: public(int256[notation.PARAMETERS][notation.MARKETS])
ramp_to: public(int256[notation.PARAMETERS][notation.MARKETS])
held: public(int256[notation.TOKENS])
cap: public(int256[notation.TOKENS])


# --- Accounts ------------------------------------------------------------------------------------------------


@internal
def own(index: uint256) -> uint256:
    """
    @notice LED-3: the caller's account of an index, opened by its first use
    """
    account: uint256 = self.account_number[msg.sender][index]
    if account == 0:
        account = self.account_count + 1
        assert account <= MAX_ACCOUNTS, "too many accounts"
        self.account_count = account
        self.account_number[msg.sender][index] = account
        self.accounts[account].owner = msg.sender
        self.accounts[account].index = index
        log AccountOpened(account=account, owner=msg.sender, index=index)
    return account


# --- Tokens --------------------------------------------------------------------------------------------------


@internal
def pull(token: uint256, payer: address, amount: int256):
    """
    @notice LED-4: take exactly `amount` from the payer; what the venue received is measured
    @dev A payer without enough (LED-6) is refused by the token itself, in its words. A token may answer nothing.
    """
    self.held[token] += amount
    erc20: IERC20 = IERC20(self.tokens[token])
    expected: uint256 = staticcall erc20.balanceOf(self) + convert(amount, uint256)
    assert extcall erc20.transferFrom(payer, self, convert(amount, uint256), default_return_value=True), "LED-10"
    assert staticcall erc20.balanceOf(self) == expected, "LED-7"


@internal
def push(token: uint256, receiver: address, amount: int256):
    """
    @notice LED-5: pay `amount` out of what the venue holds; tokens that it was given unasked (LED-9) are not touched
    """
    assert self.held[token] >= amount, "LED-8"
    self.held[token] -= amount
    erc20: IERC20 = IERC20(self.tokens[token])
    assert extcall erc20.transfer(receiver, convert(amount, uint256), default_return_value=True), "LED-10"


# --- Who may -------------------------------------------------------------------------------------------------


@internal
@view
def only_governor():
    """
    @notice PRM-2
    """
    assert msg.sender == self.governor, "PRM-2"


@internal
@view
def only_guardian():
    """
    @notice PRM-3
    """
    assert msg.sender == self.guardian or msg.sender == self.governor, "PRM-3"


@internal
@view
def not_settling():
    """
    @notice SET-2
    """
    assert self.settling_since == 0, "SET-2"

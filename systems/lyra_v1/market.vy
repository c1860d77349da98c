# pragma version 0.4.3
# pragma evm-version paris
"""
@title The option market of a run: what OptionGreekCache and OptionToken of Lyra v1 take for their OptionMarket
@dev It does of the real one what these two ask and are asked: says what strikes are, reads spot and exchange fees from
     the adapter, and passes trades on. It keeps no money, prices nothing, and opens at most LAST positions.
"""

struct Liquidity:
    freeLiquidity: uint256
    burnableLiquidity: uint256
    usedCollatLiquidity: uint256
    pendingDeltaLiquidity: uint256
    usedDeltaLiquidity: uint256
    NAV: uint256

struct ExchangeParams:
    spotPrice: uint256
    quoteKey: bytes32
    baseKey: bytes32
    quoteBaseFeeRate: uint256
    baseQuoteFeeRate: uint256

struct TradeParameters:
    isBuy: bool
    isForceClose: bool
    tradeDirection: uint8
    optionType: uint8
    amount: uint256
    expiry: uint256
    strikePrice: uint256
    liquidity: Liquidity
    exchangeParams: ExchangeParams

struct Strike:
    id: uint256
    strikePrice: uint256
    skew: uint256
    longCall: uint256
    shortCallBase: uint256
    shortCallQuote: uint256
    longPut: uint256
    shortPut: uint256
    boardId: uint256

struct OptionBoard:
    id: uint256
    expiry: uint256
    iv: uint256
    frozen: bool
    strikeIds: DynArray[uint256, 8]

struct OptionPosition:
    positionId: uint256
    strikeId: uint256
    optionType: uint8
    amount: uint256
    collateral: uint256
    state: uint8

struct LiquidationFees:
    returnCollateral: uint256
    lpPremiums: uint256
    lpFee: uint256
    liquidatorFee: uint256
    smFee: uint256
    insolventAmount: uint256

struct TradePricing:
    optionPrice: uint256
    preTradeAmmNetStdVega: int256
    postTradeAmmNetStdVega: int256
    callDelta: int256
    volTraded: uint256
    ivVariance: uint256
    vega: uint256

interface Adapter:
    def getExchangeParams(market: address) -> ExchangeParams: view

interface Cache:
    def addBoard(board: OptionBoard, strikes: DynArray[Strike, 8]): nonpayable
    def updateStrikeExposureAndGetPrice(strike: Strike, trade: TradeParameters, iv: uint256, skew: uint256, isPostCutoff: bool) -> TradePricing: nonpayable
    def getPriceForForceClose(trade: TradeParameters, strike: Strike, expiry: uint256, newVol: uint256, isPostCutoff: bool) -> (uint256, uint256): view

interface Token:
    def adjustPosition(trade: TradeParameters, strikeId: uint256, trader: address, positionId: uint256, optionCost: uint256, setCollateralTo: uint256, isOpen: bool) -> (uint256, int256): nonpayable
    def addCollateral(positionId: uint256, amountCollateral: uint256) -> uint8: nonpayable
    def liquidate(positionId: uint256, trade: TradeParameters, totalCost: uint256) -> LiquidationFees: nonpayable
    def canLiquidate(position: OptionPosition, expiry: uint256, strikePrice: uint256, spotPrice: uint256) -> bool: view
    def getOptionPosition(positionId: uint256) -> OptionPosition: view
    def settlePositions(positionIds: DynArray[uint256, 8]): nonpayable
    def nextId() -> uint256: view

LAST: constant(uint256) = 6
UNIT: constant(uint256) = 10**18

ADAPTER: immutable(address)
CACHE: immutable(address)
TOKEN: immutable(address)

strikes: HashMap[uint256, Strike]
boards: HashMap[uint256, OptionBoard]


@deploy
def __init__(adapter: address, cache: address, token: address):
    ADAPTER = adapter
    CACHE = cache
    TOKEN = token


@external
def addBoard(board: OptionBoard, strikes: DynArray[Strike, 8]):
    self.boards[board.id] = board
    for strike: Strike in strikes:
        self.strikes[strike.id] = strike
    extcall Cache(CACHE).addBoard(board, strikes)


@view
@external
def getStrikeAndExpiry(strikeId: uint256) -> (uint256, uint256):
    strike: Strike = self.strikes[strikeId]
    return strike.strikePrice, self.boards[strike.boardId].expiry


@view
@external
def getSettlementParameters(strikeId: uint256) -> (uint256, uint256, uint256):
    return self.strikes[strikeId].strikePrice, 0, 0


@view
def _trade(strikeId: uint256, optionType: uint8, amount: uint256, direction: uint8, isBuy: bool, isForceClose: bool) -> TradeParameters:
    strike: Strike = self.strikes[strikeId]
    return TradeParameters(
        isBuy=isBuy,
        isForceClose=isForceClose,
        tradeDirection=direction,
        optionType=optionType,
        amount=amount,
        expiry=self.boards[strike.boardId].expiry,
        strikePrice=strike.strikePrice,
        liquidity=empty(Liquidity),
        exchangeParams=staticcall Adapter(ADAPTER).getExchangeParams(self),
    )


@external
def open(strikeId: uint256, optionType: uint8, amount: uint256, optionCost: uint256, collateral: uint256) -> (uint256, int256):
    assert staticcall Token(TOKEN).nextId() <= LAST, "market is full"
    trade: TradeParameters = self._trade(strikeId, optionType, amount, 0, False, False)
    return extcall Token(TOKEN).adjustPosition(trade, strikeId, msg.sender, 0, optionCost, collateral, True)


@external
def adjust(positionId: uint256, amount: uint256, optionCost: uint256, collateral: uint256, isOpen: bool) -> int256:
    position: OptionPosition = staticcall Token(TOKEN).getOptionPosition(positionId)
    trade: TradeParameters = self._trade(position.strikeId, position.optionType, amount, 0, False, False)
    adjusted: uint256 = 0
    pending: int256 = 0
    adjusted, pending = extcall Token(TOKEN).adjustPosition(
        trade, position.strikeId, msg.sender, positionId, optionCost, collateral, isOpen
    )
    return pending


@external
def addCollateral(positionId: uint256, amount: uint256) -> uint8:
    return extcall Token(TOKEN).addCollateral(positionId, amount)


@external
def liquidate(positionId: uint256, totalCost: uint256) -> LiquidationFees:
    position: OptionPosition = staticcall Token(TOKEN).getOptionPosition(positionId)
    trade: TradeParameters = self._trade(position.strikeId, position.optionType, position.amount, 2, False, True)
    return extcall Token(TOKEN).liquidate(positionId, trade, totalCost)


@view
@external
def canLiquidate(positionId: uint256) -> bool:
    position: OptionPosition = staticcall Token(TOKEN).getOptionPosition(positionId)
    trade: TradeParameters = self._trade(position.strikeId, position.optionType, position.amount, 2, False, True)
    return staticcall Token(TOKEN).canLiquidate(position, trade.expiry, trade.strikePrice, trade.exchangeParams.spotPrice)


@external
def setExposure(strikeId: uint256, longCall: uint256, shortCallBase: uint256, shortCallQuote: uint256, longPut: uint256, shortPut: uint256, optionType: uint8) -> TradePricing:
    strike: Strike = self.strikes[strikeId]
    strike.longCall = longCall
    strike.shortCallBase = shortCallBase
    strike.shortCallQuote = shortCallQuote
    strike.longPut = longPut
    strike.shortPut = shortPut
    trade: TradeParameters = self._trade(strikeId, optionType, 0, 0, False, False)
    iv: uint256 = self.boards[strike.boardId].iv
    return extcall Cache(CACHE).updateStrikeExposureAndGetPrice(strike, trade, iv, strike.skew, False)


@view
@external
def forceClosePrice(strikeId: uint256, optionType: uint8, direction: uint8, isBuy: bool, isPostCutoff: bool) -> (uint256, uint256):
    strike: Strike = self.strikes[strikeId]
    board: OptionBoard = self.boards[strike.boardId]
    trade: TradeParameters = self._trade(strikeId, optionType, 0, direction, isBuy, True)
    return staticcall Cache(CACHE).getPriceForForceClose(trade, strike, board.expiry, board.iv * strike.skew // UNIT, isPostCutoff)


@external
def settle(positionId: uint256):
    extcall Token(TOKEN).settlePositions([positionId])

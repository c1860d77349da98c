from typing import Any
from marginspec.model.deployed.morpho_blue import *
from marginspec.model.deployed.morpho_blue import MorphoBlue, MarketId, Account, User, Assets, Shares, MORPHO, ZERO, WAD
from marginspec.model.kernel.numbers import Number
from marginspec.properties.law import Chapter, Step, assume, refusal
from marginspec.prover.arbitrary import Scope
from marginspec.prover.symbolic import Unknown
HERE=MarketId("here")
def settled(venue, step):
    m=step.argument("market")
    if step.action in("accrue_interest","create_market","set_price","supply_collateral") or m is None: return True
    return venue.now==venue.markets[m].last_update
morpho_blue = Chapter(bounds="any",before=settled)
LL=(Unknown("lltv_here",0,WAD*2,(8*10**17,)),Unknown("lltv_elsewhere",0,WAD*2,(8*10**17,)))
SCOPE = Scope(
  keys={Account:("actor","other","third",ZERO,MORPHO,"rest"),User:("actor","other"),MarketId:("here","elsewhere"),Token:("loan","coll"),Irm:(NO_IRM,UTILISATION_IRM),Lltv:LL},
  free={Account:("actor","other",ZERO,MORPHO),User:("actor","other"),MarketId:("here",)},
  fixed={"caller":("actor",),"owner":("actor","other"),"fee_recipient":("actor","other","third"),"params[here].loan_token":("loan",),"params[here].lltv":LL[:1],"params[elsewhere].lltv":LL[1:]},
)
def accrued(v, m): return v.now == v.markets[m].last_update

@morpho_blue.invariant("MB-INV-1")
def borrowed_at_most_supplied(venue: MorphoBlue):
    """In every market no more is borrowed than supplied."""
    return all(m.total_borrow_assets <= m.total_supply_assets for m in venue.markets.values())

@morpho_blue.theorem("MB-RT-1")
def supply_then_withdraw_never_profits(venue: MorphoBlue, supplier: User, assets: Assets, shares: Shares, a2: Assets, s2: Shares):
    """Supply then withdraw."""
    assume(accrued(venue,HERE))
    assume(venue.positions[HERE]["actor"].supply_shares==0)
    paid,_=venue.supply("actor",HERE,assets,shares,"actor")
    got,_=venue.withdraw("actor",HERE,a2,s2,"actor","actor")
    return got<=paid

@morpho_blue.theorem("MB-RT-1X")
def false_one(venue: MorphoBlue, supplier: User, assets: Assets, shares: Shares, a2: Assets, s2: Shares):
    """Supply then withdraw (false)."""
    assume(accrued(venue,HERE))
    paid,_=venue.supply("actor",HERE,assets,shares,"actor")
    got,_=venue.withdraw("actor",HERE,a2,s2,"actor","actor")
    return got<=paid

@morpho_blue.theorem("MB-HLT-1")
def health_after_borrow(venue: MorphoBlue, assets: Assets, shares: Shares):
    """After borrow, healthy."""
    assume(accrued(venue,HERE))
    venue.borrow("actor",HERE,assets,shares,"actor","actor")
    return venue.is_healthy(HERE,"actor")

@morpho_blue.theorem("MB-LIQ-1")
def liq_improves(venue: MorphoBlue, seized: Assets, shares: Shares):
    """Liquidate improves."""
    assume(accrued(venue,HERE))
    p=venue.positions[HERE]["other"]; m=venue.markets[HERE]
    assume(p.borrow_shares<=m.total_borrow_shares)
    assume(venue.params[HERE].lltv<WAD)
    lif=venue.liquidation_incentive_factor(HERE)
    assume(p.collateral*venue.price[HERE]*(m.total_borrow_shares+10**6)*WAD > p.borrow_shares*10**36*(m.total_borrow_assets+1)*lif)
    c0,b0=p.collateral,p.borrow_shares
    venue.liquidate("actor",HERE,"other",seized,shares)
    p=venue.positions[HERE]["other"]
    return b0*p.collateral >= p.borrow_shares*c0

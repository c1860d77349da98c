"""Morpho's own off-chain implementation, npm package `@morpho-org/blue-sdk`, as a partial target.

The SDK computes what positions and markets become. It knows no tokens, no authorisation, no owner, no zero address and
no integer widths; what is refused because of those is not compared. Where it does implement a rule and differs from
the contract, the difference is declared here, each as narrowly as it can be told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from marginspec.model.deployed.morpho_blue import MorphoBlue, to_assets_down
from marginspec.model.kernel.machine import Call, Machine, Outcome, Rejected
from marginspec.targets.evm.build import node, package
from marginspec.targets.protocol import Answer, Declared, Limits
from marginspec.targets.subprocess import Service, ServiceTarget

PACKAGE = "@morpho-org/blue-sdk"
SERVICE = Path(__file__).parent / "sdk" / "service.mjs"

# The SDK's error class for each rule that it implements. `Healthy` is the service's: `isLiquidatable` answered false.
REASONS = {
    "ACT-2": "InconsistentInput",
    "ACT-6": "InsufficientLiquidity",
    "HLT-5": "InsufficientCollateral",
    "EVM-1": "InsufficientPosition",
    "EVM-2": "DivisionByZeroError",
    "LIQ-2": "Healthy",
}

# Existence of a market, zero address, authorisation, tokens, 128-bit amounts.
UNKNOWN_RULES = frozenset({"ACT-1", "ACT-4", "AUT-2", "TOK-5", "TOK-6", "TOK-7", "INT-1"})

# Of a liquidation the SDK computes amounts; it neither looks at their consistency nor takes them from the position.
LIQUIDATION_RULES = frozenset({"LIQ-2", "EVM-2"})


WITHOUT_CODE = "the SDK has no code for it"

NOT_EXECUTED = {
    "liquidate": "the SDK computes its amounts and executes nothing: decision and amounts are compared",
    **dict.fromkeys(
        (
            *("set_owner", "enable_irm", "enable_lltv", "set_fee", "set_fee_recipient", "create_market"),
            *("set_authorization", "transfer", "approve", "set_balance", "set_price", "advance_time"),
        ),
        WITHOUT_CODE,
    ),
}

NOT_REFUSED = {
    "accrue_interest": "the SDK knows no width for what is too much interest",
    "supply_collateral": "what would be refused is another's business: market, tokens, widths; of zero see SDK-5",
}

UNOBSERVED = {"balance[]": "the SDK knows no tokens", "allowance[]": "the SDK knows no tokens"}


class SdkTarget(ServiceTarget):
    """The SDK found in `node_modules` from the working directory upwards. `BadInput` when it is not there."""

    def __init__(self) -> None:
        super().__init__(MorphoBlue, Service([node(), str(SERVICE)], package(PACKAGE).parents[2]))

    def implements(self, before: Machine, call: Call, outcome: Outcome) -> bool:
        if not super().implements(before, call, outcome):
            return False
        if outcome.rule is None:
            return True
        if call.action == "liquidate":
            return outcome.rule in LIQUIDATION_RULES
        if outcome.rule == "EVM-1":
            return _underflows(before, call)
        if outcome.rule == "ACT-3" and call.action == "withdraw_collateral":
            # The SDK goes on to accrue (SDK-5), and knows no width for what is too much interest.
            return _accrues(before, call)
        return outcome.rule not in UNKNOWN_RULES

    def expected_reason(self, rule: str) -> str:
        return REASONS.get(rule, rule)

    def limits(self) -> Limits:
        """What the SDK has not, stated here."""
        known = super().limits()
        return replace(known, not_executed=NOT_EXECUTED, not_refused=NOT_REFUSED, unobserved=UNOBSERVED)

    def declared(
        self,
        before: Machine,
        call: Call,
        outcome: Outcome,
        answer: Answer,
        fields: Mapping[str, tuple[Any, Any]],
    ) -> Declared | None:
        assert isinstance(before, MorphoBlue)
        step = SdkStep(before, call, outcome, answer, fields)
        return next((declaration for declaration, covers in DIFFERENCES if covers(step)), None)


def _accrues(before: Machine, call: Call) -> bool:
    """Whether the interest of the call's market is within the contract's widths."""
    accrual = Call("accrue_interest", {"caller": "owner", "market": call.arguments["market"]})
    return before.clone().apply(accrual).accepted


def _underflows(before: Machine, call: Call) -> bool:
    """Whether a call that EVM-1 refuses would make something negative, as opposed to exceed its width.

    The rule is one, as the contract's panic is; which side of the range was left is known where `checked` refused.
    """
    try:
        getattr(before.clone(), call.action)(**call.arguments)
    except Rejected as refusal:
        at = refusal.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        return at is not None and bool(at.tb_frame.f_locals["value"] < 0)
    raise AssertionError(f"the model accepts what it has refused: {call}")


# --- Declared differences --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SdkStep:
    """A call on which model and SDK differ, see `marginspec.targets.protocol.Partial.declared`."""

    before: MorphoBlue
    call: Call
    outcome: Outcome
    answer: Answer
    fields: Mapping[str, tuple[Any, Any]]

    def refused(self, action: str, rule: str, error: str) -> bool:
        """Whether both refused `action`, the model by `rule` and the SDK by `error`, and neither changed anything."""
        said = (self.call.action, self.outcome.rule, self.answer.accepted, self.answer.reason)
        return said == (action, rule, False, error) and not self.fields

    def accrued(self) -> MorphoBlue:
        """The state before the call, its market's interest accrued; as it was where the accrual exceeds a width."""
        trial = self.before.clone()
        trial.apply(Call("accrue_interest", {"caller": "owner", "market": self.call.arguments["market"]}))
        return trial


def _borrow_checks_liquidity_first(step: SdkStep) -> bool:
    if not step.refused("borrow", "HLT-5", "InsufficientLiquidity"):
        return False
    m = step.accrued().markets[step.call.arguments["market"]]
    assets, shares = step.call.arguments["assets"], step.call.arguments["shares"]
    assets = assets or to_assets_down(shares, m.total_borrow_assets, m.total_borrow_shares)
    return bool(m.total_borrow_assets + assets > m.total_supply_assets)


def _withdraw_checks_liquidity_first(step: SdkStep) -> bool:
    if not step.refused("withdraw", "EVM-1", "InsufficientLiquidity"):
        return False
    m = step.accrued().markets[step.call.arguments["market"]]
    assets, shares = step.call.arguments["assets"], step.call.arguments["shares"]
    assets = assets or to_assets_down(shares, m.total_supply_assets, m.total_supply_shares)
    return bool(m.total_borrow_assets > m.total_supply_assets - assets)


def _repay_makes_the_total_negative(step: SdkStep) -> bool:
    total = f"markets[{step.call.arguments['market']}].total_borrow_assets"
    agreed = step.outcome.accepted and step.answer.accepted and step.answer.returns == step.outcome.returns
    return step.call.action == "repay" and agreed and step.fields == {total: (0, -1)}


def _seizes_nothing_at_price_zero(step: SdkStep) -> bool:
    if step.call.action != "liquidate" or step.outcome.rule != "EVM-2":
        return False
    given, answer = step.call.arguments, step.answer
    quoted_by_shares = given["repaid_shares"] > 0 and given["seized_assets"] == 0
    return quoted_by_shares and step.before.price[given["market"]] == 0 and answer.accepted and answer.returns[0] == 0


def _moves_zero_collateral(step: SdkStep) -> bool:
    given, answer = step.call.arguments, step.answer
    if step.outcome.rule != "ACT-3" or given["assets"] != 0:
        return False
    if step.call.action == "supply_collateral":
        return answer.accepted and not step.fields
    after = step.accrued()
    if not answer.accepted:
        unhealthy = not after.is_healthy(given["market"], given["on_behalf"])
        return answer.reason == "InsufficientCollateral" and not step.fields and unhealthy
    # Accepted, so that interest has accrued in the SDK, and nothing else may have happened.
    names = step.before.names()
    pairs = zip(names, step.before.flatten(), after.flatten(), strict=True)
    return step.fields == {name: (old, new) for name, old, new in pairs if old != new}


DIFFERENCES: tuple[tuple[Declared, Callable[[SdkStep], bool]], ...] = (
    (
        Declared("SDK-1", "borrow: the SDK checks liquidity before health, the contract health before liquidity"),
        _borrow_checks_liquidity_first,
    ),
    (
        Declared("SDK-2", "withdraw: the SDK checks liquidity before the position, the contract the position first"),
        _withdraw_checks_liquidity_first,
    ),
    (
        Declared(
            "SDK-3",
            "repay: of one unit more than the total debt the SDK leaves a total of -1, the contract 0",
        ),
        _repay_makes_the_total_negative,
    ),
    (
        Declared("SDK-4", "liquidate by shares at price zero: the SDK quotes 0 seized assets, the contract panics"),
        _seizes_nothing_at_price_zero,
    ),
    (
        Declared("SDK-5", "supply or withdraw zero collateral: the SDK goes on, the contract refuses zero assets"),
        _moves_zero_collateral,
    ),
)

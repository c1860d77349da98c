"""The vault: deposits, withdrawals, bad debt and the insurance fund."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import INSURANCE, Account, Amount, User, in_token
from marginspec.properties.deployed.curie.relaxed import any_account, any_book, any_rest, real_settlement
from marginspec.properties.deployed.curie.scope import chapter
from marginspec.properties.law import Step, assume, every, implies, refusal


# Whoever mints or burns tokens by an action could empty the vault.
@chapter.theorem("CU-TOK-1", relaxed=any_book)
def tokens_are_neither_made_nor_lost(state: Curie, step: Step) -> Any:
    """No action but the world's changes how many tokens wallets and the vault have together."""
    assume(step.action != "set_balance")
    before = sum(state.wallet.values()) + state.tokens_in_vault
    step.take(state)
    return sum(state.wallet.values()) + state.tokens_in_vault == before


@chapter.theorem("CU-DEP-1", relaxed=any_book)
def deposit_moves_exactly_what_it_says(state: Curie, caller: User, amount: Amount) -> Any:
    """A deposit adds to the balance what it takes from the wallet, and changes nothing else."""
    before = state.clone()
    state.deposit(caller, amount)
    before.wallet[caller] -= amount
    before.tokens_in_vault += amount
    before.balance[caller] += amount
    return state.flatten() == before.flatten()


@chapter.theorem("CU-DEP-2", relaxed=any_account)
def deposit_is_refused_for_three_reasons(state: Curie, caller: User, amount: Amount) -> Any:
    """A deposit is accepted exactly when it is of something, the wallet has it and the vault may have it."""
    within = state.tokens_in_vault + amount <= state.settings.balance_cap
    expected = 0 < amount <= state.wallet[caller] and within
    return (refusal(state.deposit, caller, amount) is None) == expected


@chapter.theorem("CU-DEP-3", relaxed=any_book)
def deposit_for_is_a_gift(state: Curie, caller: User, to: Account, amount: Amount) -> Any:
    """A deposit for somebody adds to that balance alone, and the caller pays it."""
    before = state.clone()
    state.deposit_for(caller, to, amount)
    others = [state.balance[each] == before.balance[each] for each in state.balance if each != to]
    paid = state.wallet[caller] == before.wallet[caller] - amount
    return every((state.balance[to] == before.balance[to] + amount, paid, *others))


@chapter.theorem("CU-WDR-1", relaxed=any_book)
def withdrawal_pays_exactly_what_it_says(state: Curie, caller: User, amount: Amount) -> Any:
    """A withdrawal moves its amount from the vault to the caller's wallet."""
    wallet, vault = state.wallet[caller], state.tokens_in_vault
    state.withdraw(caller, amount)
    return every((state.wallet[caller] == wallet + amount, state.tokens_in_vault == vault - amount))


# The contract rounds what was realised down: what is lost is the trader's.
@chapter.theorem("CU-WDR-2", relaxed=real_settlement)
def withdrawal_settles_what_was_realised(state: Curie, caller: User, amount: Amount) -> Any:
    """A withdrawal moves what was realised, funding included, to the balance, rounded down, and leaves none of it."""
    twin = state.clone()
    twin._settle_all_funding(caller)
    state.withdraw(caller, amount)
    settled = twin.balance[caller] + in_token(twin.owed[caller]) - amount
    return every((state.owed[caller] == 0, state.balance[caller] == settled))


@chapter.theorem("CU-WDR-3", relaxed=real_settlement)
def nobody_withdraws_more_than_is_free(state: Curie, caller: User, amount: Amount) -> Any:
    """A withdrawal is of no more than can be withdrawn once funding is settled."""
    twin = state.clone()
    twin._settle_all_funding(caller)
    state.withdraw(caller, amount)
    return amount <= twin.withdrawable(caller)


@chapter.theorem("CU-WDR-4", relaxed=real_settlement)
def withdrawable_is_within_collateral(state: Curie, user: User, amount: Amount) -> Any:
    """An amount that is above free collateral or above the collateral without unrealised profit is not paid."""
    twin = state.clone()
    twin._settle_all_funding(user)
    state.withdraw(user, amount)
    assume(amount > 0)
    free, collateral = twin.free_collateral(user, twin.settings.im_ratio), twin.settlement_balance(user)
    return every((twin._is_worth_something(user), amount * 10**12 <= free, amount * 10**12 <= collateral))


@chapter.theorem("CU-WDR-5", relaxed=any_book)
def withdrawal_leaves_others_alone(state: Curie, caller: User, other: User, amount: Amount) -> Any:
    """A withdrawal changes neither balance, wallet nor positions of another account."""
    assume(caller != other)
    before = state.clone()
    state.withdraw(caller, amount)
    same = (state.balance[other] == before.balance[other], state.wallet[other] == before.wallet[other])
    return every((*same, state.positions[other] == before.positions[other]))


@chapter.theorem("CU-BAD-1", relaxed=any_rest)
def bad_debt_moves_to_the_fund(state: Curie, caller: User, account: Account) -> Any:
    """Settling bad debt leaves the sum of balances as it is; the insurance fund never gains by it."""
    before = state.clone()
    state.settle_bad_debt(caller, account)
    total = sum(state.balance.values()) == sum(before.balance.values())
    return every((total, state.balance[INSURANCE] <= before.balance[INSURANCE]))


@chapter.theorem("CU-BAD-2", relaxed=any_account)
def debt_of_the_fund_is_not_settled(state: Curie, caller: User, account: Account) -> Any:
    """Settling bad debt is refused exactly for the insurance fund."""
    return (refusal(state.settle_bad_debt, caller, account) == "BAD-2") == (account == INSURANCE)


@chapter.theorem("CU-BAD-3", relaxed=any_rest)
def bad_debt_waits_for_the_last_position(state: Curie, caller: User, user: User) -> Any:
    """Settling bad debt changes nothing while the account is listed in a market."""
    assume(any(state.is_registered[user].values()))
    before = state.clone()
    state.settle_bad_debt(caller, user)
    return state.flatten() == before.flatten()


@chapter.theorem("CU-BAD-4", bounds="no position")
def settled_account_lacks_nothing(state: Curie, caller: User, user: User) -> Any:
    """After its bad debt was settled an account in no market has nothing or more, and less than a unit where it lacked
    something."""
    assume(not any(state.is_registered[user].values()))
    before = state.settlement_balance(user)
    state.settle_bad_debt(caller, user)
    after = state.settlement_balance(user)
    return every((after >= 0, implies(before < 0, after < 10**12)))


@chapter.theorem("CU-INS-1", relaxed=any_book)
def fund_repays_what_it_lacks_or_all(state: Curie, caller: User) -> Any:
    """Repaying adds to the insurance fund's value what it lacked, or all that its wallet had where that is less."""
    value, wallet = state.insurance_value(), state.wallet[INSURANCE]
    state.repay(caller)
    return every((value < 0, state.insurance_value() == min(0, value + wallet)))


@chapter.theorem("CU-INS-2", relaxed=any_book)
def repaying_leaves_the_capacity(state: Curie, caller: User) -> Any:
    """Repaying moves tokens within the insurance fund's capacity, which stays the same."""
    before = state.insurance_capacity()
    state.repay(caller)
    return state.insurance_capacity() == before


@chapter.theorem("CU-STL-1", relaxed=any_account)
def nobody_settles_for_another(state: Curie, caller: User, user: User) -> Any:
    """Settling funding is refused exactly for another's account."""
    return (refusal(state.settle_all_funding, caller, user) == "STL-2") == (caller != user)

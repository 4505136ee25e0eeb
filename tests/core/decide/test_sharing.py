"""Budgets that several campaigns share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.decide.case import Case
from service.core.decide.model import Standing, StoodDown
from service.core.decide.people import meet
from service.core.decide.proposals import share_of
from service.core.decide.sharing import counted_once, followed, judged, without_a_word
from service.core.model import Campaign, Platform, Reason, State, Unreadable, Verdict
from service.core.rules.language import CampaignEntry, SharedBudget
from tests.core.decide.made import ENTRY, NOON, at, case, decide_all, paused, proposal, remembering, ruling, seen

REF = "customers/1/campaignBudgets/7"
HOUR = timedelta(hours=1)


def entry(name: str, **more: Any) -> CampaignEntry:
    return replace(ENTRY, **({"name": name, "id": name, "shared_budget": SharedBudget.ALLOW} | more))


def sharing(name: str, state: State, *sharers: str, **more: Any) -> Campaign:
    """A campaign on a budget that `sharers` spend from."""
    return replace(seen(state, entry(name)), budget_ref=REF, sharers=sharers or ("a", "b"), **more)


# --- who may be governed on one ---------------------------------------------------------------------------------------------

BOTH = {"a": entry("a"), "b": entry("b")}
SILENT = {name: entry(name, shared_budget=SharedBudget.REFUSE) for name in BOTH}
ALONE = {"a": sharing("a", at(60)), "b": sharing("b", at(60))}
REFUSALS: dict[str, tuple[Mapping[str, CampaignEntry], Mapping[str, Campaign | Unreadable], str]] = {
    "the file does not say so": (BOTH | {"a": SILENT["a"]}, ALONE, "write `shared_budget: allow`"),
    "the other does not say so": (BOTH | {"b": SILENT["b"]}, ALONE, "with b, without `shared_budget"),
    "the other is not in the file": ({"a": entry("a")}, ALONE, "with campaign b, not in the rule file"),
    "the other is on meta": (BOTH | {"b": entry("b", platform=Platform.META)}, ALONE, "with campaign b, not in the rule file"),
    "another base": (BOTH | {"b": entry("b", base=Decimal(50))}, ALONE, "`base_budget` is 60 here and 50 there"),
    "another floor": (BOTH | {"b": entry("b", floor=Decimal(5))}, ALONE, "`floor` is 10 here and 5 there"),
    "another ceiling": (BOTH | {"b": entry("b", ceiling=Decimal(90))}, ALONE, "`ceiling` is 120 here and 90 there"),
    "the other may not be changed": (BOTH, ALONE | {"b": sharing("b", at(60), ineligible="It ended.")}, "About b: It ended."),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "there", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_shared_budget_is_changed_only_if_all_that_use_it_may_be_governed_alike(
    entries: Mapping[str, CampaignEntry], there: Mapping[str, Campaign | Unreadable], said: str
) -> None:
    found = judged(there, entries)["a"]
    assert isinstance(found, Campaign)
    assert said in found.ineligible
    assert found.ineligible.endswith(".")


def test_if_all_agree_it_is_and_one_that_could_not_be_read_is_no_reason() -> None:
    assert judged(ALONE, BOTH) == ALONE
    blind = ALONE | {"b": Unreadable("google", "an earlier change was interrupted")}
    assert judged(blind, BOTH) == blind


def test_a_budget_of_its_own_and_other_reasons_are_none_of_its_business() -> None:
    there = {"a": seen(at(60), entry("a")), "b": sharing("b", at(60), ineligible="It ended.")}
    assert judged(there, SILENT) == there


def test_without_a_file_a_shared_budget_is_left_alone() -> None:
    assert "2 campaigns use it" in without_a_word(ALONE["a"])
    assert "campaigns use it" not in without_a_word(sharing("a", at(60), "a"))
    assert not without_a_word(seen(at(60)))


# --- one amount -------------------------------------------------------------------------------------------------------------


def wanting(name: str, target: State | None, here: State, **more: Any) -> Case:
    mine = entry(name)
    with_: dict[str, Any] = {"entry": mine, "seen": sharing(name, here, "a", "b", "c")} | more
    made = case(target, here, **with_)
    return replace(made, proposal=proposal(target, campaign=name))


def after(*cases: Case, **more: Any) -> dict[str, tuple[State | None, Reason]]:
    return {name: (found.after, found.reason) for name, found in decide_all(cases, ruling(list(cases), **more)).items()}


SHARED, RULE, THERE = Reason.SHARED_BUDGET, Reason.RULE, Reason.ALREADY_THERE
AMOUNTS: dict[str, tuple[list[Case], dict[str, tuple[State, Reason]]]] = {
    "all alike": ([wanting("a", at(30), at(60)), wanting("b", at(30), at(60))], {"a": (at(30), RULE), "b": (at(30), RULE)}),
    "two cuts": ([wanting("a", at(30), at(60)), wanting("b", at(45), at(60))], {"a": (at(45), SHARED), "b": (at(45), RULE)}),
    "two raises": ([wanting("a", at(70), at(60)), wanting("b", at(80), at(60))], {"a": (at(70), RULE), "b": (at(70), SHARED)}),
    "opposed": ([wanting("a", at(30), at(60)), wanting("b", at(80), at(60))], {"a": (at(60), SHARED), "b": (at(60), SHARED)}),
    "one content": (
        [wanting("a", at(30), at(60)), wanting("b", at(60), at(60))], {"a": (at(60), SHARED), "b": (at(60), THERE)}),
    "one that is paused is not asked": (
        [wanting("a", at(30), at(60)), wanting("b", paused(60), paused(60))], {"a": (at(30), RULE), "b": (paused(60), THERE)}),
    "nor one that will be": (
        [wanting("a", at(30), at(60)), wanting("b", paused(60), at(60))], {"a": (at(30), RULE), "b": (paused(60), RULE)}),
    "a resume is its own, the amount not": (
        [wanting("a", at(60), paused(30)), wanting("b", at(30), at(30))], {"a": (at(30), SHARED), "b": (at(30), THERE)}),
    "resumes to one amount": (
        [wanting("a", at(60), paused(30)), wanting("b", at(50), paused(30))], {"a": (at(50), SHARED), "b": (at(50), RULE)}),
    "of three": (
        [wanting("a", at(30), at(60)), wanting("b", at(40), at(60)), wanting("c", at(50), at(60))],
        {"a": (at(50), SHARED), "b": (at(50), SHARED), "c": (at(50), RULE)}),
    "held": (
        [wanting("a", at(30), at(60)), wanting("b", at(30), at(60), entry=entry("b", protect=True))],
        {"a": (at(60), SHARED), "b": (at(60), Reason.PROTECTED)}),
}  # fmt: skip


@pytest.mark.parametrize(("cases", "expected"), AMOUNTS.values(), ids=AMOUNTS)
def test_the_smallest_of_the_moves_is_made_if_all_lie_on_one_side(
    cases: list[Case], expected: dict[str, tuple[State, Reason]]
) -> None:
    assert after(*cases) == expected


def test_one_that_could_not_be_read_keeps_the_amount_for_all() -> None:
    blind = replace(wanting("b", at(30), at(60)), seen=Unreadable("google", "interrupted"), in_force=None, proposal=None)
    found = decide_all([wanting("a", at(30), at(60)), blind], ruling([wanting("a", at(30), at(60)), blind]))
    assert (found["a"].verdict, found["a"].after, found["a"].reason) == (Verdict.KEEP, at(60), Reason.SHARED_BUDGET)
    assert "b could not be read" in found["a"].sentence


def test_the_sentence_says_who_wants_what() -> None:
    cases = [wanting("a", at(30), at(60)), wanting("b", at(45), at(60)), wanting("c", at(50), at(60))]
    said = decide_all(cases, ruling(cases))["a"].sentence
    assert (
        "the budget is shared, and not all want that (b: 45 AUD; c: 50 AUD): the smallest of the moves is made, to 50 AUD"
        in said
    )
    assert "it stays at 60 AUD" in decide_all([cases[0], wanting("b", at(60), at(60))], ruling(cases))["a"].sentence


def test_campaigns_with_budgets_of_their_own_do_not_heed_each_other() -> None:
    own = [
        replace(each, seen=seen(at(60), each.entry)) for each in (wanting("a", at(30), at(60)), wanting("b", at(45), at(60)))
    ]
    assert after(*own) == {"a": (at(30), RULE), "b": (at(45), RULE)}


MONEY = st.integers(10, 120)


@given(here=MONEY, wanted=st.lists(st.tuples(MONEY, st.booleans()), min_size=1, max_size=3), cap=st.integers(10, 200))
def test_nobodys_amount_moves_further_than_or_against_its_own_wish_and_all_end_alike(
    here: int, wanted: list[tuple[int, bool]], cap: int
) -> None:
    cases = [wanting("abc"[n], at(target), at(here) if running else paused(here)) for n, (target, running) in enumerate(wanted)]
    found = decide_all(cases, ruling(cases, daily_cap=Decimal(cap)))
    ends = {each.after.budget for each in found.values() if each.after and each.after.running}
    assert len(ends) <= 1
    for end in ends:
        assert end is not None
        assert end <= max(Decimal(cap), Decimal(here))
        if not any(running for _, running in wanted):  # nothing is spent yet, so a cap may leave less than is wanted
            continue
        for each in found.values():
            if each.after and each.after.running and each.desired and each.desired.budget is not None:
                low, high = sorted((Decimal(here), each.desired.budget))
                assert low <= end <= high


# --- the clinic's money -----------------------------------------------------------------------------------------------------


def test_a_cap_counts_a_shared_budget_once_and_grants_it_one_raise() -> None:
    cases = [wanting("a", at(80), at(60)), wanting("b", at(80), at(60))]
    assert after(*cases, daily_cap=Decimal(80)) == {"a": (at(80), RULE), "b": (at(80), RULE)}
    assert after(*cases, daily_cap=Decimal(70)) == dict.fromkeys("ab", (at(70), Reason.DAILY_CAP))
    other = case(at(80), at(60), entry=entry("x"), seen=seen(at(60), entry("x")))
    split = after(*cases, other, daily_cap=Decimal(140))  # 20 are free, for two budgets of one base
    assert split == dict.fromkeys("abx", (at(70), Reason.DAILY_CAP))


def test_resuming_on_a_budget_that_others_spend_costs_nothing() -> None:
    cases = [wanting("a", at(60), paused(60)), wanting("b", at(60), at(60))]
    assert after(*cases, daily_cap=Decimal(60)) == {"a": (at(60), RULE), "b": (at(60), THERE)}


def test_what_filling_a_service_is_worth_is_split_between_budgets() -> None:
    entries = {name: entry(name) for name in ("a", "b", "c")} | {"x": entry("x", service="podiatry")}
    there = {"a": sharing("a", at(60)), "b": sharing("b", at(60)), "c": seen(at(60), entries["c"]), "x": sharing("x", at(60))}
    once = counted_once(entries, there)
    assert list(once) == ["a", "c", "x"]
    assert [share_of(once, entries[name]) for name in ("a", "b", "c", "x")] == [Decimal("0.5")] * 3 + [Decimal(1)]


# --- remembering ------------------------------------------------------------------------------------------------------------


def test_a_budget_we_moved_for_another_is_nobodys_hand() -> None:
    resting = Standing(expected=paused(60), since=NOON - HOUR, paused_by_us=True)
    told = followed(resting, Decimal(60), Decimal(45), NOON)
    assert meet(told, paused(45), ENTRY, NOON + HOUR) == told
    assert meet(told, paused(60), ENTRY, NOON + timedelta(minutes=10)) == told  # the platform is slow to show it
    assert meet(told, paused(50), ENTRY, NOON + HOUR).stood_down is not None
    assert meet(resting, paused(45), ENTRY, NOON + HOUR).stood_down is not None


def test_somebody_elses_pause_stays_theirs_while_the_amount_follows() -> None:
    down = StoodDown(Reason.DRIFT, NOON - HOUR, paused(60), status=True)
    told = followed(Standing(expected=at(60), since=NOON - 2 * HOUR, stood_down=down), Decimal(60), Decimal(45), NOON)
    assert told.stood_down == replace(down, seen=paused(45))
    assert meet(told, paused(45), ENTRY, NOON + HOUR).stood_down == told.stood_down


def test_what_was_not_as_we_thought_does_not_follow() -> None:
    other = remembering(case(at(60)), expected=at(80)).standing
    assert followed(other, Decimal(60), Decimal(45), NOON) == other
    assert followed(Standing(), Decimal(60), Decimal(45), NOON) == Standing()

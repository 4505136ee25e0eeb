"""The guardrails that concern one campaign, a row at a time: what is done, the token, and a sentence with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.core.decide.case import Case
from service.core.decide.model import Hold, StoodDown, TooLow
from service.core.model import Campaign, Mode, Platform, Reason, Share, State, Unreadable, Verdict
from service.core.rules.language import CampaignEntry, EditBudget, Fallback, MaxStep, RaiseAndCut, Window
from tests.core.decide.made import (
    DAY,
    ENTRY,
    HOUR,
    NONE_OPEN,
    NONE_SEEN,
    NOON,
    at,
    case,
    changes,
    decide,
    long_wanted,
    paused,
    proposal,
    railed,
    remembering,
    seen,
)

KEPT, APPLIED, NOTHING = Verdict.KEEP, Verdict.APPLY, Verdict.NONE
HOLD = Hold("h1", "harbour", NOON + DAY, "new website", "Mia", NOON - DAY)
UNREADABLE = Unreadable("google", "the token was revoked")


def down(reason: Reason, state: State) -> Case:
    return remembering(case(at(30), state), expected=at(60), stood_down=StoodDown(reason, NOON - HOUR, state))


def drifted(days: float, *, status: bool = False) -> Case:
    """Somebody changed the budget so many days ago; `status`: and paused or resumed it, at some time."""
    stood = StoodDown(Reason.DRIFT, NOON - days * DAY, at(75), status)
    return remembering(case(at(30), at(75)), expected=at(60), stood_down=stood)


def dark(hours: float, here: State, **guardrails: Any) -> Case:
    """Cliniko has been unreadable for this long, and the rules want nothing that could be known."""
    clinic = {"unreadable": "it did not answer", "unreadable_since": NOON - hours * HOUR}
    unknown = replace(proposal(None, None), cause=Reason.CLINIKO_UNREADABLE)
    return case(None, here, clinic=clinic, proposal=unknown, entry=railed(**guardrails))


def changed(target: State, here: State, *made: tuple[float, State, State], by: str = "Full", **more: Any) -> Case:
    """A campaign that we changed before; the rule `by` is behind its present state."""
    return remembering(case(target, here, **more), changes=changes(*made), by_rule=by)


def fickle(target: State, here: State, was: State, hours_ago: float, **more: Any) -> Case:
    """A wish that was another one some hours ago."""
    made = case(target, here, **more)
    wishes = [p if NOON - p.at != hours_ago * HOUR else replace(p, target=was) for p in made.standing.proposals]
    return remembering(made, proposals=tuple(wishes))


def divided(here: State, least: int) -> Campaign:
    """A campaign whose budget three ad sets hold."""
    shares = tuple(Share(id_, (here.budget or Decimal(0)) / 3) for id_ in "abc")
    return replace(seen(here), shares=shares, least=Decimal(least))


UNHURRIED = railed(cooldown=0 * HOUR, max_changes_per_day=24)
ON_META = replace(UNHURRIED, platform=Platform.META)


def spent(amount: str) -> Campaign:
    """A campaign on Meta whose second ad set of three has cost so much today."""
    campaign = replace(divided(at(60), least=3), platform=Platform.META)
    return replace(campaign, spent_today=Decimal(amount), spent_shares=(Share("b", Decimal(amount)),))


def too_low(budget: int, target: State, here: State | None = None) -> Case:
    """A campaign on Meta that was refused `budget` for what its day, of which nothing is told, has cost; over at 15:00."""
    made = case(target, here, entry=ON_META, seen=replace(seen(here or at(60)), platform=Platform.META))
    return remembering(made, too_low=TooLow(Decimal(budget), NOON + 3 * HOUR))


def often(target: State, *hours_ago: float, entry: CampaignEntry = ON_META) -> Case:
    """A campaign whose budget went up and down so many hours ago."""
    return changed(target, at(60), *((ago, at(61), at(60)) for ago in hours_ago), entry=entry)


ROWS = [
    # 1
    ("hold", case(at(30), clinic={"holds": (HOLD,)}), KEPT, Reason.HELD, at(60), ["Mia", "new website", "Tue 03 Mar 12:00"]),
    ("hold without end", case(at(30), clinic={"holds": (replace(HOLD, until=None),)}), KEPT, Reason.HELD, at(60), ["h1"]),
    ("hold on another", case(at(30), clinic={"holds": (replace(HOLD, campaign="x"),)}), APPLIED, Reason.RULE, at(30), []),
    ("hold on the service", case(at(30), clinic={"holds": (replace(HOLD, service="physio"),)}), KEPT, Reason.HELD, at(60), []),
    ("kill switch", case(at(30), clinic={"kill_switch": True}), KEPT, Reason.KILL_SWITCH, at(60), ["switch is on"]),
    ("no kill switch", case(at(30), clinic={"kill_switch": None}), KEPT, Reason.KILL_SWITCH, at(60), ["cannot be read"]),
    # 2
    ("ineligible", case(at(30), seen=replace(seen(at(60)), ineligible="Its budget is shared by 5 campaigns; give it its own.")),
     Verdict.REFUSED, Reason.INELIGIBLE, at(60), ["shared by 5", "give it its own"]),
    ("platform unreadable", case(None, in_force=None, proposal=None, seen=UNREADABLE),
     KEPT, Reason.PLATFORM_UNREADABLE, None, ["token was revoked"]),
    # 3
    ("paused by a person", down(Reason.PAUSED_BY_PERSON, paused()), KEPT, Reason.PAUSED_BY_PERSON, paused(), ["readopt"]),
    ("off base", down(Reason.BASE_MISMATCH, at(90)), KEPT, Reason.BASE_MISMATCH, at(90), ["90 AUD", "60 AUD", "5%"]),
    ("drift", down(Reason.DRIFT, at(75)), KEPT, Reason.DRIFT, at(75), ["75 AUD", "60 AUD", "readopt harbour physio-search"]),
    ("drift that will expire", drifted(2), KEPT, Reason.DRIFT, at(75), ["take it over on Sat 07 Mar 12:00"]),
    ("drift about to expire", drifted(6.5), KEPT, Reason.DRIFT, at(75), ["take it over soon, on Tue 03 Mar 00:00"]),
    # 4
    ("protected", case(at(30), entry=replace(ENTRY, protect=True)), KEPT, Reason.PROTECTED, at(60), ["protect: true"]),
    # 5
    *((f"unknown: {why}", case(None, proposal=replace(proposal(None, None), cause=why)), KEPT, why, at(60), [])
      for why in (Reason.DATA_INCOMPLETE, Reason.NO_HISTORY, Reason.LEAD_TIME, Reason.CLOSED, Reason.NOT_SOLD_ONLINE)),
    ("smallest move", case(at(40), proposal=replace(proposal(at(40)), certain=False)),
     APPLIED, Reason.DATA_INCOMPLETE, at(40), ["smallest move"]),
    ("nothing seen, raise", case(at(78), proposal=replace(proposal(at(78)), certain=False), open_slots=NONE_SEEN),
     KEPT, Reason.DATA_INCOMPLETE, at(60), ["nothing of the diaries"]),
    ("nothing seen, cut", case(at(40), proposal=replace(proposal(at(40)), certain=False), open_slots=NONE_SEEN),
     APPLIED, Reason.DATA_INCOMPLETE, at(40), ["smallest move"]),
    ("Cliniko down", dark(9, at(30)), KEPT, Reason.CLINIKO_UNREADABLE, at(30), ["did not answer"]),
    ("keep by default", dark(30, at(30)), KEPT, Reason.CLINIKO_UNREADABLE, at(30), []),
    ("fallback not yet", dark(23.9, at(30), fallback=Fallback.BASE), KEPT, Reason.CLINIKO_UNREADABLE, at(30), []),
    ("fallback up", dark(24, at(30), fallback=Fallback.BASE), APPLIED, Reason.CLINIKO_UNREADABLE, at(60), ["for 24h", "base"]),
    ("fallback down", dark(24, at(78), fallback=Fallback.BASE), APPLIED, Reason.CLINIKO_UNREADABLE, at(60), ["78 AUD"]),
    ("fallback and our pause", dark(99, paused(), fallback=Fallback.BASE), KEPT, Reason.CLINIKO_UNREADABLE, paused(), []),
    # 6
    ("raise long wanted", case(at(78)), APPLIED, Reason.RULE, at(78), ["60 AUD to 78 AUD"]),
    ("new raise", fickle(at(78), at(60), at(60), 3), KEPT, Reason.STABILISING, at(60), ["for 24h"]),
    ("lower raise", fickle(at(78), at(60), at(66), 3), APPLIED, Reason.STABILISING, at(66), ["66 AUD"]),
    ("raise after a cut wish", fickle(at(78), at(60), at(10), 20), KEPT, Reason.STABILISING, at(60), []),
    ("the rule's own window", fickle(at(78), at(60), at(10), 20, stabilise=2 * HOUR), APPLIED, Reason.RULE, at(78), []),
    ("a rule's longer window", case(at(78), stabilise=48 * HOUR), KEPT, Reason.STABILISING, at(60), ["for 2d"]),
    ("raise after a gap", remembering(case(at(78)), proposals=long_wanted(at(78))[:-4]), KEPT, Reason.STABILISING, at(60), []),
    ("first raise", remembering(case(at(78)), proposals=()), KEPT, Reason.STABILISING, at(60), []),
    ("cuts are not held up", remembering(case(at(30)), proposals=()), APPLIED, Reason.RULE, at(30), []),
    ("cut window", fickle(at(30), at(60), at(45), 3, entry=railed(stabilise=RaiseAndCut(DAY, 6 * HOUR))),
     APPLIED, Reason.STABILISING, at(45), ["for 6h"]),
    # 7
    ("floor", case(at(3)), APPLIED, Reason.FLOOR, at(10), ["3 AUD", "floor of 10 AUD"]),
    ("ceiling", case(at(150), at(90)), APPLIED, Reason.CEILING, at(120), ["150 AUD", "ceiling of 120 AUD"]),
    ("a pause is below no floor", case(paused()), APPLIED, Reason.RULE, paused(), ["Pause"]),
    ("the platform's least", case(at(12), seen=replace(seen(at(60)), least=Decimal(15))),
     APPLIED, Reason.FLOOR, at(15), ["12 AUD", "15 AUD that is the least"]),
    ("the least of three ad sets", case(at(12), seen=divided(at(60), least=15)),
     APPLIED, Reason.FLOOR, at(15), ["for its 3 ad sets together"]),
    ("below the least already", case(at(12), at(14), seen=divided(at(14), least=15)), KEPT, Reason.FLOOR, at(14), []),
    ("a pause is below no least", case(paused(), seen=divided(at(60), least=15)), APPLIED, Reason.RULE, paused(), ["Pause"]),
    ("a cut that is not certain is no raise to the floor",
     case(at(0), at(5), proposal=proposal(at(0), certain=False)), KEPT, Reason.DATA_INCOMPLETE, at(5), ["no reason to raise"]),
    ("a certain one is", case(at(0), at(5)), APPLIED, Reason.FLOOR, at(10), []),
    # 8
    ("step up", case(at(120)), APPLIED, Reason.STEP_LIMITED, at(90), ["50%", "90", "120 AUD"]),
    ("step down", case(at(10), entry=railed(max_step=MaxStep(down=Decimal(50)))), APPLIED, Reason.STEP_LIMITED, at(30), []),
    ("back to base in one step", case(at(60), at(10)), APPLIED, Reason.RULE, at(60), []),
    ("past base stops at base", case(at(110), at(10)), APPLIED, Reason.STEP_LIMITED, at(60), ["60", "110 AUD"]),
    ("up to the floor in one step", case(at(50), at(1), entry=replace(ENTRY, floor=Decimal(40))),
     APPLIED, Reason.STEP_LIMITED, at(40), []),
    ("down to the ceiling in one step", case(at(120), at(400)), APPLIED, Reason.RULE, at(120), []),
    ("a resume is no cut, so it is not above what is wanted",
     case(at(30), paused(), entry=railed(max_step=MaxStep(down=Decimal(20)))), APPLIED, Reason.RULE, at(30), []),
    ("a resume is a raise", case(at(120), paused()), APPLIED, Reason.STEP_LIMITED, at(90), []),
    # 9
    ("dead band", case(at("62.99")), KEPT, Reason.DEAD_BAND, at(60), ["62.99 AUD", "60 AUD", "5%"]),
    ("at the dead band", case(at(63)), APPLIED, Reason.RULE, at(63), []),
    # 10
    ("cooling down", changed(at(30), at(60), (5.9, at(66), at(60))), KEPT, Reason.COOLING_DOWN, at(60), ["06:06", "12:06"]),
    ("cooled down", changed(at(30), at(60), (6, at(66), at(60))), APPLIED, Reason.RULE, at(30), []),
    # 11
    ("three changes today", changed(at(57), at(60), *((n, at(61), at(60)) for n in (9, 8, 7))),
     KEPT, Reason.MAX_CHANGES, at(60), ["3 times today"]),
    ("yesterday does not count", changed(at(57), at(60), *((n, at(61), at(60)) for n in (13, 8, 7))),
     APPLIED, Reason.RULE, at(57), []),
    # 13a
    ("outside the window", case(at(30), entry=railed(change_window=Window((0,), 0, 720))),
     KEPT, Reason.CHANGE_WINDOW, at(60), ["Mon 12:00"]),
    ("inside the window", case(at(30), entry=railed(change_window=Window((0,), 720, 780))),
     APPLIED, Reason.RULE, at(30), []),
    ("on another day", case(at(30), entry=railed(change_window=Window((5, 6)))),
     KEPT, Reason.CHANGE_WINDOW, at(60), []),
    # 8b, ad set by ad set
    ("an ad set's day has cost too much", case(at(30), seen=spent("9.10"), entry=ON_META),
     KEPT, Reason.SPENT_TODAY, at(60), ["ad set b has already cost 9.10 AUD", "midnight"]),
    ("an ad set's day leaves room", case(at(30), seen=spent("9.09"), entry=ON_META), APPLIED, Reason.RULE, at(30), []),
    ("a raise is no cut", case(at(66), at(60), seen=spent("99"), entry=ON_META), APPLIED, Reason.RULE, at(66), []),
    # 8b, refused already
    ("refused today", too_low(30, at(30)), KEPT, Reason.SPENT_TODAY, at(60), ["refused 30 AUD", "Mon 02 Mar 15:00"]),
    ("and no less", too_low(30, at(20)), KEPT, Reason.SPENT_TODAY, at(60), ["refused 30 AUD", "20 AUD is tried"]),
    ("nor with a resume", too_low(30, at(30), paused()), KEPT, Reason.SPENT_TODAY, paused(), ["midnight"]),
    ("more than was refused", too_low(30, at(40)), APPLIED, Reason.RULE, at(40), []),
    ("refused, but no cut", too_low(90, at(66)), APPLIED, Reason.RULE, at(66), []),
    ("refused, but paused", too_low(30, paused()), APPLIED, Reason.RULE, paused(), []),
    # Meta's four budgets an hour
    ("four within the hour", often(at(57), 0.9, 0.7, 0.5, 0.3), KEPT, Reason.MAX_CHANGES, at(60), ["4 times", "Mon 12:06"]),
    ("three within the hour", often(at(57), 1, 0.7, 0.5, 0.3), APPLIED, Reason.RULE, at(57), []),
    ("a pause is free", often(paused(), 0.9, 0.7, 0.5, 0.3), APPLIED, Reason.RULE, paused(), []),
    ("and Google knows no such limit", often(at(57), 0.9, 0.7, 0.5, 0.3, entry=UNHURRIED), APPLIED, Reason.RULE, at(57), []),
    # 15
    ("watch", case(at(30), clinic={"mode": Mode.WATCH}), Verdict.WOULD_APPLY, Reason.MODE, at(30), ["to 30 AUD", "watch"]),
    ("propose", case(at(30), clinic={"mode": Mode.PROPOSE}), Verdict.AWAIT_APPROVAL, Reason.MODE, at(30), ["approves"]),
    ("enforce", case(at(30)), APPLIED, Reason.RULE, at(30), ["Cut from 60 AUD to 30 AUD", "“Full” holds"]),
    ("already there", case(at(60)), NOTHING, Reason.ALREADY_THERE, at(60), ["running at 60 AUD"]),
    ("no rule", case(at(60), proposal=proposal(at(60), None)), NOTHING, Reason.NO_RULE, at(60), ["no rule"]),
    ("no rule any more", case(at(60), at(30), proposal=proposal(at(60), None)), APPLIED, Reason.NO_RULE, at(60), []),
    ("nothing to do in watch", case(at(60), clinic={"mode": Mode.WATCH}), NOTHING, Reason.ALREADY_THERE, at(60), []),
    ("resume", case(at(60), paused()), APPLIED, Reason.RULE, at(60), ["Resume at 60 AUD"]),
]  # fmt: skip


@pytest.mark.parametrize(("made", "verdict", "reason", "after", "said"), [pytest.param(*row[1:], id=row[0]) for row in ROWS])
def test_a_row_of_the_table(made: Case, verdict: Verdict, reason: Reason, after: State | None, said: list[str]) -> None:
    decision = decide(made)
    assert (decision.verdict, decision.reason, decision.after) == (verdict, reason, after)
    assert [words for words in said if words not in decision.sentence] == [], decision.sentence
    assert decision.restraints == () or decision.restraints[-1].reason is reason


def test_a_budget_that_was_refused_for_the_days_spend_is_tried_again_once_that_day_is_over() -> None:
    kept = too_low(30, at(30))
    over = replace(kept, clinic=replace(kept.clinic, now=NOON + 3 * HOUR))
    assert (decide(over).verdict, decide(over).after) == (APPLIED, at(30))


def test_all_restraints_are_listed_and_the_last_that_changed_anything_is_the_reason() -> None:
    decision = decide(changed(at(150), at(60), (5, at(66), at(60))))
    assert [restraint.reason for restraint in decision.restraints] == [
        Reason.CEILING,
        Reason.STEP_LIMITED,
        Reason.COOLING_DOWN,
    ]
    assert decision.desired == at(150)
    assert "the rules want it running at 150 AUD" in decision.sentence


def test_what_is_kept_says_what_the_rules_wanted() -> None:
    decision = decide(case(paused(), clinic={"holds": (HOLD,)}))
    assert "the rules want it paused: “Full” holds" in decision.sentence


def test_a_cut_on_google_says_what_today_may_still_cost_and_what_would_stop_it() -> None:
    cut = case(at(30))
    told = "today may still cost twice the highest budget set today, 120 AUD as far as is known; only a pause stops it"
    assert told in decide(cut).sentence
    spending = replace(cut, seen=replace(seen(at(60)), spent_today=Decimal("41.5")))
    assert "as far as is known (41.5 AUD by now); only a pause" in decide(spending).sentence


def test_the_highest_budget_of_the_accounts_own_day_counts() -> None:
    tuesday = case(at(30), entry=railed(cooldown=0 * HOUR))  # noon in Sydney
    raised = remembering(tuesday, changes=changes((13, at(90), at(100)), (11, at(80), at(60))))
    assert "160 AUD" in decide(raised).sentence
    abroad = replace(raised, seen=replace(seen(at(60)), zone="America/Los_Angeles"))  # where it is the evening before
    assert "200 AUD" in decide(abroad).sentence


SOCIAL = replace(railed(), platform=Platform.META)


@pytest.mark.parametrize(
    "made",
    [case(at(78)), case(paused()), case(at(30), paused()), case(at(30), entry=SOCIAL, seen=seen(at(60), SOCIAL))],
    ids=["a raise", "a pause", "a resume", "meta"],
)
def test_nothing_of_the_kind_is_said_where_it_does_not_hold(made: Case) -> None:
    assert "only a pause stops it" not in decide(made).sentence


# --- 12: the edit budget, and the two moves that are never refused ------------------------------------------------------

USED_ONE = ((30.0, at(60), at(30)),)
DARK = {"unreadable": "it did not answer", "unreadable_since": NOON - 2 * DAY}
USED_TWO = ((50.0, at(60), at(30)), (30.0, at(30), at(60)))
EDITS: Mapping[str, tuple[Case, Verdict, Reason, State]] = {
    "a significant cut is one edit": (changed(at(30), at(60), *USED_ONE), APPLIED, Reason.RULE, at(30)),
    "none left": (changed(at(30), at(60), *USED_TWO), KEPT, Reason.EDIT_BUDGET, at(60)),
    "20% is not significant": (changed(at(48), at(60), *USED_TWO), APPLIED, Reason.RULE, at(48)),
    "small steps add up from the last counted value": (
        changed(at(80), at(72), *USED_TWO, (20, at(60), at(72))), KEPT, Reason.EDIT_BUDGET, at(72)),
    "small steps back to the counted value do not": (
        changed(at(60), at(72), *USED_TWO, (20, at(60), at(72))), APPLIED, Reason.RULE, at(60)),
    "edits are forgotten after the period": (
        changed(at(30), at(60), (169, at(60), at(30)), (168, at(30), at(60))), APPLIED, Reason.RULE, at(30)),
    "from what somebody else has set since": (changed(at(60), at(100), *USED_TWO), KEPT, Reason.EDIT_BUDGET, at(100)),
    "what counted when it was made counts for the whole period": (  # the first is forgotten, by which 80 was no edit
        changed(at(120), at(97), (169, at(60), at(70)), (100, at(70), at(80)), (75, at(80), at(97))),
        KEPT, Reason.EDIT_BUDGET, at(97)),
    "small steps add up for longer than the period": (
        changed(at(60), at(90), (400, at(60), at(71)), (50, at(71), at(73)), (30, at(73), at(90))),
        KEPT, Reason.EDIT_BUDGET, at(90)),
    "a pause needs two": (changed(paused(), at(60), *USED_ONE), APPLIED, Reason.EDIT_BUDGET, at(10)),
    "a pause with two left": (changed(paused(), at(60), (50, at(61), at(60))), APPLIED, Reason.RULE, paused()),
    "a pause with none left": (changed(paused(), at(60), *USED_TWO), KEPT, Reason.EDIT_BUDGET, at(60)),
    "a pause with none left, just above the floor": (
        changed(paused(), at(11), *USED_TWO, (20, at(60), at(11)), entry=railed(edit_budget=EditBudget(3))),
        APPLIED, Reason.EDIT_BUDGET, at(10)),
    "a pause with none left, at the floor": (changed(paused(), at(10), *USED_TWO), KEPT, Reason.EDIT_BUDGET, at(10)),
    "a pause after somebody resumed ours": (
        changed(paused(), at(60), (50, at(60), at(30)), (30, at(30), paused(30))), KEPT, Reason.EDIT_BUDGET, at(60)),
    # to the floor while there is nothing to book
    "nothing to book, cooling": (
        changed(at(10), at(60), (1, at(78), at(60)), open_slots=NONE_OPEN), APPLIED, Reason.RULE, at(10)),
    "nothing to book, pause while cooling": (
        changed(paused(), at(60), (1, at(78), at(60)), open_slots=NONE_OPEN), APPLIED, Reason.COOLING_DOWN, at(10)),
    "nothing to book, no edits left": (
        changed(paused(), at(60), *USED_TWO, open_slots=NONE_OPEN), APPLIED, Reason.EDIT_BUDGET, at(10)),
    "nothing to book, but it went to the floor today": (
        changed(paused(), at(60), (50, at(60), at(30)), (20, at(60), at(10)), (10, at(10), at(60)), open_slots=NONE_OPEN),
        KEPT, Reason.EDIT_BUDGET, at(60)),
    "nothing to book is no reason to resume": (
        changed(at(10), paused(), (1, at(60), paused()), open_slots=NONE_OPEN), KEPT, Reason.COOLING_DOWN, paused()),
    # back to no more than base once the restricting rule has ended
    "the rule has ended": (
        changed(at(60), at(10), (1, at(60), at(10)), by="Old"), APPLIED, Reason.RULE, at(60)),
    "the rule has ended, no edits left": (
        changed(at(60), paused(), *USED_TWO, (25, at(60), paused()), by="Old"), APPLIED, Reason.RULE, at(60)),
    "beyond base is optional": (
        changed(at(66), at(40), (1, at(60), at(40)), by="Old"), APPLIED, Reason.COOLING_DOWN, at(60)),
    "the same rule wants it back": (
        changed(at(60), at(10), (1, at(60), at(10)), by="Full"), KEPT, Reason.COOLING_DOWN, at(10)),
    "while nobody can tell, no rule has ended": (
        changed(at(60), at(10), (1, at(60), at(10)), by="Old", proposal=proposal(None, None), clinic=DARK,
                entry=railed(fallback=Fallback.BASE)),
        KEPT, Reason.COOLING_DOWN, at(10)),
    "once a day": (
        changed(at(60), at(10), (23, at(30), at(60)), (1, at(60), at(10)), by="Old"), KEPT, Reason.COOLING_DOWN, at(10)),
}  # fmt: skip


@pytest.mark.parametrize(("made", "verdict", "reason", "after"), EDITS.values(), ids=EDITS)
def test_the_edit_budget_and_the_moves_that_are_never_refused(
    made: Case, verdict: Verdict, reason: Reason, after: State
) -> None:
    decision = decide(made)
    assert (decision.verdict, decision.reason, decision.after) == (verdict, reason, after), decision.sentence


def test_the_sentence_of_a_spent_edit_budget_names_the_numbers() -> None:
    assert "2 of 2 significant edits in 7d are used" in decide(changed(at(30), at(60), *USED_TWO)).sentence
    floored = decide(changed(paused(), at(60), *USED_ONE)).sentence
    assert "1 of 2 significant edits in 7d" in floored
    assert "floor instead" in floored


def test_the_sentence_of_a_pause_that_is_refused_says_why_one_edit_is_not_enough() -> None:
    refused = decide(changed(paused(), at(10), (30, at(60), at(10))))
    assert refused.verdict is KEPT
    assert "1 of 2 significant edits in 7d are used, and a pause takes two, itself and its resume" in refused.sentence
    assert "takes two" not in decide(changed(at(30), at(60), *USED_TWO)).sentence


def test_a_cooldown_of_more_than_six_days_is_told_with_its_date() -> None:
    entry = railed(cooldown=14 * DAY)
    far = decide(changed(at(30), at(60), (24, at(40), at(60)), entry=entry)).sentence
    assert "we changed it at Sun 12:00; the next change may come at Sun 15 Mar 12:00" in far
    long_ago = decide(changed(at(30), at(60), (7 * 24, at(40), at(60)), entry=entry)).sentence
    assert "we changed it at Mon 23 Feb 12:00" in long_ago


def test_exempt_moves_still_respect_a_hold_the_mode_and_the_change_window() -> None:
    made = changed(at(10), at(60), (1, at(78), at(60)), open_slots=NONE_OPEN, entry=railed(change_window=Window((6,))))
    assert decide(made).reason is Reason.CHANGE_WINDOW
    watched = changed(at(10), at(60), (1, at(78), at(60)), open_slots=NONE_OPEN, clinic={"mode": Mode.WATCH})
    assert decide(watched).verdict is Verdict.WOULD_APPLY


def test_a_pause_of_somebody_elses_is_never_announced_to_expire() -> None:
    assert "take it over" not in decide(drifted(6.5, status=True)).sentence

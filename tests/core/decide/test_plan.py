"""The steps that look at a whole clinic at once, and the modes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.decide.case import Case
from service.core.decide.model import Hold, Standing, StoodDown
from service.core.decide.plan import share_out
from service.core.model import Campaign, Mode, Platform, Reason, State, Unreadable, Verdict
from service.core.rules.language import CampaignEntry, Guardrails
from tests.core.decide.made import (
    CLINIC,
    ENTRY,
    NONE_OPEN,
    NOON,
    at,
    case,
    decide,
    decide_all,
    paused,
    proposal,
    railed,
    ruling,
    seen,
)

DRASTIC = {Verdict.APPLY: Reason.RULE, Verdict.AWAIT_APPROVAL: Reason.BLAST_RADIUS}


def entry(name: str, base: int = 60, **more: Any) -> CampaignEntry:
    return replace(ENTRY, name=name, id=name, base=Decimal(base), ceiling=Decimal(4 * base), **more)


def wanting(name: str, target: State, here: State, base: int = 60, **more: Any) -> Case:
    return case(target, here, entry=entry(name, base), **more)


def after(cases: list[Case], **more: Any) -> dict[str, tuple[State | None, Reason]]:
    return {name: (found.after, found.reason) for name, found in decide_all(cases, ruling(cases, **more)).items()}


# --- 13b ----------------------------------------------------------------------------------------------------------------


def test_raises_that_fit_under_the_daily_cap_pass() -> None:
    cases = [wanting("a", at(80), at(60)), wanting("b", at(40), at(30), 30)]
    assert after(cases, daily_cap=Decimal(120)) == {"a": (at(80), Reason.RULE), "b": (at(40), Reason.RULE)}


def test_raises_share_the_free_headroom_in_proportion_to_base() -> None:
    cases = [wanting("a", at(90), at(60)), wanting("b", at(45), at(30), 30)]
    assert after(cases, daily_cap=Decimal(105)) == {"a": (at(70), Reason.DAILY_CAP), "b": (at(35), Reason.DAILY_CAP)}


def test_what_one_does_not_need_goes_to_the_others() -> None:
    cases = [wanting("a", at(63), at(60)), wanting("b", at(45), at(30), 30)]
    assert after(cases, daily_cap=Decimal(105)) == {"a": (at(63), Reason.RULE), "b": (at(42), Reason.DAILY_CAP)}


def test_only_headroom_that_is_already_free_counts_so_a_cut_helps_the_next_run() -> None:
    cases = [wanting("a", at(90), at(60)), wanting("b", at(10), at(30), 30)]
    assert after(cases, daily_cap=Decimal(90)) == {"a": (at(60), Reason.DAILY_CAP), "b": (at(10), Reason.RULE)}


def test_a_clinic_over_its_cap_raises_nothing_and_cuts_nothing_for_it() -> None:
    cases = [wanting("a", at(90), at(60)), wanting("b", at(30), at(30), 30)]
    assert after(cases, daily_cap=Decimal(50)) == {"a": (at(60), Reason.DAILY_CAP), "b": (at(30), Reason.ALREADY_THERE)}


def test_a_resume_needs_room_for_its_whole_budget_and_for_the_floor_at_least() -> None:
    cases = [wanting("a", at(60), paused()), wanting("b", at(30), at(30), 30)]
    assert after(cases, daily_cap=Decimal(70))["a"] == (at(40), Reason.DAILY_CAP)
    assert after(cases, daily_cap=Decimal(39))["a"] == (paused(), Reason.DAILY_CAP)


def test_a_campaign_that_could_not_be_read_counts_at_its_ceiling() -> None:
    unread = wanting("b", at(30), at(30), 30, in_force=None, proposal=None, seen=Unreadable("google", "down"))
    assert after([wanting("a", at(90), at(60)), unread], daily_cap=Decimal(190))["a"] == (at(70), Reason.DAILY_CAP)


def test_a_share_that_is_not_worth_an_edit_is_not_made() -> None:
    cases = [wanting("a", at(90), at(60)), wanting("b", at(45), at(30), 30)]
    cents = after(cases, daily_cap=Decimal("90.10"))
    assert cents == {"a": (at(60), Reason.DAILY_CAP), "b": (at(30), Reason.DAILY_CAP)}


def test_the_sentence_names_the_cap() -> None:
    cases = [wanting("a", at(90), at(60))]
    assert "daily cap is 70 AUD" in decide_all(cases, ruling(cases, daily_cap=Decimal(70)))["a"].sentence


AMOUNTS = st.decimals(0, 500, places=2)
WANTS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(AMOUNTS, st.decimals(1, 100, places=0)), min_size=1)


@given(AMOUNTS, WANTS)
def test_shares_fill_like_water(free: Decimal, wants: dict[str, tuple[Decimal, Decimal]]) -> None:
    wanted, weights = {n: want for n, (want, _) in wants.items()}, {n: weight for n, (_, weight) in wants.items()}
    granted = share_out(free, wanted, weights)
    assert granted.keys() == wanted.keys()
    assert all(0 <= granted[name] <= wanted[name] for name in wanted)
    total = sum(granted.values(), Decimal(0))
    assert abs(total - min(free, sum(wanted.values(), Decimal(0)))) < Decimal("1e-9")
    levels = [granted[name] / weights[name] for name in wanted]
    short = [granted[name] / weights[name] for name in wanted if granted[name] < wanted[name] - Decimal("1e-9")]
    assert all(abs(level - max(levels)) < Decimal("1e-9") for level in short), "who got less than wanted got the most per base"


# --- 14 -----------------------------------------------------------------------------------------------------------------


def many(wishes: int, still: int, target: State, here: State | None = None, **more: Any) -> list[Case]:
    here = here or at(60)
    moving = [wanting(f"m{n}", target, here, **more) for n in range(wishes)]
    return moving + [wanting(f"s{n}", at(60), at(60), **more) for n in range(still)]


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [
        pytest.param(many(4, 3, paused()), Verdict.AWAIT_APPROVAL, id="four pauses of seven"),
        pytest.param(many(4, 4, paused()), Verdict.APPLY, id="four of eight is not over half"),
        pytest.param(many(3, 0, paused()), Verdict.APPLY, id="three are never asked about"),
        pytest.param(many(4, 0, at(80)), Verdict.AWAIT_APPROVAL, id="raises above base"),
        pytest.param(many(4, 0, at(30)), Verdict.APPLY, id="cuts do not count"),
        pytest.param(many(4, 0, at(60), at(30)), Verdict.APPLY, id="returns to base do not count"),
        pytest.param(many(4, 0, at(60), paused()), Verdict.APPLY, id="resumes at base do not count"),
        pytest.param(many(4, 0, at(80), at(90)), Verdict.APPLY, id="cuts that stay above base do not count"),
        pytest.param(many(4, 0, paused(), open_slots=NONE_OPEN), Verdict.APPLY, id="pauses with nothing to book do not count"),
    ],
)
def test_moving_much_of_a_clinic_at_once_is_asked_first(cases: list[Case], verdict: Verdict) -> None:
    decision = decide_all(cases, ruling(cases))["m0"]
    assert (decision.verdict, decision.reason) == (verdict, DRASTIC[verdict])
    assert decision.after != decision.before, "what is asked about can be seen"


def test_the_question_says_how_many_of_how_many_and_spares_the_others() -> None:
    cases = [*many(4, 1, paused()), wanting("cut", at(40), at(60))]
    found = decide_all(cases, ruling(cases))
    assert "4 of 6 campaigns" in found["m0"].sentence
    assert "50%" in found["m0"].sentence
    assert found["cut"].verdict is Verdict.APPLY


def fixed(**more: Any) -> list[Case]:
    """Fifty campaigns that nothing may be done about, for one reason or other."""
    return [wanting(f"f{n}", at(60), at(60), **more) for n in range(50)]


def down(reason: Reason) -> Standing:
    return Standing(expected=at(60), since=NOON, stood_down=StoodDown(reason, NOON, at(60)))


@pytest.mark.parametrize(
    ("untouched", "reason"),
    [
        pytest.param(fixed(seen=replace(seen(at(60)), ineligible="lifetime budget")), Reason.INELIGIBLE, id="ineligible"),
        pytest.param(fixed(seen=Unreadable("google", "503"), in_force=None), Reason.PLATFORM_UNREADABLE, id="unreadable"),
        pytest.param(fixed(standing=down(Reason.DRIFT)), Reason.DRIFT, id="changed by somebody else"),
        pytest.param(fixed(standing=down(Reason.BASE_MISMATCH)), Reason.BASE_MISMATCH, id="off base at first sight"),
        pytest.param(fixed(standing=down(Reason.PAUSED_BY_PERSON)), Reason.PAUSED_BY_PERSON, id="paused by a person"),
        pytest.param(fixed(clinic={"holds": (Hold("h", None, None, "open day", "ana", NOON),)}), Reason.HELD, id="held"),
    ],
)
def test_campaigns_that_cannot_be_changed_are_not_part_of_the_clinic(untouched: list[Case], reason: Reason) -> None:
    cases = [*many(50, 0, paused()), *untouched]
    found = decide_all(cases, ruling(cases))
    assert (found["f0"].reason, found["m0"].verdict) == (reason, Verdict.AWAIT_APPROVAL)
    assert "50 of 50 campaigns that can be changed" in found["m0"].sentence


def test_protected_campaigns_are_not_part_of_the_clinic() -> None:
    guarded = [case(at(60), entry=entry(f"f{n}", protect=True)) for n in range(50)]
    cases = [*many(50, 0, paused()), *guarded]
    found = decide_all(cases, ruling(cases))
    assert (found["f0"].reason, found["m0"].verdict) == (Reason.PROTECTED, Verdict.AWAIT_APPROVAL)


def test_campaigns_whose_diary_is_unknown_now_are_part_of_the_clinic() -> None:
    cases = [*many(4, 0, paused()), *(wanting(f"u{n}", at(60), at(60), proposal=proposal(None)) for n in range(4))]
    assert decide_all(cases, ruling(cases))["m0"].verdict is Verdict.APPLY


def test_a_campaign_that_its_platform_does_not_know_is_not_said_to_be_paused() -> None:
    nothing = State(running=False, budget=None)
    missing = replace(seen(nothing), name="", ineligible="Campaign 1 was not found in account 2")
    gone = decide(case(at(60), nothing, seen=missing))
    assert (gone.verdict, gone.before, gone.after) == (Verdict.REFUSED, None, None)
    there = decide(case(at(60), nothing, seen=replace(missing, name="Physio | Search")))
    assert (there.verdict, there.before) == (Verdict.REFUSED, nothing)


def test_the_clinic_sets_its_own_limit() -> None:
    cases = many(4, 0, paused())
    own = ruling(cases, guardrails=replace(Guardrails(), blast_radius=Decimal(100)))
    assert decide_all(cases, own)["m0"].verdict is Verdict.APPLY


# --- 15 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "verdict"),
    [
        (Mode.WATCH, Verdict.WOULD_APPLY),
        (Mode.PROPOSE, Verdict.AWAIT_APPROVAL),
        (Mode.ENFORCE, Verdict.AWAIT_APPROVAL),
    ],
)
def test_watching_never_asks_however_much_would_move(mode: Mode, verdict: Verdict) -> None:
    cases = many(4, 0, paused(), clinic={"mode": mode})
    decision = decide_all(cases, ruling(cases))["m0"]
    assert decision.verdict is verdict
    assert Reason.BLAST_RADIUS in [restraint.reason for restraint in decision.restraints]


def test_every_campaign_gets_exactly_one_decision_with_its_ids() -> None:
    meta = case(at(30), entry=replace(railed(), name="social", id="238", platform=Platform.META))
    cases = [case(at(30)), replace(meta, proposal=replace(proposal(at(30)), overruled=("Low",)))]
    found = decide_all(cases, ruling(cases))
    assert [(d.id, d.campaign, d.platform, d.platform_id) for d in found.values()] == [
        ("run-physio-search", "physio-search", Platform.GOOGLE, "1"),
        ("run-social", "social", Platform.META, "238"),
    ]
    social = found["social"]
    assert (social.run, social.clinic, social.at, social.service) == ("run", CLINIC.slug, CLINIC.now, "physio")
    assert (social.before, social.desired, social.rule, social.overruled) == (at(60), at(30), "Full", ("Low",))
    assert social.rules_digest == "digest"


# --- 13c ------------------------------------------------------------------------------------------------------------------


def spent(made: Case, month: int | None) -> Case:
    """The case of a campaign that has cost so much this month."""
    assert isinstance(made.seen, Campaign)
    return replace(made, seen=replace(made.seen, spent_month=None if month is None else Decimal(month)))


def month(*cost: int | None) -> list[Case]:
    """Two campaigns at 60 and 30 a day that want 20 and 10 more, on 2 March: 30 days are left, today included."""
    cases = [wanting("a", at(80), at(60)), wanting("b", at(40), at(30), base=30)]
    return [spent(made, each) for made, each in zip(cases, cost, strict=True)]


@pytest.mark.parametrize(
    ("cap", "cost", "expected"),
    [
        pytest.param(3800, (100, 100), {"a": (at(80), Reason.RULE), "b": (at(40), Reason.RULE)}, id="room for both"),
        pytest.param(3350, (100, 100), {"a": (at(70), Reason.MONTHLY_CAP), "b": (at(35), Reason.MONTHLY_CAP)}, id="shared"),
        pytest.param(2900, (100, 100), {"a": (at(60), Reason.MONTHLY_CAP), "b": (at(30), Reason.MONTHLY_CAP)}, id="none left"),
        pytest.param(150, (100, 100), {"a": (at(60), Reason.MONTHLY_CAP), "b": (at(30), Reason.MONTHLY_CAP)}, id="used up"),
        pytest.param(9000, (100, None), {"a": (at(60), Reason.MONTHLY_CAP), "b": (at(30), Reason.MONTHLY_CAP)}, id="unknown"),
    ],
)
def test_raises_share_what_the_month_leaves(cap: int, cost: tuple[int | None, ...], expected: object) -> None:
    assert after(month(*cost), monthly_cap=Decimal(cap)) == expected


def test_the_monthly_cap_cuts_nothing() -> None:
    cases = [spent(wanting("a", at(60), at(60)), 5000), spent(wanting("b", at(20), at(30), base=30), 100)]
    assert after(cases, monthly_cap=Decimal(100)) == {"a": (at(60), Reason.ALREADY_THERE), "b": (at(20), Reason.RULE)}


def test_its_sentence_names_the_cap_what_is_spent_and_the_days_left() -> None:
    said = decide_all(month(100, 100), ruling(month(100, 100), monthly_cap=Decimal(2900)))["a"].sentence
    assert "monthly cap is 2,900 AUD, 200 AUD are spent, and 30 days of the month are left, today included" in said
    unknown = decide_all(month(100, None), ruling(month(100, None), monthly_cap=Decimal(2900)))["a"].sentence
    assert "what b has cost this month is not known" in unknown


def counting_in(zone: str, made: Case, now: datetime) -> Case:
    """The case at that time, of a Sydney clinic whose ad account counts its days in `zone`."""
    assert isinstance(made.seen, Campaign)
    seen_there = replace(made.seen, zone=zone)
    return replace(made, seen=seen_there, clinic=replace(made.clinic, now=now), stabilise=timedelta(0))


BEFORE = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)  # the 31st of March, 23:00 in Sydney, and the 1st of April in Auckland
AFTER = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)  # the 1st of April, 09:00 in Sydney, and the 31st of March in Los Angeles
AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"


@pytest.mark.parametrize(
    ("now", "zones", "cost", "days"),
    [
        pytest.param(BEFORE, (AUCKLAND, AUCKLAND), (0, 0), "30 days", id="the account's month has begun"),
        pytest.param(AFTER, (LOS_ANGELES, LOS_ANGELES), (1500, 1200), "1 day", id="the account's month is not over"),
        pytest.param(
            BEFORE, (AUCKLAND, "Australia/Sydney"), (0, 1000), "30 days", id="one has begun and the other is not over"
        ),
        pytest.param(BEFORE, ("", ""), (1500, 1200), "1 day", id="the clinic's, where the account does not say"),
    ],
)
def test_the_days_left_are_those_of_the_month_that_the_accounts_tell_the_cost_of(
    now: datetime, zones: tuple[str, str], cost: tuple[int, int], days: str
) -> None:
    cases = [counting_in(zone, made, now) for zone, made in zip(zones, month(*cost), strict=True)]
    assert f"and {days} of the month are left" in decide_all(cases, ruling(cases, monthly_cap=Decimal(2700)))["a"].sentence

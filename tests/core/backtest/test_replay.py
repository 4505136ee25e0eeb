from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from service.core.backtest import (
    NO_RUN,
    CampaignReport,
    Candidate,
    Kind,
    Made,
    Moment,
    Replay,
    Report,
    Setting,
    differences,
)
from service.core.model import Reason, Snapshot, State
from service.core.pace import Look
from service.core.rules.language import RuleSet
from service.sandbox.scene import HARBOUR, scene, types_named
from service.sandbox.world import World
from tests.core.backtest.made import DOWN, HOUR, LENIENT, NOBODY_KNOWS, Shown, moments, openings, replayed, report, rules
from tests.core.made import MONDAY, NOW
from tests.core.worlds import seeded
from tests.support import Governed, shipped, snapshot

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(6, 200))]
SIXTY = Decimal(60)
UNKNOWN: list[Shown] = [DOWN, NOBODY_KNOWS]


def figures(found: Report, campaign: str = "ad-0") -> CampaignReport:
    return found.campaigns[campaign]


# --- what is decided ----------------------------------------------------------------------------------------------------


def test_a_replay_decides_what_runs_decided() -> None:
    """Sixty runs of the sandbox's clinic, with a sell-out, cancellations, an outage and a gap: the same to the letter."""
    then, seen = Governed(scene(), shipped(HARBOUR)), list[Moment]()
    world = then.world
    physio = types_named(world.clinics[HARBOUR], "Initial physio")

    def observed(world: World, rules: RuleSet) -> Snapshot:
        found = snapshot(world, rules)
        return replace(found, diaries=DOWN) if len(seen) in range(40, 44) else found

    then.observe = observed
    for hour in range(60):
        if hour == 22:
            world.book_out(HARBOUR, physio)
        if hour == 30:
            world.cancel(HARBOUR, physio, 14)
        then.run()
        inputs, _ = then.outcomes[-1]
        seen.append(Moment(inputs.run, inputs.now, inputs.snapshot.diaries))
        world.advance(5 * HOUR if hour == 35 else HOUR)
    again = Replay([Candidate(then.rules)], Setting(seen[0].at, seen[-1].at))
    assert [again.see(moment)[0].decisions for moment in seen] == [outcome.decisions for _, outcome in then.outcomes]
    assert len(then.applied) > 4


def test_holidays_are_no_time_for_a_rule_that_leaves_them_out() -> None:
    file = rules("rules: [{name: Always, active: {public_holidays: AU-QLD}, then: pause}]\n")
    assert figures(report([openings(2)] * 3, file)).count(Kind.PAUSE) == 1
    assert figures(report([openings(2)] * 3, file, holidays={"AU-QLD": (MONDAY,)})).count(Kind.PAUSE) == 0


def test_budgets_step_by_what_the_platform_bills() -> None:
    file = rules("rules: [{name: Odd, then: {budget: 101.7%}}]\n", LENIENT + "  dead_band: 0%\n")
    assert figures(report([openings(2)] * 2, file)).changes[0].after.budget == Decimal("61.02")
    coarse = report([openings(2)] * 2, file, units={"google/0": Decimal(1)})
    assert figures(coarse).changes[0].after.budget == Decimal(61)


def test_what_a_person_would_have_been_asked_counts_as_granted_and_is_told() -> None:
    """Four campaigns at once with something left to sell: more than half of the clinic."""
    file = rules(
        "rules: [{name: Enough, then: pause}]\n", LENIENT.replace("blast_radius: 100%", "blast_radius: 50%"), campaigns=4
    )
    found = report([openings(2)] * 3, file)
    assert {name: (each.approvals, each.count(Kind.PAUSE)) for name, each in found.campaigns.items()} == {
        f"ad-{n}": (1, 1) for n in range(4)
    }
    assert figures(found).paused_open == 2


def test_a_protected_campaign_stays_as_it_is() -> None:
    file = rules("rules: [{name: Always, then: pause}]\n")
    entry = replace(file.campaigns["ad-0"], protect=True)
    found = figures(report([openings(2)] * 5, replace(file, campaigns={"ad-0": entry})))
    assert (found.changes, found.at_base, found.restrained) == ((), 4, {Reason.PROTECTED: 5})


def test_a_months_cost_is_what_the_budgets_come_to_and_begins_anew_each_month() -> None:
    """Six in the morning of 2 March: 75 are spent at base, 30 days are left. A month later nothing is, with 30 days to go."""
    file = replace(rules(), monthly_cap=Decimal(2000))
    found = figures(report([openings(4)] * 2, file)).changes
    assert [(made.after.budget, made.reason) for made in found] == [(Decimal("64.16"), Reason.MONTHLY_CAP)]
    april = datetime(2026, 3, 31, 15, tzinfo=UTC)
    days = [Moment(str(n), april - n * timedelta(hours=24), openings(2)) for n in range(30, 0, -1)]
    later = Moment("april", april, openings(99, april))
    found = figures(replayed([file], [*days, later]).reports()[0]).changes
    assert [(made.after.budget, made.at) for made in found] == [(Decimal("66.66"), april)]


def test_an_outage_that_lasts_is_answered_as_the_file_says() -> None:
    """`fallback: base` two hours after the first run that could not read, counted anew in each outage."""
    patient = LENIENT + "  fallback: base\n  fallback_after: 2h\n"
    found = report([openings(4), DOWN, openings(4), DOWN, DOWN, DOWN, DOWN], rules(guardrails=patient))
    changes = [(made.kind, (made.at - NOW) / HOUR, made.reason) for made in figures(found).changes]
    assert changes == [(Kind.RAISE, 0, Reason.RULE), (Kind.CUT, 5, Reason.CLINIKO_UNREADABLE)]


def test_what_is_expected_is_learnt_from_looks_before_the_period() -> None:
    """Forty days on which openings went, one in two days each: of four that are open now fewer will be left."""
    file = rules("rules: [{name: Sold by then, when: {expected_open_slots: {below: 4}}, then: {budget: floor}}]\n")
    seen, today = moments([openings(4)] * 2), MONDAY
    looks = tuple(
        Look("physio", "city", today - timedelta(days=n), tuple(float(ahead) / 2 for ahead in range(14)))
        for n in range(40, 0, -1)
    )
    for known, decided in ((looks, {"Sold by then": 2}), ((), {})):
        replay = Replay([Candidate(file, known)], Setting(seen[0].at, seen[-1].at))
        for moment in seen:
            replay.see(moment)
        assert figures(replay.reports()[0]).decided == decided


# --- hours and money ----------------------------------------------------------------------------------------------------


def test_a_day_in_figures() -> None:
    """Two openings for an hour, none for three, four for two, two for two, with a reading at the end of each hour."""
    found = report([openings(2), *[openings(0)] * 3, *[openings(4)] * 2, *[openings(2)] * 2, openings(2)])
    each = figures(found)
    assert [(made.kind, made.at, made.rule) for made in each.changes] == [
        (Kind.PAUSE, NOW + HOUR, "Full"),
        (Kind.RESUME, NOW + 4 * HOUR, "Slack"),
        (Kind.CUT, NOW + 6 * HOUR, None),
    ]
    assert (each.paused_full, each.paused_open, each.paused_unsure) == (3, 0, 0)
    assert (each.below, each.at_base, each.above) == (0, 3, 2)
    assert (each.unspent, each.unspent_full) == (3 * SIXTY / 24, 3 * SIXTY / 24)
    assert each.added == 2 * SIXTY / 2 / 24
    assert (each.decided, each.by_base, each.undecided) == ({"Full": 3, "Slack": 2}, 4, 0)
    assert (found.hours, found.runs, found.services["physio"].full, found.services["physio"].open) == (8, 9, 3, 5)


def test_hours_in_which_nobody_can_tell_are_neither_full_nor_open() -> None:
    found = report([openings(0), openings(0), DOWN, NOBODY_KNOWS, openings(0), openings(0)])
    assert figures(found).paused_full == 3
    assert figures(found).paused_unsure == 2
    assert found.services["physio"].unjudged == {Reason.CLINIKO_UNREADABLE: 1, Reason.DATA_INCOMPLETE: 1}
    assert (found.unreadable, figures(found).undecided) == (1, 2)
    assert figures(found).unspent_full == 3 * SIXTY / 24


def test_runs_that_are_missing_leave_campaigns_as_they_were_and_nobody_can_tell() -> None:
    early, late = moments([openings(0)] * 2), moments([openings(0)] * 2, NOW + 10 * HOUR)
    found = replayed([rules()], [*early, *late]).reports()[0]
    assert (figures(found).paused_full, figures(found).paused_unsure) == (2, 9)
    service = found.services["physio"]
    assert (service.full, service.unsure, service.unjudged) == (2, 9, {NO_RUN: 9})
    assert figures(found).unspent == 11 * SIXTY / 24


def test_a_reading_from_before_the_period_is_compared_with_and_not_decided_upon() -> None:
    """Two openings at six on Monday, three more a day later; the rule asks what has opened since."""
    file = rules("rules: [{name: Cluster, when: {slots_opened: {at_least: 3}}, then: {budget: 150%}}]\n")
    before, now = Moment("before", NOW, openings(2)), Moment("now", NOW + 24 * HOUR, openings(9, NOW + 24 * HOUR))
    for recalled, decided in ((True, {"Cluster": 1}), (False, {})):
        replay = Replay([Candidate(file)], Setting(now.at, now.at))
        if recalled:
            replay.recall(before)
        replay.see(now)
        (found,) = replay.reports()
        assert (found.runs, figures(found).decided) == (1, decided)


def test_an_edit_that_the_edit_budget_would_count_is_significant() -> None:
    """Small steps of 15% count once they have added up to more than a fifth."""
    steps = "[{at_least: 6, budget: 130%}, {at_least: 3, budget: 115%}, {otherwise: 100%}]"
    ladder = rules(f"rules: [{{name: Ladder, bands: {{by: {{metric: open_slots}}, steps: {steps}}}}}]\n")
    found = figures(report([openings(n) for n in (2, 3, 6, 6)], ladder))
    assert [(made.after.budget, made.significant) for made in found.changes] == [(Decimal(69), False), (Decimal(78), True)]
    assert found.edits_per_week == pytest.approx(1 * 7 * 24 / 3)


# --- figures against the changes themselves -------------------------------------------------------------------------------


def diary(seed: int) -> list[Moment]:
    """Some days of runs, most an hour apart; openings come and go, and now and then nobody can tell."""
    chance, now, found, count = seeded(seed), NOW, list[Moment](), 3
    while now < NOW + timedelta(days=4):
        if chance.random() < 0.15:
            count = chance.choice([0, 0, 1, 3, 6, 12])
        shown: Shown = chance.choice(UNKNOWN) if chance.random() < 0.08 else openings(count, now)
        found.append(Moment(now.isoformat(), now, shown))
        now += chance.choice([HOUR] * 9 + [timedelta(minutes=25), 6 * HOUR])
    return found


def states(made: tuple[Made, ...], first: datetime, last: datetime) -> list[tuple[datetime, datetime, State]]:
    """The states of a campaign one after the other, from nothing but its changes."""
    times = [first, *(each.at for each in made), last]
    held = [State(running=True, budget=SIXTY), *(each.after for each in made)]
    return [(begins, ends, state) for (begins, ends), state in zip(pairwise(times), held, strict=True)]


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_are_what_the_changes_come_to(seed: int) -> None:
    seen = diary(seed)
    found = replayed([rules(guardrails="")], seen, parts=7).reports()[0]
    each, period = figures(found), (seen[0].at, seen[-1].at)
    paused = spent = above = below = 0.0
    for begins, ends, state in states(each.changes, *period):
        hours = (ends - begins) / HOUR
        budget = float(state.budget or 0) if state.running else 0.0
        paused += 0 if state.running else hours
        spent += budget * hours / 24
        above += max(budget - 60, 0) * hours / 24
        below += max(60 - budget, 0) * hours / 24
    assert each.paused_full + each.paused_open + each.paused_unsure == pytest.approx(paused, abs=0.02)
    assert paused + each.below + each.at_base + each.above == pytest.approx(found.hours, abs=0.05)
    assert [float(each.added), float(each.unspent)] == pytest.approx([above, below], abs=0.01)
    assert 0 <= each.unspent_full <= each.unspent
    parts = [share for share in each.strip if share is not None]
    assert len(parts) == 7
    assert sum(parts) / 7 * 60 * found.hours / 24 == pytest.approx(spent, rel=0.01)
    assert sum(each.decided.values()) + each.by_base + each.undecided == found.runs == len(seen)
    for before, after in pairwise(each.changes):
        assert before.after == after.before


def test_a_period_of_one_reading_has_runs_and_no_hours() -> None:
    found = report([openings(0)])
    assert (found.runs, found.hours, figures(found).edits_per_week, figures(found).count(Kind.PAUSE)) == (1, 0, 0, 1)
    assert set(figures(found).strip) == {None}


# --- two files ----------------------------------------------------------------------------------------------------------


def test_a_file_beside_another_is_as_it_is_alone_whatever_they_share() -> None:
    seen = diary(3)
    asking = rules("rules: [{name: E, when: {expected_open_slots: {at_least: 4}}, then: {budget: 120%}}]\n")
    back = rules("rules: [{name: B, when: {slots_opened: {at_least: 1, since: 48h}}, then: {budget: 140%}}]\n")
    files = [rules(), asking, back, rules(guardrails="")]
    together = replayed(files, seen).reports()
    assert list(together) == [replayed([file], seen).reports()[0] for file in files]
    assert len({str(each.campaigns) for each in together}) == 4


def test_a_file_differs_from_itself_in_nothing_and_from_another_by_what_they_do_apart() -> None:
    readings = [openings(2), *[openings(0)] * 4, openings(2), openings(2)]
    same = replayed([rules(), rules()], moments(readings)).comparison()
    assert all(each.none for each in differences(same).values())
    never = rules("")
    difference = differences(replayed([rules(), never], moments(readings)).comparison())["ad-0"]
    assert (difference.changes, difference.paused_full, difference.apart) == (2, 4, 4)
    assert difference.unspent == difference.unspent_full == 4 * SIXTY / 24
    assert difference.added == 0


def test_campaigns_that_only_one_file_names_are_not_compared() -> None:
    found = replayed([rules(campaigns=2), rules(campaigns=1)], moments([openings(0)] * 3)).comparison()
    assert set(differences(found)) == {"ad-0"}


def test_a_replay_is_not_written_out_with_all_its_readings() -> None:
    assert Replay.__repr__ is object.__repr__

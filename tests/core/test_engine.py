"""One run's thinking from end to end: the same inputs, the same outcome, and nothing drastic on bad data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from pydantic import TypeAdapter

from service.core.canonical import canonical
from service.core.decide.model import Decision, PastChange, RunInputs, Standing
from service.core.decide.proposals import position
from service.core.engine import clinic_zone, conclude
from service.core.model import Diaries, Platform, Reason, Snapshot, State, Unreadable, Unseen, Verdict
from service.core.rules.language import CampaignEntry, RaiseAndCut, RuleSet
from service.rulefiles.directory import RuleDirectory
from service.sandbox.scene import scene, types_named
from service.sandbox.world import World
from tests.support import CENT, RULES, Governed, shipped, snapshot, write

HOUR = timedelta(hours=1)
FILES = RuleDirectory(RULES).clinics()
INPUTS = TypeAdapter(RunInputs)


def governed(clinic: str, hours: int = 0) -> Governed:
    """A clinic of the demonstration scene after so many hourly runs."""
    clinic_ = Governed(scene(), shipped(clinic))
    for _ in range(hours):
        clinic_.run()
        clinic_.world.advance(HOUR)
    return clinic_


# --- determinism ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clinic", FILES)
def test_the_same_inputs_give_the_same_outcome_also_when_they_were_stored_in_between(clinic: str) -> None:
    inputs = governed(clinic, hours=26).inputs()
    outcome = canonical(conclude(inputs))
    assert canonical(conclude(inputs)) == outcome
    assert canonical(conclude(INPUTS.validate_json(INPUTS.dump_json(inputs)))) == outcome


@pytest.mark.parametrize("clinic", FILES)
def test_the_order_in_which_cliniko_lists_things_does_not_matter(clinic: str) -> None:
    inputs = governed(clinic, hours=2).inputs()
    read = inputs.snapshot.diaries
    assert isinstance(read, Diaries)
    turned = replace(
        read, practitioners=read.practitioners[::-1], types=read.types[::-1], offers=read.offers[::-1],
        hours=read.hours[::-1], probes=read.probes[::-1],
    )  # fmt: skip
    again = replace(inputs, snapshot=replace(inputs.snapshot, diaries=turned))
    assert canonical(conclude(again)) == canonical(conclude(inputs))


@pytest.mark.parametrize("clinic", FILES)
def test_every_campaign_gets_one_decision_and_every_service_a_forecast_and_a_trace(clinic: str) -> None:
    rules, outcome = shipped(clinic), governed(clinic).run()
    assert [decision.campaign for decision in outcome.decisions] == list(rules.campaigns)
    assert list(outcome.forecasts) == list(outcome.traces) == list(rules.services)
    assert {line.rule for lines in outcome.traces.values() for line in lines} <= {rule.name for rule in rules.rules}
    assert set(outcome.standings) == set(rules.campaigns)


# --- desired state, not steps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clinic", FILES)
def test_running_again_after_applying_changes_nothing(clinic: str) -> None:
    clinic_ = governed(clinic)
    changed = 0
    for hour in range(40):
        if hour == 4:
            clinic_.world.book_out(clinic, list(clinic_.world.clinics[clinic].types), days=14)
        if hour == 32:
            clinic_.world.cancel(clinic, list(clinic_.world.clinics[clinic].types), 12)
        clinic_.run()
        changed += len(clinic_.applied)
        clinic_.applied.clear()
        clinic_.run()
        assert clinic_.applied == []
        clinic_.world.advance(HOUR)
    assert changed


# --- nothing drastic on bad data ------------------------------------------------------------------------------------------

Observe = Callable[[World, RuleSet], Snapshot]


def every_diary_404(world: World, rules: RuleSet) -> Snapshot:
    seen = snapshot(world, rules)
    assert isinstance(seen.diaries, Diaries)
    probes = tuple(replace(probe, starts=None, unseen=Unseen.NOT_FOUND) for probe in seen.diaries.probes)
    return replace(seen, diaries=replace(seen.diaries, probes=probes))


def every_diary_failed(world: World, rules: RuleSet) -> Snapshot:
    seen = every_diary_404(world, rules)
    assert isinstance(seen.diaries, Diaries)
    probes = tuple(replace(probe, unseen=Unseen.FAILED) for probe in seen.diaries.probes)
    return replace(seen, diaries=replace(seen.diaries, probes=probes))


def cliniko_down(world: World, rules: RuleSet) -> Snapshot:
    return replace(snapshot(world, rules), diaries=Unreadable("cliniko", "it answered 503 three times"))


def bookings_switched_off(world: World, rules: RuleSet) -> Snapshot:
    world.clinics[rules.clinic].settings.enabled = False
    return snapshot(world, rules)


def only_lead_time(world: World, rules: RuleSet) -> Snapshot:
    world.clinics[rules.clinic].settings.lead_hours = 336
    return snapshot(world, rules)


def christmas(world: World, rules: RuleSet) -> Snapshot:
    world.clinics[rules.clinic].hours = []
    seen = snapshot(world, rules)
    reference = snapshot(scene(), rules).diaries
    assert isinstance(seen.diaries, Diaries)
    assert isinstance(reference, Diaries)
    probes = tuple(replace(probe, starts=()) for probe in reference.probes)
    return replace(seen, diaries=replace(seen.diaries, offers=reference.offers, probes=probes))


BLIND: dict[str, tuple[Observe, set[Reason]]] = {
    "every diary 404": (every_diary_404, {Reason.DATA_INCOMPLETE, Reason.NO_HISTORY}),
    "every diary failed": (every_diary_failed, {Reason.DATA_INCOMPLETE, Reason.NO_HISTORY}),
    "Cliniko down": (cliniko_down, {Reason.CLINIKO_UNREADABLE}),
    "online bookings switched off": (bookings_switched_off, {Reason.NOT_SOLD_ONLINE}),
    "two weeks of lead time": (only_lead_time, {Reason.LEAD_TIME}),
    "Christmas": (christmas, {Reason.CLOSED}),
}


def at_share(entry: CampaignEntry, percent: int) -> State:
    return State(running=True, budget=max(entry.floor, min(entry.ceiling, entry.base * percent / 100)).quantize(CENT))


IN_FORCE: dict[str, Callable[[CampaignEntry], State]] = {
    "base": lambda entry: State(running=True, budget=entry.base),
    "raised": lambda entry: at_share(entry, 130),
    "ceiling": lambda entry: State(running=True, budget=entry.ceiling),
    "cut": lambda entry: at_share(entry, 60),
    "floor": lambda entry: State(running=True, budget=entry.floor),
    "paused by us": lambda entry: State(running=False, budget=entry.base),
}


def eager(rules: RuleSet) -> RuleSet:
    """The same rules without the day that a raise has to wait."""
    at_once = RaiseAndCut(timedelta(0), timedelta(0))
    entries = {n: replace(e, guardrails=replace(e.guardrails, stabilise=at_once)) for n, e in rules.campaigns.items()}
    return replace(rules, campaigns=entries)


def left_at(clinic: str, state: Callable[[CampaignEntry], State]) -> Governed:
    """A clinic whose campaigns we brought to a state earlier."""
    clinic_ = Governed(scene(), eager(shipped(clinic)))
    for name, entry in clinic_.rules.campaigns.items():
        there = state(entry)
        write(clinic_.world, clinic_.rules, name, there)
        clinic_.standings[name] = Standing(there, clinic_.world.now - 30 * HOUR, paused_by_us=not there.running)
    return clinic_


@pytest.mark.parametrize("state", IN_FORCE.values(), ids=IN_FORCE)
@pytest.mark.parametrize(("observe", "reasons"), BLIND.values(), ids=BLIND)
@pytest.mark.parametrize("clinic", FILES)
@pytest.mark.sampled(2)
def test_what_cannot_be_seen_pauses_nothing_and_raises_nothing(
    clinic: str, observe: Observe, reasons: set[Reason], state: Callable[[CampaignEntry], State]
) -> None:
    clinic_ = left_at(clinic, state)
    clinic_.observe = observe
    for _ in range(5):
        for decision in clinic_.run().decisions:
            assert reasons & {restraint.reason for restraint in decision.restraints}, decision.sentence
            assert decision.verdict is Verdict.KEEP or _smallest_cut(decision), decision.sentence
        clinic_.world.advance(HOUR)


def _smallest_cut(decision: Decision) -> bool:
    """A campaign above everything that the rules could still want comes down to the highest of it, and stays running."""
    assert decision.before is not None
    assert decision.after is not None
    return decision.after.running and position(decision.after) < position(decision.before)


@pytest.mark.parametrize("clinic", FILES)
@pytest.mark.parametrize("platform", list(Platform))
def test_an_unreadable_platform_keeps_its_campaigns_and_leaves_the_other_alone(clinic: str, platform: Platform) -> None:
    def one_dark(world: World, rules: RuleSet) -> Snapshot:
        seen = snapshot(world, rules)
        names = [name for name, entry in rules.campaigns.items() if entry.platform is platform]
        return replace(
            seen, campaigns={**seen.campaigns, **dict.fromkeys(names, Unreadable(platform, "the token was revoked"))}
        )

    clinic_ = governed(clinic)
    clinic_.observe = one_dark
    for decision in clinic_.run().decisions:
        if decision.platform is platform:
            assert (decision.verdict, decision.reason) == (Verdict.KEEP, Reason.PLATFORM_UNREADABLE)
            assert "the token was revoked" in decision.sentence
            assert (decision.before, decision.after) == (None, None)
        else:
            assert decision.reason is not Reason.PLATFORM_UNREADABLE


def test_a_campaign_that_was_not_asked_about_counts_as_unreadable() -> None:
    inputs = governed(FILES[0]).inputs()
    outcome = conclude(replace(inputs, snapshot=replace(inputs.snapshot, campaigns={})))
    assert {decision.reason for decision in outcome.decisions} == {Reason.PLATFORM_UNREADABLE}


def test_a_propagating_write_counts_as_done() -> None:
    inputs = governed("harbour-physio").inputs()
    (entry, *_) = inputs.rules.campaigns.values()
    before, after = State(True, entry.base), State(True, Decimal("66.00"))
    clinic_ = left_at("harbour-physio", IN_FORCE["base"])
    clinic_.run()
    standing = replace(clinic_.standings[entry.name], expected=after, previous=before, since=clinic_.world.now)
    standing = replace(standing, changes=(PastChange(clinic_.world.now, before, after),))
    clinic_.standings[entry.name] = standing
    clinic_.world.advance(timedelta(minutes=10))
    assert clinic_.run().decisions[0].before == after
    clinic_.world.advance(timedelta(minutes=10))
    assert clinic_.run().decisions[0].reason is Reason.DRIFT


def test_the_clinics_zone_is_that_of_the_newest_snapshot_that_shows_one() -> None:
    clinic_ = governed("northside-allied")
    seen = snapshot(clinic_.world, clinic_.rules)
    dark = replace(seen, diaries=Unreadable("cliniko", "down"))
    assert clinic_zone((dark, seen)) == "Australia/Brisbane"
    assert clinic_zone((dark,)) == "UTC"


def test_two_looks_within_minutes_do_not_agree_on_what_is_suddenly_gone() -> None:
    """A fault that lasts a minute would be met by both, so the second one is held against the hour before as well."""
    clinic = governed("harbour-physio", hours=2)
    clinic.world.book_out("harbour-physio", types_named(clinic.world.clinics["harbour-physio"], "Initial physio"))
    for _ in range(3):
        assert not [decision for decision in clinic.run().decisions if decision.after and not decision.after.running]
        clinic.world.advance(timedelta(seconds=8))
    clinic.world.advance(HOUR)
    assert [decision for decision in clinic.run().decisions if decision.after and not decision.after.running]

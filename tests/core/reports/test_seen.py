"""What runs keep for the reports, of a clinic that is governed in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.core.engine import decide
from service.core.model import Campaign, Snapshot, State, Unreadable
from service.core.outlook import outlook
from service.core.reports.seen import Kept, RunSeen, ServiceSeen, kept
from service.core.rules.language import RuleSet
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.world import World
from tests.support import Governed, shipped, write
from tests.web.world import book_out

HOUR = timedelta(hours=1)


@pytest.fixture
def governed() -> Governed:
    return Governed(scene(), shipped(HARBOUR))


def seen_by(governed: Governed) -> Kept:
    """A run, and what it keeps."""
    governed.run()
    inputs, _ = governed.outcomes[-1]
    view = outlook(inputs)
    return kept(inputs, decide(inputs, view), view)


def service(run: RunSeen, name: str = "physio") -> ServiceSeen:
    return next(each for each in run.services if each.name == name)


def test_a_campaign_at_base_is_not_our_doing_and_one_that_we_paused_is(governed: Governed) -> None:
    first = seen_by(governed).run
    assert [(each.running, each.ours) for each in first.campaigns] == [(True, False)] * len(first.campaigns)
    book_out(governed.world)
    for _ in range(4):
        governed.world.advance(HOUR)
        last = seen_by(governed).run
    search = next(each for each in last.campaigns if each.name == "physio-search")
    assert (search.running, search.ours, search.base) == (False, True, f"{governed.rules.campaigns['physio-search'].base:f}")
    assert service(last).full is True


def test_what_somebody_else_paused_is_not_ours(governed: Governed) -> None:
    seen_by(governed)
    write(
        governed.world,
        governed.rules,
        "physio-search",
        State(running=False, budget=governed.rules.campaigns["physio-search"].base),
    )
    governed.world.advance(HOUR)
    search = next(each for each in seen_by(governed).run.campaigns if each.name == "physio-search")
    assert (search.running, search.ours) == (False, False)


def test_what_cannot_be_read_is_kept_as_such(governed: Governed) -> None:
    def blind(world: World, rules: RuleSet) -> Snapshot:
        gone: dict[str, Campaign | Unreadable] = {name: Unreadable("google", "503") for name in rules.campaigns}
        return Snapshot(rules.clinic, world.now, Unreadable("cliniko", "503"), gone)

    governed.observe = blind
    found = seen_by(governed)
    assert {each.running for each in found.run.campaigns} == {None}
    assert (found.run.services, found.days) == ((), ())


def test_the_openings_are_those_of_the_forecast(governed: Governed) -> None:
    found = seen_by(governed)
    _, outcome = governed.outcomes[-1]
    days = outcome.forecasts["physio"].days
    assert service(found.run).low == [each.openings.low for each in days]
    assert service(found.run).high == [each.openings.high for each in days]


def test_what_stays_for_an_hour_is_what_is_there_in_an_hour(governed: Governed) -> None:
    """With nobody booking, at every hour of a day and the next morning."""
    before = service(seen_by(governed).run)
    for _ in range(26):
        governed.world.advance(HOUR)
        now = service(seen_by(governed).run)
        moved = now.today - before.today
        assert now.low[: 14 - moved] == before.staying[moved:]
        before = now


def test_a_days_diaries_add_up_to_the_forecast(governed: Governed) -> None:
    governed.world.advance(6 * HOUR)
    found = seen_by(governed)
    _, outcome = governed.outcomes[-1]
    day = next(each for each in found.days if each.service == "physio")
    for n, told in enumerate(outcome.forecasts["physio"].days):
        assert sum(each.rostered[n] for each in day.diaries) == pytest.approx(told.working_minutes, abs=len(day.diaries))
        if n:
            assert sum(each.open[n] or 0 for each in day.diaries) == pytest.approx(told.open_minutes.low, abs=len(day.diaries))
    assert {each.practitioner for each in day.diaries} <= set(day.names)
    assert all(place in day.names for each in day.diaries for place in each.locations if place)

"""Clinics in every state that a fault may meet: how full the diary is, what the campaigns are doing, what is remembered.

The standing state comes from faultless runs of the shipped rules; a state is made once and then shared, because a lineage of
runs on it changes nothing but its own copy of the ad accounts.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property

import httpx

from service.core.decide.model import RunInputs, RunOutcome
from service.core.model import Campaign, Mode, State
from service.sandbox.clinic import Clinic, Span
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.minutes import Repeat
from service.sandbox.scene import HARBOUR, NORTHSIDE, SUNDAY_MORNING, scene
from service.sandbox.world import World
from tests.cliniko.stage import over
from tests.support import Governed, campaigns, shipped

SMALL_PAGE = 25
"""So that a small clinic has several pages too."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SEASONS: Mapping[str, datetime] = {
    "plain": SUNDAY_MORNING,
    "clocks_forward": datetime(2026, 9, 28, 21, tzinfo=UTC),
    "clocks_back": datetime(2027, 3, 29, 21, tzinfo=UTC),
}
"""Sydney changes its clocks on 4 October 2026 and on 4 April 2027."""

DIARIES = (
    *("full", "nearly_full", "one_free", "half", "empty", "cancelled"),
    *("capped", "limited", "lead_time", "on_leave", "gappy"),
)
CAMPAIGNS = ("running", "paused", "raised")
PASTS = ("history", "no_history", "first_run")
AGES = (0, 3)
"""Hours of faultless runs between the diary's last event and the fault."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which clinic, and what state it is in."""

    clinic: str
    season: str
    diary: str
    campaigns: str
    past: str
    age: int


CONDITIONS = [
    Condition(*parts)
    for parts in itertools.product([HARBOUR, NORTHSIDE], SEASONS, DIARIES, CAMPAIGNS, PASTS, AGES)
    if parts[4] != "first_run" or (parts[3] == "running" and parts[5] == 0)
]


class Lineage(Governed):
    """One line of runs; its world shares the clinic with others and has ad accounts of its own."""

    def fork(self) -> Lineage:
        """Another line with the same past."""
        forked = Lineage(_ads_apart(self.world), self.rules)
        forked.outcomes, forked.standings = list(self.outcomes), dict(self.standings)
        return forked

    def states(self) -> dict[str, State]:
        """What every campaign is doing."""
        return {name: seen.state for name, seen in campaigns(self.world, self.rules).items() if isinstance(seen, Campaign)}

    @cached_property
    def sandbox(self) -> httpx.ASGITransport:
        """The sandbox's Cliniko over this line's world."""
        return over(cliniko_app(self.world, limit=10**9, patience=0.0, largest_page=SMALL_PAGE))

    @property
    def last(self) -> tuple[RunInputs, RunOutcome]:
        """The newest run."""
        return self.outcomes[-1]


@cache
def prepared(condition: Condition) -> Lineage:
    """The clinic as the fault finds it: fork it before running anything."""
    lineage = _with_campaigns(condition.clinic, condition.season, condition.campaigns).fork()
    lineage.world.clinics = {condition.clinic: deepcopy(lineage.world.clinics[condition.clinic])}
    _happen(lineage, condition.diary)
    if condition.past == "first_run":
        lineage.outcomes, lineage.standings = [], {}
    if condition.past == "no_history":
        lineage.outcomes = lineage.outcomes[-1:]
    for _ in range(condition.age):
        lineage.run()
        lineage.world.advance(HOUR)
    return lineage


@cache
def _with_campaigns(clinic: str, season: str, doing: str) -> Lineage:
    """A day of faultless runs after which the campaigns are what `doing` says."""
    rules = shipped(clinic)
    lineage = Lineage(scene(now=SEASONS[season]), replace(rules, mode=Mode.WATCH if doing == "running" else Mode.ENFORCE))
    _add_blocks(lineage.world, clinic)
    if doing == "paused":
        lineage.world.book_out(clinic, list(lineage.world.clinics[clinic].types))
    if doing == "raised":
        lineage.world.clinics[clinic].appointments.clear()
    for _ in range(14):
        lineage.run()
        lineage.world.advance(2 * HOUR)
    lineage.rules = replace(rules, mode=Mode.ENFORCE)
    return lineage


def _add_blocks(world: World, slug: str) -> None:
    """Leave, a standing meeting and some extra hours, so that there is something to lose in every list."""
    clinic = world.clinics[slug]
    midnight = world.now.replace(hour=0, minute=0)
    for n, person in enumerate(clinic.people):
        place = clinic.places_of(person)[0]
        meeting = midnight + timedelta(days=2, hours=n)
        clinic.unavailable.append(Span(person, meeting, meeting + HOUR, place, repeat=Repeat("Weekly", 1, 3)))
        clinic.extra.append(Span(person, midnight + timedelta(days=6), midnight + timedelta(days=6, hours=3), place))
    away = next(iter(clinic.people))
    clinic.unavailable.append(Span(away, midnight + 4 * DAY, midnight + 7 * DAY))


def _happen(lineage: Lineage, diary: str) -> None:
    slug = lineage.rules.clinic
    world, clinic = lineage.world, lineage.world.clinics[slug]
    clinic.appointments = deepcopy(_booked(slug, world.now))
    if diary in {"full", "cancelled", "nearly_full", "one_free"}:
        world.book_out(slug, list(clinic.types), leave=12 if diary == "nearly_full" else 0)
    if diary == "one_free":
        free = next(iter(clinic.people))
        clinic.appointments = [span for span in clinic.appointments if span.person != free]
    if diary == "cancelled":
        world.cancel(slug, list(clinic.types), 14)
    if diary == "empty":
        clinic.appointments.clear()
    _set(clinic, diary)


def _set(clinic: Clinic, diary: str) -> None:
    if diary == "capped":
        clinic.settings.segment_cap = 1
    if diary == "limited":
        clinic.settings.daily_limit = 12
    if diary == "lead_time":
        clinic.settings.lead_hours = 48
    if diary == "on_leave":
        list(clinic.people.values())[-2].on_leave = True
    if diary == "gappy":
        clinic.anchor = "gap"


@cache
def _booked(slug: str, now: datetime) -> list[Span]:
    return scene(now=now).clinics[slug].appointments


def _ads_apart(world: World) -> World:
    apart = World(world.now)
    apart.clinics, apart.google, apart.meta = world.clinics, deepcopy(world.google), deepcopy(world.meta)
    return apart

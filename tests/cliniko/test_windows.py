"""Which dates are asked for, and what the answers say of local days, whoever's midnight cuts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from service.cliniko.windows import Calendar
from service.core.intervals import Span
from service.core.model import Diaries, Offer, Probe, Unseen
from service.core.rules.language import Service
from service.sandbox.clinic import Business, Clinic, Hours, Person, Type
from service.sandbox.reading import diaries as faultless
from service.sandbox.scene import API_KEYS, HARBOUR
from service.sandbox.world import World
from tests.cliniko.stage import VirtualTime, diaries_of

SYDNEY, PERTH, BRISBANE = "Australia/Sydney", "Australia/Perth", "Australia/Brisbane"
OFFER = Offer("1", "2", "3")
MARCH = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
"""One in the afternoon in Sydney, three hours later than in Perth."""

SOLD = (Service("podiatry", ("Initial podiatry consultation",)),)


def dates(calendar: Calendar, rostered: Callable[[Span], bool]) -> list[tuple[int, int]]:
    return [(each.first.day, each.last.day) for each in calendar.questions(OFFER, rostered)]


def always(_: Span) -> bool:
    return True


def never(_: Span) -> bool:
    return False


@pytest.mark.parametrize(
    ("zone", "others", "now", "rostered", "asked"),
    [
        (SYDNEY, set(), MARCH, always, [(2, 8), (9, 15)]),
        (PERTH, {SYDNEY}, MARCH, always, [(2, 8), (9, 15), (16, 16)]),
        (PERTH, {SYDNEY}, MARCH, never, [(2, 8), (9, 15)]),
        (SYDNEY, {PERTH}, MARCH, always, [(2, 8), (9, 15)]),
        (SYDNEY, {PERTH}, datetime(2026, 3, 1, 14, tzinfo=UTC), always, [(1, 7), (8, 14), (15, 15)]),
        (SYDNEY, {PERTH}, datetime(2026, 3, 1, 14, tzinfo=UTC), never, [(2, 8), (9, 15)]),
    ],
    ids=[
        "one zone",
        "the account may be ahead: its day after the last",
        "nobody works then",
        "the account may be behind, by day",
        "the account may be behind, and its today is yesterday",
        "nobody works at that hour",
    ],
)
def test_dates_are_asked_for_as_far_as_any_midnight_may_reach(
    zone: str, others: set[str], now: datetime, rostered: Callable[[Span], bool], asked: list[tuple[int, int]]
) -> None:
    assert dates(Calendar(zone, frozenset(others), now), rostered) == asked


def test_only_the_uncertain_hours_are_looked_up_in_the_roster() -> None:
    looked_up: list[Span] = []

    def remembering(span: Span) -> bool:
        looked_up.append(span)
        return False

    Calendar(PERTH, frozenset({SYDNEY, BRISBANE}), MARCH).questions(OFFER, remembering)
    hours = {(datetime.fromtimestamp(begin, ZoneInfo(PERTH)).hour, (end - begin) // 3600) for begin, end in looked_up}
    assert hours == {(21, 3), (22, 2)}


def test_a_day_is_observed_once_every_date_that_may_hold_a_part_of_it_was_answered() -> None:
    calendar = Calendar(PERTH, frozenset({SYDNEY}), MARCH)
    asked = calendar.questions(OFFER, always)
    answers = [Probe(OFFER, each.first, each.last, ()) for each in asked]
    lost = replace(answers[1], starts=None, unseen=Unseen.FAILED)
    found = calendar.probes(asked, [answers[0], lost, answers[2]])
    assert [(probe.first.day, probe.last.day, probe.starts) for probe in found] == [(2, 7, ()), (8, 8, None), (9, 15, None)]
    assert {probe.unseen for probe in found if probe.starts is None} == {Unseen.FAILED}
    whole = calendar.probes(asked, answers)
    assert [(probe.first.day, probe.last.day, probe.starts) for probe in whole] == [(2, 8, ()), (9, 15, ())]


# --- over the wire ------------------------------------------------------------------------------------------------------


def two_zones(now: datetime, account: str) -> World:
    """Somebody at work round the clock in Perth and somebody in Sydney; `account` is the account's own zone."""
    world = World(now)
    clinic = Clinic(HARBOUR, "Two zones", API_KEYS[HARBOUR], account)
    clinic.businesses = {"11": Business("11", "West", PERTH), "12": Business("12", "East", SYDNEY)}
    clinic.types = {"21": Type("21", SOLD[0].appointment_types[0], 60)}
    clinic.people = {id_: Person(id_, f"Person {id_}", ["21"], default_type="21") for id_ in ("31", "32")}
    where = (("11", "31"), ("12", "32"))
    clinic.hours = [Hours(place, person, weekday, 0, 24 * 60) for place, person in where for weekday in range(7)]
    world.clinics = {HARBOUR: clinic}
    return world


def cut_by_the_account(world: World) -> Callable[[httpx.Request], httpx.Response | None]:
    """Answers as the sandbox does not: the dates of a question are the account's."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("available_times"):
            return None
        clinic, segments = world.clinics[HARBOUR], request.url.path.split("/")
        zone = ZoneInfo(clinic.zone)
        first, last = (date.fromisoformat(request.url.params[name]) for name in ("from", "to"))
        if first < world.now.astimezone(zone).date():
            return httpx.Response(400, json={"message": "Invalid time frame definition."})
        day = timedelta(days=1)
        wide = clinic.starts(segments[3], segments[5], segments[7], first - day, last + day, world.now) or []
        shown = [start for start in wide if first <= start.astimezone(zone).date() <= last]
        items = [{"appointment_start": f"{start:%Y-%m-%dT%H:%M:%SZ}"} for start in shown]
        return httpx.Response(200, json={"available_times": items, "total_entries": len(items), "links": {}})

    return answer


@pytest.mark.parametrize("cut", ["by the location's midnight", "by the account's midnight"])
@pytest.mark.parametrize("account", [SYDNEY, PERTH])
@pytest.mark.parametrize("hour", range(0, 24, 3))
async def test_no_local_day_is_missed_or_half_seen_whoever_cuts_the_days(account: str, cut: str, hour: int) -> None:
    world = two_zones(datetime(2026, 3, 1, hour, 30, tzinfo=UTC), account)
    intercept = cut_by_the_account(world) if cut == "by the account's midnight" else None
    async with diaries_of(world, VirtualTime(), intercept=intercept) as diaries:
        found = await diaries.read(SOLD)
    true = faultless(world.clinics[HARBOUR], SOLD, world.now)
    for place, person, name in (("11", "31", PERTH), ("12", "32", SYDNEY)):
        zone, offer = ZoneInfo(name), Offer(place, person, "21")
        today = world.now.astimezone(zone).date()
        observed = days_seen(probe for probe in found.probes if probe.offer == offer)
        past = {today} if world.now.astimezone(ZoneInfo(account)).date() > today else set()
        assert {today + timedelta(days=n) for n in range(14)} - observed <= past
        for day in observed:
            assert starts_on(day, zone, offer, found) == starts_on(day, zone, offer, true)


def days_seen(probes: Iterable[Probe]) -> set[date]:
    seen = [probe for probe in probes if probe.starts is not None]
    return {probe.first + timedelta(days=n) for probe in seen for n in range((probe.last - probe.first).days + 1)}


def starts_on(day: date, zone: ZoneInfo, offer: Offer, diaries: Diaries) -> list[datetime]:
    covering = [probe for probe in diaries.probes if probe.offer == offer and probe.first <= day <= probe.last]
    return [start for probe in covering for start in probe.starts or () if start.astimezone(zone).date() == day]

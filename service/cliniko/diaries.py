"""One clinic's Cliniko account as a `DiarySource`: reference data first, then every start of the next 14 local days.

Reference data that cannot be read makes the account unreadable. A single diary that cannot be read becomes a probe without
starts, because unknown is not zero and one person on leave must not stop a clinic's run; an outage in the middle of the
probes is told apart from that and raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self, TypeVar

import httpx

from service.cliniko.access import Access, available_times_path
from service.cliniko.answers import BAD_REQUEST, NOT_FOUND
from service.cliniko.blocks import expanded, within
from service.cliniko.client import Client
from service.cliniko.models import (
    AvailabilityBlock,
    Business,
    DailyAvailability,
    Model,
    Person,
    Settings,
    Triples,
    Type,
    UnavailableBlock,
    parse,
    starts,
)
from service.cliniko.rate import RateBudget, SlidingWindow, Timing
from service.core.days import HORIZON, horizon, local_date
from service.core.errors import CredentialsError, OutsideError, RefusedError, TransientError
from service.core.model import Block, Diaries, Offer, OnlineBookings, Probe, Unseen, WeeklyHours
from service.core.offers import sold_offers
from service.core.rules.language import Service

CONCURRENCY = 6
WEEK = 7
"""Inclusive dates one question may cover: `to` at most six days after `from` (Cliniko API issue 173)."""

OUTAGE = 6
"""So many probes in a row that failed as an outage does are one."""

READ_SECONDS = 40 * 60.0
"""What was not asked by then stays unobserved, so that the next hourly run starts on time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """What one probe asks: one offer over local days [first, last] of its location's zone."""

    offer: Offer
    first: date
    last: date
    zone: str


class Circuit:
    """Tells an outage from single diaries that fail: raises when failures come in a row or nothing else came at all."""

    def __init__(self, limit: int = OUTAGE) -> None:
        self._limit = limit
        self._row = 0
        self._answers = 0
        self._last: OutsideError | None = None

    def answered(self) -> None:
        """Cliniko is there."""
        self._row = 0
        self._answers += 1

    def failed(self, error: OutsideError) -> None:
        """It may not be."""
        self._row += 1
        self._last = error
        if self._row >= self._limit:
            raise error

    def settle(self) -> None:
        """At the end: not one answer is an outage too, however few the questions were."""
        if self._last is not None and not self._answers:
            raise self._last


class ClinikoDiaries:
    """Reads one account. Close it with `aclose`, or use it in an `async with` block."""

    def __init__(
        self,
        *,
        api_key: str,
        contact_email: str,
        clock: Callable[[], datetime],
        base_url: str | None = None,
        budget: RateBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        """`base_url` overrides the address up to and including `/v1`; `budget` is shared by those who share a user.

        Raises `SettingsError` for a key, address or e-mail that cannot be right.
        """
        self._clock = clock
        self._timing = timing or Timing()
        access = Access.of(api_key, contact_email, base_url)
        self._client = Client(access, budget or SlidingWindow(timing=self._timing), self._timing, clock, transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def read(self, services: Sequence[Service]) -> Diaries:
        """Reference data, then the starts of everything that `services` sell; no services, no probes."""
        until = self._timing.monotonic() + READ_SECONDS
        now = self._clock()
        diaries = await self._reference(now)
        offers = dict.fromkeys(offer for service in services for offer in sold_offers(diaries, service))
        zones = {location.id: location.zone for location in diaries.locations}
        questions = [each for offer in offers for each in _questions(offer, now, zones[offer.location])]
        return replace(diaries, probes=await self._ask(questions, until))

    # --- reference data -------------------------------------------------------------------------------------------------

    async def _reference(self, now: datetime) -> Diaries:
        first, last = _around(now)
        settings, businesses, people, types, triples, daily, extra, unavailable = await together(
            self._settings(),
            self._list("businesses", Business),
            self._list("practitioners", Person),
            self._list("appointment_types", Type),
            self._list("services", Triples),
            self._list("daily_availabilities", DailyAvailability),
            self._list("availability_blocks", AvailabilityBlock, [_filter("starts_at", "<", last)]),
            self._list("unavailable_blocks", UnavailableBlock, _overlapping(first, last)),
        )
        zones = {business.id: business.time_zone_identifier for business in businesses}
        hours: Iterable[WeeklyHours] = (hours for each in daily for hours in each.hours())
        away: Iterable[Block | None] = (each.block() for each in unavailable)
        return Diaries(
            bookings=settings,
            locations=_once(business.location() for business in businesses),
            practitioners=_once(person.practitioner() for person in people),
            types=_once(type_.appointment_type() for type_ in types),
            offers=_once(offer for each in triples for offer in each.offers()),
            hours=_once(hours),
            extra=expanded(extra, zones, first, last),
            unavailable=within((block for block in away if block is not None), first, last),
            probes=(),
        )

    async def _settings(self) -> OnlineBookings:
        return parse(Settings, await self._client.one("settings", "/settings/public")).bookings()

    async def _list(self, resource: str, model: type[Model], params: Iterable[tuple[str, str]] = ()) -> list[Model]:
        return [parse(model, item) for item in await self._client.items(resource, f"/{resource}", params)]

    # --- probes ---------------------------------------------------------------------------------------------------------

    async def _ask(self, questions: Sequence[Question], until: float) -> tuple[Probe, ...]:
        """All probes in the order of their questions, some at a time."""
        circuit, room = Circuit(), asyncio.Semaphore(CONCURRENCY)

        async def ask(question: Question) -> Probe:
            async with room:
                late = self._timing.monotonic() > until
                return _unseen(question, Unseen.FAILED) if late else await self._probe(question, circuit)

        probes = await together(*(ask(question) for question in questions))
        circuit.settle()
        return tuple(probes)

    async def _probe(self, question: Question, circuit: Circuit) -> Probe:
        try:
            found = await self._today_moving(question)
        except (TransientError, CredentialsError) as error:
            circuit.failed(error)
            return _unseen(question, Unseen.FAILED)
        except OutsideError as error:
            circuit.answered()
            return _unseen(question, Unseen.NOT_FOUND if error.code == NOT_FOUND else Unseen.FAILED)
        circuit.answered()
        return found

    async def _today_moving(self, question: Question) -> Probe:
        """A 400 may mean that the first day is over: midnight has passed, or the account's zone is ahead of the location's.

        Asked once more without the days that are past, at least the first.
        """
        try:
            return await self._starts(question)
        except RefusedError as error:
            today = local_date(self._clock(), question.zone)
            started = question.first <= today
            if error.code != BAD_REQUEST or not started:
                raise
            first = max(today, question.first + timedelta(days=1))
            return await self._starts(replace(question, first=min(first, question.last)))

    async def _starts(self, question: Question) -> Probe:
        params = [("from", question.first.isoformat()), ("to", question.last.isoformat())]
        found = await self._client.items("available_times", available_times_path(question.offer), params)
        return Probe(question.offer, question.first, question.last, starts(found))


def _questions(offer: Offer, now: datetime, zone: str) -> list[Question]:
    """The horizon of the location, in windows of seven local dates."""
    days = horizon(now, zone)
    return [Question(offer, days[n], days[n + WEEK - 1], zone) for n in range(0, HORIZON, WEEK)]


def _unseen(question: Question, why: Unseen) -> Probe:
    return Probe(question.offer, question.first, question.last, None, why)


def _around(now: datetime) -> tuple[datetime, datetime]:
    """The horizon as instants, with a day to spare for zones and for days of 25 hours."""
    return now - timedelta(days=2), now + timedelta(days=HORIZON + 1)


def _overlapping(first: datetime, last: datetime) -> list[tuple[str, str]]:
    """Whatever begins before the end and ends after the beginning: blocks already running included."""
    return [_filter("starts_at", "<", last), _filter("ends_at", ">", first)]


def _filter(name: str, comparison: str, at: datetime) -> tuple[str, str]:
    """A filter; without the brackets Cliniko ignores it silently."""
    return "q[]", f"{name}:{comparison}{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _once(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, in order of appearance: a list that changes while it is paged can repeat an item."""
    return tuple(dict.fromkeys(values))


async def together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run everything at once; the first failure cancels the rest and is raised alone."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]

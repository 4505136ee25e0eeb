"""Which dates to ask `available_times` for, so that every local day of the horizon is seen whole, and no date too many.

One question covers seven dates at most (Cliniko API issue 173). Where an account gives its locations zones of their own,
nobody documents whose midnight cuts the dates of a question: the account's or the location's, and the account's zone is in
no answer. So each zone in use is thought possible: the end of the last local day may belong to the date after it, and the
beginning of today to the date before. Those dates are asked for where somebody is rostered then, and a local day counts as
observed once all the dates that may hold a part of it were answered. Where all locations share a zone none of this costs a
request. Not covered is an account whose own zone is that of none of its locations: some early or late hours of the first and
the last day could be missing there without anybody noticing. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from service.core.days import day_of, horizon, local_date
from service.core.intervals import Span
from service.core.model import Diaries, Offer, Probe, Unseen

WEEK = 7
"""Inclusive dates one question may cover: `to` at most six days after `from` (Cliniko API issue 173)."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What one request asks: one offer over the dates [first, last], as its location's zone counts them."""

    offer: Offer
    first: date
    last: date
    zone: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The horizon of one location at `now`; `others` are the zones of the account's other locations."""

    zone: str
    others: frozenset[str]
    now: datetime

    @classmethod
    def of(cls, diaries: Diaries, location: str, now: datetime) -> Calendar:
        """The calendar of a location that `diaries` lists."""
        zones = {each.id: each.zone for each in diaries.locations}
        return cls(zones[location], frozenset(zones.values()) - {zones[location]}, now)

    @property
    def days(self) -> tuple[date, ...]:
        """The local days of the horizon."""
        return horizon(self.now, self.zone)

    def questions(self, offer: Offer, rostered: Callable[[Span], bool]) -> list[Question]:
        """The questions for `offer`; `rostered` tells whether its practitioner may work within a stretch of a local day."""
        first, last = self._first(rostered), self._last(rostered)
        dates = _dates(first, last)
        weeks = [dates[n : n + WEEK] for n in range(0, len(dates), WEEK)]
        return [Question(offer, week[0], week[-1], self.zone) for week in weeks]

    def _first(self, rostered: Callable[[Span], bool]) -> date:
        today, now = self.days[0], int(self.now.timestamp())
        behind = [zone for zone in self.others if local_date(self.now, zone) < today]
        needed = any(rostered((now, day_of(zone, today).span[0])) for zone in behind)
        return today - DAY if needed else today

    def _last(self, rostered: Callable[[Span], bool]) -> date:
        last = self.days[-1]
        end = day_of(self.zone, last).span[1]
        begins = [day_of(zone, last + DAY).span[0] for zone in self.others]
        return last + DAY if any(begin < end and rostered((begin, end)) for begin in begins) else last

    def probes(self, asked: Sequence[Question], answers: Sequence[Probe]) -> tuple[Probe, ...]:
        """What the answers to `asked` (in their order) say of the local days, as probes of at most a week of them."""
        if not self.others:
            return tuple(answers)
        seen = _Seen.of(asked, answers, self.days[0])
        found = []
        for week in (self.days[:WEEK], self.days[WEEK:]):
            for known, group in groupby(week, key=lambda day: self._parts(day) & seen.asked <= seen.answered):
                days = list(group)
                span = day_of(self.zone, days[0]).span[0], day_of(self.zone, days[-1]).span[1]
                starts = tuple(start for start in seen.starts if span[0] <= start.timestamp() < span[1])
                why = None if known else seen.why
                found.append(Probe(asked[0].offer, days[0], days[-1], starts if known else None, why))
        return tuple(found)

    def _parts(self, day: date) -> set[date]:
        """The dates that may hold what is to come of a local day."""
        begin, end = day_of(self.zone, day).span
        moments = [datetime.fromtimestamp(at, UTC) for at in (max(begin, int(self.now.timestamp())), end - 1)]
        return {day} | {local_date(moment, zone) for zone in self.others for moment in moments}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the answers for one offer come to; `asked` leaves out dates before today that were refused as past."""

    asked: set[date]
    answered: set[date]
    starts: tuple[datetime, ...]
    why: Unseen

    @classmethod
    def of(cls, asked: Sequence[Question], answers: Sequence[Probe], today: date) -> _Seen:
        good = [probe for probe in answers if probe.starts is not None]
        answered = {day for probe in good for day in _dates(probe.first, probe.last)}
        wanted = {day for question in asked for day in _dates(question.first, question.last)}
        refused = {day for day in wanted - answered if day < today} if answers[0].starts is not None else set()
        starts = tuple(sorted({start for probe in good for start in probe.starts or ()}))
        failed = any(probe.unseen is Unseen.FAILED for probe in answers)
        return cls(wanted - refused, answered, starts, Unseen.FAILED if failed else Unseen.NOT_FOUND)


def _dates(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


def rostering(diaries: Diaries, offer: Offer) -> Callable[[Span], bool]:
    """Whether the practitioner of `offer` may work there within a stretch of one local day, whatever weekday it is.

    Whatever weekday: what Cliniko's day numbers mean is settled by the answers to the questions that this is asked for.
    """

    def rostered(span: Span) -> bool:
        zone = ZoneInfo(next(each.zone for each in diaries.locations if each.id == offer.location))
        begin, end = _clock(span[0], zone), _clock(span[1] - 1, zone) + 1
        here = (offer.location, offer.practitioner)
        hours = (each for each in diaries.hours if (each.location, each.practitioner) == here)
        extra = (each for each in diaries.extra if (each.location or offer.location, each.practitioner) == here)
        return any(each.starts < end and begin < each.ends for each in hours) or any(
            each.starts.timestamp() < span[1] and span[0] < each.ends.timestamp() for each in extra
        )

    return rostered


def _clock(second: int, zone: ZoneInfo) -> int:
    """Minutes after local midnight."""
    local = datetime.fromtimestamp(second, zone)
    return local.hour * 60 + local.minute

"""One reading of Cliniko, indexed once for every service that is computed from it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Self

from service.core.days import HORIZON, Day
from service.core.memo import Memo
from service.core.model import AppointmentType, Diaries, Offer, OnlineBookings, Probe, Unseen
from service.core.roster import DayNumbers, Roster

HIGHEST_CAP = 5
"""The largest cap per day segment that Cliniko's settings offer."""

Shown = tuple[int, ...] | None
"""The starts shown on one day in ascending seconds; None where no answer covers the day."""


@dataclass(slots=True)
class Observation:
    """What was read at `now`, and the roster it describes.

    `cap` is the cap per day segment: real ones are 1 to 5; how "unlimited" is written is undocumented, so all else is none.
    `lengths` are the types' durations in seconds, `steps` the seconds between starts of practitioners with a default type,
    `unseen` the offers of which some answer is missing, `kept` the lists in which something was suddenly gone and
    that are as they were before. `memo` is what other readings of the clinic came to, as far as they were
    the same (None: nobody asks).
    """

    now: datetime
    diaries: Diaries
    roster: Roster
    cap: int | None
    types: dict[str, AppointmentType]
    lengths: dict[str, int]
    steps: dict[str, int]
    unseen: dict[Unseen, set[Offer]]
    _probes: dict[Offer, list[Probe]]
    memo: Memo | None
    kept: tuple[str, ...] = ()
    _starts: dict[Offer, tuple[Shown, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, diaries: Diaries, now: datetime, numbers: DayNumbers | None = None, memo: Memo | None = None) -> Self:
        """Index a reading taken at `now`; `numbers` where other readings too tell how days are numbered."""
        probes: dict[Offer, list[Probe]] = {}
        unseen: dict[Unseen, set[Offer]] = {why: set() for why in Unseen}
        for probe in diaries.probes:
            probes.setdefault(probe.offer, []).append(probe)
            if probe.unseen is not None:
                unseen[probe.unseen].add(probe.offer)
        types = {type_.id: type_ for type_ in diaries.types}
        lengths = {type_.id: int(type_.duration.total_seconds()) for type_ in diaries.types}
        steps = {p.id: lengths[p.default_type] for p in diaries.practitioners if p.default_type in lengths}
        roster = Roster.of(diaries, now, numbers)
        return cls(
            now,
            diaries,
            roster,
            cap_of(diaries.bookings),
            types,
            lengths,
            steps,
            unseen,
            probes,
            memo,
        )

    @property
    def bookings(self) -> OnlineBookings:
        """The account's settings."""
        return self.diaries.bookings

    def lead(self, type_: str) -> timedelta:
        """How long before its start an appointment of this type can still be booked online."""
        own = self.types[type_].lead
        return self.bookings.lead if own is None else own

    def answered(self, offer: Offer) -> bool:
        """Whether any question about an offer brought an answer."""
        return any(probe.starts is not None for probe in self._probes.get(offer, ()))

    def probes(self, offer: Offer) -> Sequence[Probe]:
        """What was asked about an offer."""
        return self._probes.get(offer, ())

    def starts(self, offer: Offer) -> tuple[Shown, ...]:
        """The starts of an offer on each day of the horizon."""
        if offer not in self._starts:
            days, probes = self.roster.days(offer.location), tuple(self._probes.get(offer, ()))
            if self.memo is None:
                self._starts[offer] = _by_day(probes, days)
                return self._starts[offer]
            known = self.memo.table("starts", self.roster.zones[offer.location], days[0].date)
            if probes not in known:
                known[probes] = _by_day(probes, days)
            self._starts[offer] = known[probes]
        return self._starts[offer]

    def step(self, practitioner: str, shown: Iterable[Shown], otherwise: int) -> int:
        """Seconds between the starts a practitioner shows: the default type's duration, else the commonest gap seen.

        Cliniko staff: the slot size is the duration of the practitioner's default type (Cliniko API issues 137 and 280).
        """
        if practitioner in self.steps:
            return self.steps[practitioner]
        gaps = Counter(later - earlier for day in shown if day for earlier, later in pairwise(day))
        return max(gaps, key=lambda gap: (gaps[gap], gap), default=otherwise)


def cap_of(bookings: OnlineBookings) -> int | None:
    """The cap per day segment, as far as it is a real one."""
    cap = bookings.segment_cap
    return cap if cap in range(1, HIGHEST_CAP + 1) else None


def _by_day(probes: Iterable[Probe], days: Sequence[Day]) -> tuple[Shown, ...]:
    """A start counts on its own local day, whichever answer brought it: Cliniko may cut days by another zone's midnight."""
    answers = [probe for probe in probes if probe.starts is not None]
    seconds = sorted({int(start.timestamp()) for probe in answers for start in probe.starts or ()})
    found: list[Shown] = [None] * HORIZON
    for n in {n for probe in answers for n in _covered(probe.first, probe.last, days)}:
        begins, finishes = days[n].span
        first = bisect_left(seconds, begins)
        found[n] = tuple(seconds[first : bisect_left(seconds, finishes, first)])
    return tuple(found)


def _covered(first: date, last: date, days: Sequence[Day]) -> range:
    today = days[0].date
    return range(max((first - today).days, 0), min((last - today).days + 1, HORIZON))

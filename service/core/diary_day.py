"""One local day of one practitioner's diary, as a value and in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from service.core import intervals
from service.core.days import HORIZON
from service.core.intervals import Spans
from service.core.packing import NOTHING_SHOWN, Shown, pack
from service.core.tallies import NOTHING, Tally


@dataclass(slots=True)  # not frozen: that would triple what it costs to make one, and hundreds are made in every run
class DiaryDay:
    """One practitioner's local day for one service, at one location or at all of them united; `index` 0 is today.

    `working` is rostered time; `sellable` leaves out what lead time hides, and `seen` is the observed part of that.
    `first_sellable` is where the service's first type can be sold: its lead time may be longer than that of the others.
    `open_low` is shown open, `open_high` could be open at best; `near` is `open_low` with every start reaching as far as the
    next would be, so that it covers what may be open between and after starts without showing. `capped` are the day segments
    that show as many starts as their cap lets them, `shown` what can be booked, `outside` counts starts not wholly within
    rostered time, `limited` says that the daily limit may hide the day. `location` is where most of the day is rostered
    ("": nowhere).
    """

    index: int
    working: Spans = ()
    sellable: Spans = ()
    first_sellable: Spans = ()
    seen: Spans = ()
    capped: Spans = ()
    open_low: Spans = ()
    open_high: Spans = ()
    near: Spans = ()
    shown: Shown = NOTHING_SHOWN
    outside: int = 0
    limited: bool = False
    location: str = ""
    tally: Tally = NOTHING


CLOSED = tuple(DiaryDay(index) for index in range(HORIZON))
"""Days with nothing rostered and nothing shown."""


def tallied(day: DiaryDay) -> DiaryDay:
    """The day with its own numbers, after anything in it changed."""
    openings = pack(day.shown.starts)
    sellable, open_low = intervals.length(day.sellable), intervals.length(day.open_low)
    day.tally = Tally(
        working=sellable if day.working is day.sellable else intervals.length(day.working),
        sellable=sellable,
        first_sellable=sellable if day.first_sellable is day.sellable else intervals.length(day.first_sellable),
        seen=sellable if day.seen is day.sellable else intervals.length(day.seen),
        open_low=open_low,
        open_high=open_low if day.open_high is day.open_low else intervals.length(day.open_high),
        openings_low=openings,
        openings_high=pack(day.shown.starts, day.shown.hidden) if day.shown.hidden else openings,
    )
    return day

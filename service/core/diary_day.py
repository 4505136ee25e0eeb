"""One local day of one practitioner's diary, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from service.core.days import HORIZON
from service.core.intervals import Spans
from service.core.tallies import NOTHING, Tally


@dataclass(slots=True)  # not frozen: that would triple what it costs to make one, and hundreds are made in every run
class DiaryDay:
    """One practitioner's local day for one service, all locations united; `index` 0 is today.

    `working` is rostered time; `sellable` leaves out what lead time hides, and `seen` is the observed part of that.
    `first_sellable` is where the service's first type can be sold: its lead time may be longer than that of the others.
    `open_low` is shown open, `open_high` could be open at best; `near` is `open_low` with every start reaching as far as the
    next would be, so that it covers what may be open between and after starts without showing. `capped` are the day segments
    that show as many starts as their cap lets them, `outside` counts starts not wholly within rostered time, `limited` says
    that the daily limit may hide the day. `location` is where most of the day is rostered ("": nowhere).
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
    outside: int = 0
    limited: bool = False
    location: str = ""
    tally: Tally = NOTHING


CLOSED = tuple(DiaryDay(index) for index in range(HORIZON))
"""Days with nothing rostered and nothing shown."""

"""The reports as CSV for spreadsheets: RFC 4180, UTF-8, a line per figure or share, plain numbers. Pure.

Every line says of which period it is. Names come from Cliniko and rule files; one that a spreadsheet would take for a formula
gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from service.core.reports.money import Figure, MoneyReport, Sums
from service.core.reports.structure import WEEKDAYS, Entry, Share, StructureReport

MONEY_COLUMNS = (
    "scope",
    "name",
    "platform",
    "service",
    "figure",
    "estimate",
    "low",
    "high",
    "reason",
    "currency",
    "since",
    "before",
)
STRUCTURE_COLUMNS = ("scope", "name", "id", "when", "booked", "median", "low", "high", "count", "full", "since", "before")

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may take for a formula's beginning; the last four are the first four, full-width."""

Line = tuple[object, ...]


def money_csv(report: MoneyReport, currency: str | None = None) -> bytes:
    """A line per figure of the clinic, each service and each campaign; an empty cell is a figure that cannot be told.

    A line `without` gives, as its reason, the campaigns that sums leave out because a figure of theirs is not known.
    """
    of = (report.since.isoformat(), report.before.isoformat())
    lines = ((*line, None if line[4] == "bookings" else currency, *of) for line in _money_lines(report))
    return _csv([MONEY_COLUMNS, *lines])


def _money_lines(report: MoneyReport) -> Iterator[Line]:
    yield from _figures(("clinic", report.clinic, "", ""), report.total)
    for name, sums in report.services.items():
        yield from _figures(("service", name, "", name), sums)
    for each in report.campaigns:
        yield from _figures(("campaign", each.campaign, each.platform, each.service), each.sums)


def _figures(about: Line, sums: Sums) -> Iterator[Line]:
    figures: dict[str, Figure] = {
        "spent": sums.spent,
        "avoided": sums.avoided,
        "moved": sums.moved,
        "bookings": sums.bookings,
    }
    for name, figure in figures.items():
        yield (*about, name, figure.estimate, figure.low, figure.high, figure.reason)
    if sums.without:
        yield (*about, "without", None, None, None, "; ".join(sums.without))


def structure_csv(report: StructureReport) -> bytes:
    """A line per service, practitioner and location: by week, a week ahead, and by weekday."""
    of = (report.since, report.before)
    return _csv([STRUCTURE_COLUMNS, *((*line, *of) for each in report.entries for line in _entry_lines(each))])


def _entry_lines(entry: Entry) -> Iterator[Line]:
    about = (entry.kind, entry.name, entry.id)
    yield (*about, "weeks", entry.booked, *_share(entry.sold), None)
    yield (*about, "weeks, 7 days ahead", None, *_share(entry.week_ahead), None)
    for each in entry.weekdays:
        yield (*about, WEEKDAYS[each.weekday], each.booked, *_share(each.sold), each.full)


def _share(share: Share | None) -> Line:
    return (None,) * 4 if share is None else (share.median, share.low, share.high, share.count)


def _csv(lines: Iterable[Line]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[_cell(value) for value in line] for line in lines])
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value

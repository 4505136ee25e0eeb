"""Who and what of a clinic is persistently over- or under-booked, by week and by weekday, and how sure that is.

A day is told by its first look: which share of the rostered time was sold when the day came, and which a week ahead. A median
of weeks, or of one weekday's days, comes with an interval from the order of the values alone (the sign test's; W. Conover,
*Practical Nonparametric Statistics*, 1999, 3.2), which assumes nothing of how they are spread. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from math import comb
from statistics import median

from service.core.reports.seen import DaySeen, DiarySeen

OVER, UNDER = 90.0, 60.0
"""In %, from where on somebody is over- or under-booked: the whole interval lies beyond."""

FULL = 95.0
"""In %, from where on a single day counts as booked out."""

FEWEST = 4
"""Weeks, or days of one weekday, without which nothing is called persistent."""

FEWEST_DAYS = 3
"""Days of a week without which it does not count: a period begins and ends within weeks, and not every day is observed."""

WEEK_AHEAD = 7
OBSERVED = 0.8
"""So much of a day's rostered time must have been observed."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

METHOD = (
    "The share of rostered time that was sold when its day came, by the day's first look at Cliniko. Persistently over-booked: "
    f"the 90% interval of the median over at least {FEWEST} weeks (for a weekday: days) lies wholly above {OVER:.0f}%; "
    f"under-booked: wholly below {UNDER:.0f}%. A week counts from {FEWEST_DAYS} observed days on. "
    "With 4 weeks the interval is their whole range, which holds the median in 87%."
)
"""How it is come by, for people."""


class Kind(StrEnum):
    """What an entry is about."""

    SERVICE = "service"
    PRACTITIONER = "practitioner"
    LOCATION = "location"


class Booked(StrEnum):
    """What can be said of it: `usual` is neither over nor under for sure, `thin` that there are too few weeks."""

    OVER = "over"
    UNDER = "under"
    USUAL = "usual"
    THIN = "thin"


@dataclass(frozen=True, slots=True)
class Share:
    """The median of shares of rostered time sold, in %, the ends of its interval, and how many values it rests on."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Weekday:
    """One weekday (Monday 0): the share sold when the day came; on `full` of those days it was 95% or more."""

    weekday: int
    sold: Share
    full: int
    booked: Booked


@dataclass(frozen=True, slots=True)
class Entry:
    """A service, practitioner or location.

    `sold` is by week, when the days came; `week_ahead` by week, seven days before; None where no day was seen so. `sentences`
    are what is found of it.
    """

    kind: Kind
    id: str
    name: str
    days: int
    weeks: int
    sold: Share | None
    week_ahead: Share | None
    weekdays: tuple[Weekday, ...]
    booked: Booked
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StructureReport:
    """What the local days from `since` up to `before` tell; entries by kind, then name. `findings` are all their sentences."""

    clinic: str
    since: date
    before: date
    entries: tuple[Entry, ...]
    findings: tuple[str, ...]
    method: str


Minutes = tuple[int, int, int]
"""Rostered minutes of a day, those of them that were observed, and the open ones of those."""

Subject = tuple[Kind, str]


def structure(clinic: str, looks: Sequence[DaySeen], since: date, before: date) -> StructureReport:
    """The report of a period; `looks` are those of its days and of the week before it."""
    names = {id_: name for look in looks for id_, name in look.names.items()}
    came, ahead = (_series(looks, n, since, before) for n in (0, WEEK_AHEAD))
    subjects = sorted(came, key=lambda each: (list(Kind).index(each[0]), names.get(each[1], each[1]), each[1]))
    entries = tuple(_entry(each, names.get(each[1], each[1]), came[each], ahead.get(each, {})) for each in subjects)
    findings = tuple(sentence for each in entries for sentence in each.sentences)
    return StructureReport(clinic, since, before, entries, findings, METHOD)


# --- days ---------------------------------------------------------------------------------------------------------------


def _series(looks: Iterable[DaySeen], ahead: int, since: date, before: date) -> dict[Subject, dict[date, float]]:
    """By subject and day: the share sold, in %, as it was so many days ahead."""
    found: defaultdict[Subject, dict[date, float]] = defaultdict(dict)
    by_day: defaultdict[date, list[DaySeen]] = defaultdict(list)
    for look in looks:
        by_day[look.day + timedelta(days=ahead)].append(look)
    for day in sorted(each for each in by_day if since <= each < before):
        for subject, (rostered, observed, free) in _minutes(by_day[day], ahead).items():
            if rostered and observed >= OBSERVED * rostered:
                found[subject][day] = 100 * (1 - min(free / observed, 1.0))
    return found


def _minutes(looks: Iterable[DaySeen], ahead: int) -> dict[Subject, Minutes]:
    """Minutes of one day; a practitioner with several services at a location has one diary there, as open as the most open."""
    found: defaultdict[Subject, list[Minutes]] = defaultdict(list)
    people: defaultdict[tuple[str, str], list[DiarySeen]] = defaultdict(list)
    for look in looks:
        for diary in look.diaries:
            if diary.rostered[ahead]:
                found[Kind.SERVICE, look.service].append(_of(diary, ahead))
                people[diary.practitioner, diary.locations[ahead]].append(diary)
    for (person, place), diaries in people.items():
        known = [diary for diary in diaries if diary.open[ahead] is not None] or diaries
        widest = max(known, key=lambda diary: diary.open[ahead] or 0)
        found[Kind.PRACTITIONER, person].append(_of(widest, ahead))
        found[Kind.LOCATION, place].append(_of(widest, ahead))
    return {subject: _sum(each) for subject, each in found.items() if subject[1]}


def _of(diary: DiarySeen, ahead: int) -> Minutes:
    rostered, free = diary.rostered[ahead], diary.open[ahead]
    return (rostered, 0, 0) if free is None else (rostered, rostered, free)


def _sum(each: Iterable[Minutes]) -> Minutes:
    rostered, observed, free = map(sum, zip(*each, strict=True))
    return rostered, observed, free


# --- what they come to --------------------------------------------------------------------------------------------------


def _entry(subject: Subject, name: str, came: Mapping[date, float], ahead: Mapping[date, float]) -> Entry:
    sold, weekdays = _by_week(came), tuple(_weekdays(came))
    booked = _booked(sold)
    sentences = tuple(_sentences(name, booked, sold, weekdays))
    weeks = 0 if sold is None else sold.count
    return Entry(subject[0], subject[1], name, len(came), weeks, sold, _by_week(ahead), weekdays, booked, sentences)


def _by_week(days: Mapping[date, float]) -> Share | None:
    weeks: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for day, share in days.items():
        weeks[day.isocalendar()[:2]].append(share)
    whole = [shares for shares in weeks.values() if len(shares) >= FEWEST_DAYS]
    return _share([median(shares) for shares in whole]) if whole else None


def _weekdays(days: Mapping[date, float]) -> Iterator[Weekday]:
    for weekday in range(7):
        shares = [share for day, share in days.items() if day.weekday() == weekday]
        if shares:
            sold = _share(shares)
            yield Weekday(weekday, sold, sum(share >= FULL for share in shares), _booked(sold))


def _share(values: Sequence[float]) -> Share:
    ordered, cut = sorted(values), _outside(len(values))
    low, high = ordered[cut], ordered[len(ordered) - 1 - cut]
    return Share(round(median(ordered), 1), round(low, 1), round(high, 1), len(ordered))


def _outside(count: int) -> int:
    """How many of so many ordered values can be left out at each end of a 90% interval of the median."""
    found, outside = 0, 0.0
    while found < (count - 1) // 2:
        outside += comb(count, found) / 2**count
        if outside + comb(count, found + 1) / 2**count > 0.05:
            break
        found += 1
    return found


def _booked(sold: Share | None) -> Booked:
    if sold is None or sold.count < FEWEST:
        return Booked.THIN
    if sold.low > OVER:
        return Booked.OVER
    return Booked.UNDER if sold.high < UNDER else Booked.USUAL


def _sentences(name: str, booked: Booked, sold: Share | None, weekdays: Iterable[Weekday]) -> Iterator[str]:
    if sold is not None and booked in {Booked.OVER, Booked.UNDER}:
        limit = f"over {OVER:.0f}%" if booked is Booked.OVER else f"under {UNDER:.0f}%"
        yield f"{name} is persistently {limit} booked: {sold.median:.0f}% in the middle of {sold.count} weeks ({_range(sold)})."
    for each in weekdays:
        if each.booked is booked:
            continue
        count, day = each.sold.count, WEEKDAYS[each.weekday]
        if each.booked is Booked.OVER and each.full:
            yield f"{name} has been {FULL:.0f}% booked or more on {each.full} of the last {count} {day}s ({_range(each.sold)})."
        elif each.booked is Booked.OVER:
            yield f"{name} has been over {OVER:.0f}% booked on the last {count} {day}s ({_range(each.sold)})."
        elif each.booked is Booked.UNDER:
            middle = f"{each.sold.median:.0f}% in the middle of {count}"
            yield f"{name} has been under {UNDER:.0f}% booked on {day}s: {middle} ({_range(each.sold)})."


def _range(sold: Share) -> str:
    return f"surely between {sold.low:.0f}% and {sold.high:.0f}%" if sold.low < sold.high else f"{sold.low:.0f}%"

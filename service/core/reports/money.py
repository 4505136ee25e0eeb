"""What the ads of a clinic cost over a period, and what was made of it: kept while full, spent above base; and bookings.

What is compared with is each campaign at its base budget and running all the time (`delivery`). Every figure is an estimate
with a 90% interval, or nothing and the reason why. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from math import sqrt

from service.core.reports.bookings import FEWEST, Filled, filled
from service.core.reports.course import UNTIL_TOLD, Course, Part, Spell, Stood, courses, gap, within
from service.core.reports.delivery import NINETY, UNLIKE, UNLIKE_RAISED, Untouched, student, together, unlike, untouched
from service.core.reports.seen import NEARLY_FULL, RunSeen
from service.core.reports.usual import LEAST_DAYS, Usual, usual

CENT, TENTH = Decimal("0.01"), Decimal("0.1")

NEARLY_ALL = 0.9
"""Of so much of its time, as a share, something must be known of a campaign for anything to be said of all of it."""

METHODS = {
    "spent": "What the platforms told of the month, from the first hour of the period, or the first run that names a campaign, "
    "to the last hour of which they have told. They tell late, so that the first and the last hours are not quite sure; the "
    "last hours of a month are never told, and are taken for usual ones.",
    "avoided": "What a campaign would have spent at its base budget, less what it did spend, over the hours in which we had it "
    f"paused or cut while its service was {NEARLY_FULL:.0f}% booked or more for the coming 14 days, or showed no opening at "
    "all. Of hours in which it could not be read, or its cost was not told, nothing is claimed. What it would have spent is "
    "learnt from all that it spent when it ran, by weekday and hour, and drawn to its platform's where that is little.",
    "moved": "What a campaign spent above what it would have spent at its base budget, over the hours in which we had it "
    "raised, whether or not another was cut for it, or there was room. How spend answers to the budget is taken to be between "
    "half and full proportion, until the campaign itself tells.",
    "bookings": "Openings of the service that were filled, less those that were freed again, as hourly looks saw them. They "
    "are split over its campaigns by what each spent: a convention, which does not say that the ads brought them. "
    "Services are not added up: an opening of somebody with several services is one of each of them.",
}
"""How each figure is come by, for people."""


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with the ends of its 90% interval; all None where nothing can be said, and `reason` says why."""

    estimate: Decimal | None
    low: Decimal | None
    high: Decimal | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """The figures of a campaign, a service or the clinic; money in major units. `without`: campaigns lacking one."""

    spent: Figure
    avoided: Figure
    moved: Figure
    bookings: Figure
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignMoney:
    """One campaign: for how many hours it was kept back while its service was full, and raised; and its figures."""

    campaign: str
    platform: str
    service: str
    hours_kept: float
    hours_raised: float
    sums: Sums


@dataclass(frozen=True, slots=True)
class Unread:
    """An account's day; for so many hours of it a campaign could not be read, or its cost was not told: nothing is claimed."""

    campaign: str
    day: date
    hours: float


@dataclass(frozen=True, slots=True)
class MoneyReport:
    """A clinic's money from `since` to `before`. `services` are by name. `gaps` are stretches without any run."""

    clinic: str
    since: datetime
    before: datetime
    total: Sums
    services: Mapping[str, Sums]
    campaigns: tuple[CampaignMoney, ...]
    unread: tuple[Unread, ...]
    gaps: tuple[tuple[datetime, datetime], ...]
    methods: Mapping[str, str]


def money(clinic: str, runs: Sequence[RunSeen], since: datetime, before: datetime) -> MoneyReport:
    """The report of a period; `runs` are oldest first, and those of the weeks before it are learnt from."""
    began, ends = since.timestamp(), before.timestamp()
    known = [each for each in courses(runs) if each.begins <= ends and each.ends >= began]
    spells = {each.name: each.spells() for each in known}
    usuals = {name: usual([c for c in known if c.platform == name], spells) for name in {c.platform for c in known}}
    accounts = [_account(each, spells[each.name], usuals[each.platform], began, ends) for each in known]
    seen = [run for run in runs if since <= run.at <= before]
    names = sorted({service.name for run in seen for service in run.services} | {each.course.service for each in accounts})
    booked = {name: filled(name, seen, began, ends) for name in names}
    return MoneyReport(
        clinic=clinic,
        since=since,
        before=before,
        total=_summed(accounts, _booked_in_all(list(booked.values()))),
        services={name: _summed([a for a in accounts if a.course.service == name], _booked([booked[name]])) for name in names},
        campaigns=tuple(_campaign(each, accounts, booked.get(each.course.service)) for each in accounts),
        unread=tuple(_unread(known, since, before)),
        gaps=_gaps([since, *(run.at for run in seen), before], gap(runs)),
        methods=METHODS,
    )


def _gaps(instants: Sequence[datetime], widest: float) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((one, other) for one, other in pairwise(instants) if (other - one).total_seconds() > widest)


# --- one campaign -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Account:
    """What one campaign comes to: what it spent, with the least and the most it can be, and the differences; or why not.

    `kept` and `raised` are all parts in which it stood so, whether or not it was told what they cost.
    """

    course: Course
    kept: Sequence[Part]
    raised: Sequence[Part]
    spent: tuple[float, float, float] | str
    avoided: _Compared | str
    moved: _Compared | str
    usual: Usual | None


@dataclass(frozen=True, slots=True)
class _Compared:
    """A difference between what was and what would have been spent, with the would-be, whose variance is the difference's."""

    estimate: float
    would: Untouched


NOTHING = _Compared(0.0, Untouched(0.0, 0.0, {}))
SHARED = "services may share practitioners, whose openings count in each of them: they are not added up"
NO_CAMPAIGN = "no run saw a campaign"


def _account(course: Course, spells: Sequence[Spell], usual: Usual | None, since: float, before: float) -> _Account:
    """Of the time that is asked for, the part in which runs name the campaign is what it is judged by."""
    since, before = max(since, course.begins), min(before, course.ends)
    stood, known = within(course.parts, since, before), course.known(since, before)
    kept, raised = (_of(known, how) for how in (Stood.KEPT_WHILE_FULL, Stood.RAISED))
    avoided, moved = (_undone(course, stood, known, how, before - since) for how in (Stood.KEPT_WHILE_FULL, Stood.RAISED))
    if usual is None:
        avoided, moved = (_too_thin(course) if each is None else each for each in (avoided, moved))
    elif avoided is None or moved is None:
        less, more = untouched(usual, course, spells, (kept, raised))
        avoided = _compared(course, kept, less, -1) if avoided is None else avoided
        moved = _compared(course, raised, more, 1) if moved is None else moved
    held, lifted = (_of(stood, how) for how in (Stood.KEPT_WHILE_FULL, Stood.RAISED))
    return _Account(course, held, lifted, _spent(course, since, before), avoided, moved, usual)


def _undone(course: Course, stood: Sequence[Part], known: Sequence[Part], how: Stood, whole: float) -> _Compared | str | None:
    """Nothing, where a campaign never stood so; why nobody knows what came of it; None where that can be compared."""
    seen, told = _length(stood), _length(known)
    if not _of(stood, how):
        rest = f"how {course.name} stood is known for only {seen / 3600:.0f} of {whole / 3600:.0f} hours"
        return NOTHING if _nearly(seen, whole) else rest
    if not _of(known, how) or not _nearly(told, seen):
        return _untold(course, told, seen)
    return None


def _of(parts: Iterable[Part], how: Stood) -> list[Part]:
    return [part for part in parts if part.stood is how]


def _length(parts: Iterable[Part]) -> float:
    return sum(part.ends - part.begins for part in parts)


def _nearly(known: float, whole: float) -> bool:
    """Whether so many seconds are nearly all of so many: what is told late may be missing besides."""
    return known > 0 and whole - known <= max((1 - NEARLY_ALL) * whole, min(UNTIL_TOLD.total_seconds(), whole / 2))


def _spent(course: Course, since: float, before: float) -> tuple[float, float, float] | str:
    """What was spent, at least and at most, or why nobody knows; at most as much again in an hour of which nothing is told."""
    count, whole = course.counter, before - since
    begins, ends = max(since, count.begins), min(before, count.ends)
    if not count.at or not _nearly(ends - begins, whole):
        return _untold(course, max(ends - begins, 0.0) if count.at else 0.0, whole)
    spent, (least, most) = count.between(begins, ends), count.bounds(begins, ends)
    return spent, least, most + max(spent, 0.0) / (ends - begins) * (whole - (ends - begins))


def _untold(course: Course, known: float, whole: float) -> str:
    if not known:
        return f"{course.platform} did not tell what {course.name} cost"
    return f"{course.platform} told what {course.name} cost for only {known / 3600:.0f} of {whole / 3600:.0f} hours"


def _too_thin(course: Course) -> str:
    return (
        f"the campaigns on {course.platform} ran at base budget for less than {LEAST_DAYS:.0f} days in all, in the period "
        "and the weeks before it: too few to tell what they would have spent"
    )


def _compared(course: Course, parts: Sequence[Part], would: Untouched, sign: int) -> _Compared:
    """What was spent in some parts against what would have been; what runs is told late at both ends of each stretch."""
    spent = error = 0.0
    for begins, ends in _stretches(part for part in parts if part.budget > 0):
        spent += course.counter.between(begins, ends)
        error += course.counter.error(begins, ends)
    return _Compared(sign * (spent - would.spend), replace(would, variance=would.variance + error))


def _stretches(parts: Iterable[Part]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for part in parts:
        if found and found[-1][1] == part.begins:
            found[-1] = (found[-1][0], part.ends)
        else:
            found.append((part.begins, part.ends))
    return found


def _campaign(account: _Account, accounts: Sequence[_Account], booked: Filled | None) -> CampaignMoney:
    course = account.course
    each = [one.spent for one in accounts if one.course.service == course.service]
    told = [spent[0] for spent in each if not isinstance(spent, str)]
    if isinstance(account.spent, str) or len(told) < len(each) or sum(told) <= 0:
        bookings = _nothing("it is not known what each campaign of its service spent")
    else:
        bookings = _scaled(_booked([booked]), max(account.spent[0], 0.0) / sum(max(spent, 0.0) for spent in told))
    sums = replace(_summed([account], bookings), without=())
    hours = [round(sum(part.ends - part.begins for part in parts) / 3600, 2) for parts in (account.kept, account.raised)]
    return CampaignMoney(course.name, course.platform, course.service, hours[0], hours[1], sums)


# --- figures ------------------------------------------------------------------------------------------------------------


def _summed(accounts: Sequence[_Account], bookings: Figure) -> Sums:
    without = [
        each.course.name for each in accounts if any(isinstance(one, str) for one in (each.spent, each.avoided, each.moved))
    ]
    told = [each.spent for each in accounts if not isinstance(each.spent, str)]
    whys = [each.spent for each in accounts if isinstance(each.spent, str)] or [NO_CAMPAIGN]
    why = whys[0] if len(whys) == 1 else "it is not known of any campaign what it cost"
    return Sums(
        _figure(*map(sum, zip(*told, strict=True))) if told else _nothing(why),
        _difference(accounts, [each.avoided for each in accounts], UNLIKE),
        _difference(accounts, [each.moved for each in accounts], UNLIKE_RAISED),
        bookings,
        tuple(without),
    )


def _difference(accounts: Sequence[_Account], each: Sequence[_Compared | str], doubt: float) -> Figure:
    """The sum of what is known; nothing where that is only that some did nothing. `doubt`: how unlike such days are."""
    pairs = list(zip(accounts, each, strict=True))
    counted = [(account, found) for account, found in pairs if not isinstance(found, str) and found is not NOTHING]
    unknown = [found for found in each if isinstance(found, str)]
    if not counted and (unknown or not accounts):
        return _nothing(unknown[0] if unknown else NO_CAMPAIGN)
    usuals = [account.usual for account, _ in counted if account.usual is not None]
    shared = sum(one.together for one in usuals) / len(usuals) if usuals else 0.0
    wide = student(max(min((one.days for one in usuals), default=LEAST_DAYS) / 2, 3.0))
    would = [found.would for _, found in counted]
    off = wide * sqrt(together(would, shared) + unlike(would, doubt))
    estimate = sum(found.estimate for _, found in counted)
    return _figure(estimate, estimate - off, estimate + off)


def _figure(estimate: float, low: float, high: float) -> Figure:
    """More budget never spends less: none of these is below nothing."""
    return Figure(_money(max(estimate, 0.0)), _money(max(low, 0.0)), _money(max(high, 0.0)))


def _money(value: float) -> Decimal:
    return Decimal(value).quantize(CENT, ROUND_HALF_EVEN)


def _nothing(reason: str) -> Figure:
    return Figure(None, None, None, reason)


def _booked_in_all(each: Sequence[Filled | None]) -> Figure:
    """The clinic's, which is a single service's; of more of them nobody knows how often one opening is counted."""
    return _booked(each) if len(each) <= 1 else _nothing(SHARED)


def _booked(each: Iterable[Filled | None]) -> Figure:
    found = [one for one in each if one is not None]
    if not found:
        return _nothing(f"the service was seen less than {FEWEST} times")
    count, off = sum(one.count for one in found), NINETY * sqrt(sum(one.variance for one in found))
    return Figure(_tenths(count), _tenths(count - off), _tenths(count + off))


def _tenths(value: float | Decimal) -> Decimal:
    return Decimal(value).quantize(TENTH, ROUND_HALF_EVEN)


def _scaled(figure: Figure, share: float) -> Figure:
    if figure.estimate is None or figure.low is None or figure.high is None:
        return figure
    by = Decimal(share)
    return Figure(_tenths(figure.estimate * by), _tenths(figure.low * by), _tenths(figure.high * by))


def _unread(campaigns: Iterable[Course], since: datetime, before: datetime) -> Iterable[Unread]:
    first, last = (at.date().toordinal() for at in (since, before))
    for each in campaigns:
        for day, seconds in sorted(each.unread.items()):
            if first <= day <= last:
                yield Unread(each.name, date.fromordinal(day), round(seconds / 3600, 2))

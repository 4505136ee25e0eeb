"""What is usual on a platform of a clinic: how weekdays and hours share spend, and how chance moves it. Deterministic. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import sqrt
from statistics import fmean

from service.core.reports.course import AT_BASE, Course, Spell

WEEK = 7
BINS = 24
QUARTER = 6

LEAST_DAYS = 7.0
"""So many days at base budget the campaigns of a platform must have had, all together; fewer tell nothing."""

USUAL_DAYS = 8.0
"""So many days weigh as much as a weekday being like any other, and as a campaign's chance being its platform's."""

USUAL_CHANCE = 0.06
"""The variance of a day's spend by chance, as a share of it squared, that is assumed where little is known."""

ANSWER = (0.75, 0.18)
"""How spend is taken to answer to the budget at first: the exponent (1: in proportion, 0: not at all), give or take."""

OWN_HOURS = 3.0
"""So many days weigh as much as a campaign's hours being its platform's."""

KEEPS = 0.5
"""How much of what chance does for longer than a day is left the next day."""

LASTS, TOGETHER = (0.5, 6.0), (0.2, 6.0)
"""What is assumed of how much of chance lasts so, and of how much of it campaigns share; and how many pairs of days that
weighs as much as."""

MOST_OF_A_DAY = 0.6

Shares = Mapping[str, Mapping[int, float]]
"""By campaign and day: spend as a share of the base budget."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual.

    `weekdays` is what each spends against the mean; `hours`, by campaign, the share of a day's spend before each 24th of it.
    `uneven` is how much quarters of days differ from that by chance; `lasts` how much of a day's chance is of the kind that
    lasts, `together` how much of it campaigns share. `level` is the mean share of a base budget spent in a day, `error` the
    variance of that and `apart` that of campaigns around it. `chance` is the variance of a campaign's days, as shares of its
    level squared. `days` is how many days at base all of it rests on.
    """

    weekdays: Sequence[float]
    hours: Mapping[str, Sequence[float]]
    uneven: float
    lasts: float
    together: float
    level: float
    error: float
    apart: float
    chance: Mapping[str, float]
    days: float

    def share(self, campaign: str, day: tuple[float, float], begins: float, ends: float) -> float:
        """The share of a campaign's spend of a day that belongs to a part of it."""
        return share(self.hours[campaign], day, begins, ends)


def share(hours: Sequence[float], day: tuple[float, float], begins: float, ends: float) -> float:
    """The share of a day's spend that belongs to a part of it."""
    first, last = day
    return _until(hours, (ends - first) / (last - first)) - _until(hours, (begins - first) / (last - first))


def _until(hours: Sequence[float], part: float) -> float:
    place = min(max(part, 0.0), 1.0) * BINS
    n = min(int(place), BINS - 1)
    return hours[n] + (hours[n + 1] - hours[n]) * (place - n)


def usual(campaigns: Sequence[Course], spells: Mapping[str, Sequence[Spell]]) -> Usual | None:
    """What is usual on the platform of these campaigns; None where they were too little at base budget to tell."""
    hours, uneven = _hours(campaigns, spells)
    rough: dict[str, dict[int, float]] = {}
    at_base = 0.0
    for each in campaigns:
        found: dict[int, float] = {}
        for spell in spells[each.name]:
            part = share(hours[each.name], each.days[spell.day], spell.begins, spell.ends)
            at_base += part if abs(spell.budget - spell.base) <= AT_BASE * spell.base else 0.0
            if part >= MOST_OF_A_DAY:
                found[spell.day] = spell.spent / (spell.base * (spell.budget / spell.base) ** ANSWER[0] * part)
        rough[each.name] = found
    rough = {name: found for name, found in rough.items() if sum(found.values()) > 0}
    if at_base < LEAST_DAYS or not rough:
        return None
    return _usual(rough, hours, uneven, at_base)


def _usual(rough: Shares, hours: Mapping[str, Sequence[float]], uneven: float, at_base: float) -> Usual:
    weekdays = _weekdays(rough)
    plain = {name: {day: value / weekdays[day % WEEK] for day, value in found.items()} for name, found in rough.items()}
    means = {name: fmean(found.values()) for name, found in plain.items()}
    off = {name: {day: value / means[name] - 1 for day, value in found.items()} for name, found in plain.items()}
    lasts, together = _lasts(off), _together(off)
    chance = _chance(off)
    errors = [chance[name] * means[name] ** 2 * longer(lasts, len(off[name])) / len(off[name]) for name in off]
    weights = [min(len(found), WEEK) for found in off.values()]
    level = sum(mean * weight for mean, weight in zip(means.values(), weights, strict=True)) / sum(weights)
    apart = _apart(list(means.values()), errors, level)
    error = (apart + fmean(errors)) / len(means)
    return Usual(weekdays, hours, uneven, lasts, together, level, error, apart, chance, at_base)


def _weekdays(rough: Shares) -> list[float]:
    """What each weekday spends against the mean, drawn to 1 where few days tell."""
    sums, counts = [0.0] * WEEK, [0] * WEEK
    for found in rough.values():
        mean = fmean(found.values())
        for day, value in found.items():
            sums[day % WEEK] += value / mean
            counts[day % WEEK] += 1
    return [(USUAL_DAYS + total) / (USUAL_DAYS + count) for total, count in zip(sums, counts, strict=True)]


def _lasts(off: Shares) -> float:
    above, below, pairs = 0.0, 0.0, 0
    for found in off.values():
        for day, value in found.items():
            if day + 1 in found:
                above += value * found[day + 1]
                below += (value**2 + found[day + 1] ** 2) / 2
                pairs += 1
    found_ = above / below if below else 0.0
    days = sum(map(len, off.values())) / len(off)
    found_ += (1 + 3 * found_) / max(days, 4.0)  # a mean taken from the same days hides some of it (Kendall 1954)
    assumed, weight = LASTS
    return min(max((assumed * weight + found_ / KEEPS * pairs) / (weight + pairs), 0.1), 1.0)


def _together(off: Shares) -> float:
    by_day: defaultdict[int, list[float]] = defaultdict(list)
    for found in off.values():
        size = sqrt(fmean(value**2 for value in found.values())) if len(found) > 2 else 0.0
        for day, value in found.items() if size else ():
            by_day[day].append(value / size)
    above = sum(sum(values) ** 2 - sum(value * value for value in values) for values in by_day.values())
    pairs = sum(len(values) * (len(values) - 1) for values in by_day.values())
    assumed, weight = TOGETHER
    return min(max((assumed * weight + above) / (weight + pairs), 0.0), 0.95)


def _chance(off: Shares) -> dict[str, float]:
    squares = {name: sum(value**2 for value in found.values()) for name, found in off.items()}
    freedom = sum(len(found) - 1 for found in off.values())
    common = (sum(squares.values()) + USUAL_DAYS * USUAL_CHANCE) / (freedom + USUAL_DAYS)
    return {name: (squares[name] + USUAL_DAYS * common) / (len(off[name]) - 1 + USUAL_DAYS) for name in off} | {"": common}


def longer(lasts: float, days: int) -> float:
    """By how much the variance of a mean grows because chance lasts."""
    return 1 + 2 * lasts * sum((1 - k / days) * KEEPS**k for k in range(1, min(days, 40)))


def _apart(means: Sequence[float], errors: Sequence[float], level: float) -> float:
    assumed, count = (0.3 * level) ** 2, len(means)
    if count < 2:
        return assumed
    middle = fmean(means)
    found = max(sum((mean - middle) ** 2 for mean in means) / (count - 1) - fmean(errors), 0.0)
    return (3 * assumed + (count - 1) * found) / (count + 2)


def _hours(campaigns: Sequence[Course], spells: Mapping[str, Sequence[Spell]]) -> tuple[dict[str, list[float]], float]:
    """Each campaign's hours, from its days at one budget, and how much quarters of days differ from them by chance.

    Where a campaign has few such days its hours are drawn to its platform's, and those to all hours being alike.
    """
    days = {each.name: list(_by_hour(each, spells[each.name])) for each in campaigns}
    common = _drawn([part for found in days.values() for part in found], [1.0 / BINS] * BINS, 1.0)
    own = {name: _drawn(found, common, OWN_HOURS) for name, found in days.items()}
    off = [error for name, found in days.items() for part in found for error in _errors(part, own[name])]
    return {name: list(accumulate(found, initial=0.0)) for name, found in own.items()}, (0.2 + sum(off)) / (4 + len(off))


def _by_hour(campaign: Course, spells: Iterable[Spell]) -> Iterator[list[float]]:
    for spell in spells:
        begins, ends = campaign.days[spell.day]
        if (spell.begins, spell.ends) == (begins, ends) and spell.spent > 0:
            by = [campaign.counter.by(begins + n * (ends - begins) / BINS) for n in range(BINS + 1)]
            yield [(after - before) / spell.spent for before, after in pairwise(by)]


def _drawn(days: Sequence[Sequence[float]], towards: Sequence[float], weight: float) -> list[float]:
    sums = [weight * part for part in towards]
    for each in days:
        sums = [one + other for one, other in zip(sums, each, strict=True)]
    return [value / (weight + len(days)) for value in sums]


def _errors(day: Sequence[float], hours: Sequence[float]) -> Iterator[float]:
    for n in range(0, BINS, QUARTER):
        mean = min(max(sum(hours[n : n + QUARTER]), 0.02), 0.98)
        yield (sum(day[n : n + QUARTER]) - mean) ** 2 / (mean * (1 - mean))

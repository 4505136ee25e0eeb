"""What a campaign would have spent, left alone: learnt from whatever it did spend, at its base budget and at others.

A day's share of the base budget is a level of the campaign's own, times its platform's weekday, and what chance adds, of which
some is left the next day. At another budget it is that times a power of budget over base. All of it is one linear model, and
what is wanted are sums in it, so that a Kalman filter through the days that carries the sums along gives their means and
variances, by everything that was seen before, between and after (R. E. Kalman 1960; A. Harvey, *Forecasting, Structural Time
Series Models and the Kalman Filter*, 1989, 3.4 and 3.7). That days were chosen by what campaigns spent does no harm: what they
were chosen by is in it. No draws. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import NormalDist

from service.core.reports.course import Course, Part, Spell
from service.core.reports.usual import ANSWER, KEEPS, WEEK, Usual

LEVEL, CHANCE, DAY, EXPONENT, SUMS = range(5)

NINETY = NormalDist().inv_cdf(0.95)

LEAST = 0.02
"""Shares of a day smaller than this tell nothing of it."""

UNLIKE = 0.055
"""By how much, as a share and one standard deviation, days on which a diary is full may spend otherwise than the days seen."""

UNLIKE_RAISED = 0.012
"""The same of days on which budgets are raised, on which it is seen what is spent, if at another budget."""

SMALL = 1e-9


def student(freedom: float) -> float:
    """The 95th percentile of Student's t (Abramowitz and Stegun 26.7.5, two terms)."""
    z = NINETY
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


@dataclass(frozen=True, slots=True)
class Untouched:
    """What a campaign would have spent in some parts of days, left alone; its variance, and how much of it fell on each day."""

    spend: float
    variance: float
    daily: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a day's stretch says: a share of the base budget at `ratio` of it, with the variance of what blurs it."""

    share: float
    ratio: float
    blur: float


def untouched(usual: Usual, campaign: Course, spells: Sequence[Spell], wanted: Sequence[Iterable[Part]]) -> list[Untouched]:
    """What a campaign would have spent at its base budget, in each of the `wanted` sets of parts of days."""
    weights: list[dict[int, float]] = []
    rest: list[float] = []
    for parts in wanted:
        weight, uneven = _weights(usual, campaign, parts)
        weights.append(weight)
        rest.append(uneven)
    level, exponent = usual.level, ANSWER[0]
    mean: list[float] = []
    covariance: list[list[float]] = []
    for sums in ((), (), weights):  # what a power comes to is taken at the best guess of it so far
        mean, covariance = _filtered(usual, campaign, _seen(usual, campaign, spells, level), sums, level, exponent)
        level, exponent = max(mean[LEVEL], 0.1 * usual.level), min(max(mean[EXPONENT], 0.0), 1.2)
    return [
        Untouched(mean[SUMS + n], covariance[SUMS + n][SUMS + n] + rest[n] * level**2, weights[n]) for n in range(len(weights))
    ]


def _weights(usual: Usual, campaign: Course, parts: Iterable[Part]) -> tuple[dict[int, float], float]:
    """By day how much of the base budget these parts are, as spend goes; and the variance of hours, but for the level."""
    found: defaultdict[int, float] = defaultdict(float)
    shares: defaultdict[int, float] = defaultdict(float)
    for part in parts:
        share = usual.share(campaign.name, campaign.days[part.day], part.begins, part.ends)
        shares[part.day] += share
        found[part.day] += part.base * usual.weekdays[part.day % WEEK] * share
    rest = sum(
        (found[day] / shares[day]) ** 2 * usual.uneven * shares[day] * max(1 - shares[day], 0.0)
        for day in found
        if shares[day] > SMALL
    )
    return dict(found), rest


def _seen(usual: Usual, campaign: Course, spells: Iterable[Spell], level: float) -> dict[int, list[_Seen]]:
    found: defaultdict[int, list[_Seen]] = defaultdict(list)
    for spell in spells:
        share = usual.share(campaign.name, campaign.days[spell.day], spell.begins, spell.ends)
        if share < LEAST:
            continue
        whole, ratio = spell.base * usual.weekdays[spell.day % WEEK] * share, spell.budget / spell.base
        size = ratio ** ANSWER[0] * level
        blur = size**2 * usual.uneven * max(1 - share, 0.0) / share + spell.error / whole**2
        found[spell.day].append(_Seen(spell.spent / whole, ratio, blur + (0.02 * size) ** 2))
    return found


def _filtered(
    usual: Usual,
    campaign: Course,
    seen: Mapping[int, Sequence[_Seen]],
    weights: Sequence[Mapping[int, float]],
    level: float,
    exponent: float,
) -> tuple[list[float], list[list[float]]]:
    """The means and covariances of level, lasting and passing chance, exponent and the weighted sums, after all days."""
    size = SUMS + len(weights)
    chance = usual.chance.get(campaign.name, usual.chance[""]) * level**2
    lasting, passing = chance * usual.lasts, chance * (1 - usual.lasts)
    mean = [usual.level, 0.0, 0.0, ANSWER[0], *(0.0 for _ in weights)]
    covariance = [[0.0] * size for _ in range(size)]
    covariance[LEVEL][LEVEL] = usual.apart + usual.error
    covariance[CHANCE][CHANCE], covariance[DAY][DAY] = lasting, passing
    covariance[EXPONENT][EXPONENT] = ANSWER[1] ** 2
    days = sorted({*seen, *(day for each in weights for day in each)})
    last = days[0] if days else 0
    for day in days:
        kept = KEEPS ** (day - last)
        _age(mean, covariance, CHANCE, kept, lasting * (1 - kept * kept))
        _age(mean, covariance, DAY, 0.0 if day > last else 1.0, passing if day > last else 0.0)
        for n, weight in enumerate(weights):
            if day in weight:
                _add(mean, covariance, SUMS + n, weight[day])
        for each in seen.get(day, ()):
            _learn(mean, covariance, each, level, exponent)
        last = day
    return mean, covariance


def _age(mean: list[float], covariance: list[list[float]], what: int, kept: float, fresh: float) -> None:
    """So much is left of some chance, and there is fresh chance."""
    mean[what] *= kept
    for n in range(len(mean)):
        covariance[what][n] *= kept
        covariance[n][what] *= kept
    covariance[what][what] += fresh


def _add(mean: list[float], covariance: list[list[float]], to: int, weight: float) -> None:
    """Add so much of the day's level and chance to a sum."""
    mean[to] += weight * (mean[LEVEL] + mean[CHANCE] + mean[DAY])
    added = [weight * (row[LEVEL] + row[CHANCE] + row[DAY]) for row in covariance]
    own = covariance[to][to] + 2 * added[to] + weight * (added[LEVEL] + added[CHANCE] + added[DAY])
    for n, value in enumerate(added):
        covariance[to][n] += value
        covariance[n][to] = covariance[to][n]
    covariance[to][to] = own


def _learn(mean: list[float], covariance: list[list[float]], seen: _Seen, level: float, exponent: float) -> None:
    """See what a stretch of the day spent."""
    scale = seen.ratio**exponent
    slope = scale * level * log(seen.ratio)
    expected = scale * (mean[LEVEL] + mean[CHANCE] + mean[DAY]) + slope * (mean[EXPONENT] - exponent)
    towards = [scale * (row[LEVEL] + row[CHANCE] + row[DAY]) + slope * row[EXPONENT] for row in covariance]
    surprise = scale * (towards[LEVEL] + towards[CHANCE] + towards[DAY]) + slope * towards[EXPONENT] + seen.blur
    off = (seen.share - expected) / surprise
    for n, value in enumerate(towards):
        mean[n] += value * off
        gain = value / surprise
        row = covariance[n]
        for m, other in enumerate(towards):
            row[m] -= gain * other


def unlike(found: Sequence[Untouched], share: float) -> float:
    """The variance of their sum by these days being unlike others, all campaigns' alike; `share` as `UNLIKE`."""
    return (share * sum(each.spend for each in found)) ** 2


def together(found: Sequence[Untouched], shared: float) -> float:
    """The variance of the sum of what campaigns would have spent, which share so much of what chance adds on the same days."""
    total = sum(each.variance for each in found)
    for n, one in enumerate(found):
        for other in found[:n]:
            total += 2 * shared * _alike(one.daily, other.daily) * sqrt(one.variance * other.variance)
    return total


def _alike(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """How much two sums are about the same days, 0 to 1."""
    both = sum(value * other[day] for day, value in one.items() if day in other)
    size = sqrt(sum(value**2 for value in one.values()) * sum(value**2 for value in other.values()))
    return both / size if size > SMALL else 0.0

"""The metrics that rules may name, each as what it is thought to be and what it can be at worst and best.

The bounds are the worst and best completion of what was not observed, not a statistical spread: a condition that holds on
all of them holds whatever the unobserved turns out to be. Ratios are single divisions of whole seconds, so a utilisation
of exactly 95% is exactly 95. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache

from service.core.capacity import Capacity
from service.core.days import HORIZON
from service.core.decide.model import Caveat, DayForecast, Reading, ServiceForecast
from service.core.expectation import NOTHING_EXPECTED, Expectation
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason
from service.core.opened import slots_opened
from service.core.pace import Expected, Rung
from service.core.rules.language import Measure, Metric, one
from service.core.tallies import Tally, busy, left_open, open_time_of, openings_of

DEFAULTS = {metric: one(Measure(metric)) for metric in Metric}
"""Every metric at its default parameters."""

BASELINE_SLACK = timedelta(hours=3)
"""How much older than asked for the snapshot may be that `slots_opened` compares with."""

CONFIDENCE = 80
"""The confidence, in %, of the band that is kept and scored."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A service's capacity as it was at an earlier run; computed when asked for, because most metrics never ask."""

    taken_at: datetime
    capacity: Callable[[], Capacity]


@dataclass(frozen=True, slots=True)
class Seen:
    """What metrics of one service are computed from; `earlier` is newest first."""

    now: datetime
    capacity: Capacity
    expects: Expectation = NOTHING_EXPECTED
    earlier: tuple[Earlier, ...] = ()


Ask = Callable[[Measure], Reading]
"""How a condition asks for a metric."""


def asking(seen: Seen | Reason) -> Ask:
    """Answer questions about one service; a `Reason` instead of an observation leaves every metric unknown for it."""
    if isinstance(seen, Reason):
        unknown = Reading(UNBOUNDED, seen)
        return lambda _: unknown
    if not _known(seen):
        return asking(Reason.DATA_INCOMPLETE if seen.capacity.diaries else Reason.NOT_SOLD_ONLINE)
    return cache(lambda measure: METRICS[measure.metric](seen, measure))


def forecast(seen: Seen | Reason, service: str, ask: Ask, caveats: tuple[Caveat, ...] = ()) -> ServiceForecast:
    """The 14-day forecast of one service: every metric at its default parameters, and its days."""
    days = () if isinstance(seen, Reason) or not _known(seen) else tuple(map(_day, seen.capacity.dates, seen.capacity.days))
    rung = Rung.UNKNOWN if isinstance(seen, Reason) else seen.expects.unfilled(HORIZON).rung
    return ServiceForecast(service, days, {metric.value: ask(measure) for metric, measure in DEFAULTS.items()}, rung, caveats)


def _known(seen: Seen) -> bool:
    """Whether anything at all is known of a service."""
    return bool(seen.capacity.diaries) and not seen.capacity.blind


def _day(date: date, tally: Tally) -> DayForecast:
    openings = UNBOUNDED if _first_blinded(tally) else openings_of(tally)
    open_minutes = UNBOUNDED if _blinded(tally) else open_time_of(tally, 60)
    return DayForecast(date.isoformat(), openings, open_minutes, tally.working // 60)


# --- readings ----------------------------------------------------------------------------------------------------------


def _reading(bounds: Bounds) -> Reading:
    return Reading(bounds, None if bounds.exact else Reason.DATA_INCOMPLETE)


def _blinded(tally: Tally) -> Reading | None:
    """All rostered time lies within the lead time: nothing can be said about it."""
    return Reading(UNBOUNDED, Reason.LEAD_TIME) if tally.working and not tally.sellable else None


def _first_blinded(tally: Tally) -> Reading | None:
    """All rostered time lies within the lead time of what openings are counted in, the first type of the service."""
    return Reading(UNBOUNDED, Reason.LEAD_TIME) if tally.working and not tally.first_sellable else None


# --- metrics of now -----------------------------------------------------------------------------------------------------


def _utilisation(seen: Seen, measure: Measure) -> Reading:
    total = seen.capacity.sums[measure.within]
    if not total.working:
        return Reading(UNBOUNDED, Reason.CLOSED)
    return _blinded(total) or _reading(busy(total, open_time_of(total)))


def _open_slots(seen: Seen, measure: Measure) -> Reading:
    total = seen.capacity.sums[measure.within]
    return _first_blinded(total) or _reading(openings_of(total))


def _open_hours(seen: Seen, measure: Measure) -> Reading:
    total = seen.capacity.sums[measure.within]
    return _blinded(total) or _reading(open_time_of(total, 3600))


def _working_hours(seen: Seen, measure: Measure) -> Reading:
    return _reading(Bounds.exactly(seen.capacity.sums[measure.within].working / 3600))


def _coverage(seen: Seen, measure: Measure) -> Reading:
    total = seen.capacity.sums[measure.within]
    return _blinded(total) or _reading(Bounds.exactly(100 * total.seen / total.sellable if total.sellable else 100))


def _days_to_next_opening(seen: Seen, measure: Measure) -> Reading:
    days, within = seen.capacity.days[: measure.within], measure.within
    if blinded := _first_blinded(seen.capacity.sums[within]):
        return blinded
    sure = next((n for n, day in enumerate(days) if day.openings_low), None)
    best = next((n for n, day in enumerate(days) if day.openings_high), within)
    if sure is None:
        nothing_seen = any(day.first_sellable for day in days) and not any(day.seen for day in days)
        bounds = Bounds(None if nothing_seen else within, best, math.inf)
        return Reading(bounds, None if best == within else Reason.DATA_INCOMPLETE)
    return _reading(Bounds(sure, best, sure))


def _full_days(seen: Seen, measure: Measure) -> Reading:
    if blinded := _first_blinded(seen.capacity.sums[measure.within]):
        return blinded
    days = [day for day in seen.capacity.days[: measure.within] if day.first_sellable]
    low = sum(day.openings_high == 0 for day in days)
    high = sum(day.openings_low == 0 for day in days)
    shut = sum(d.openings_low == 0 and (d.seen == d.sellable or d.openings_high == 0) for d in days)
    return _reading(Bounds(shut if not days or any(day.seen for day in days) else None, low, high))


# --- metrics of what is expected -----------------------------------------------------------------------------------------


def _expected_open_slots(seen: Seen, measure: Measure) -> Reading:
    if blinded := _first_blinded(seen.capacity.sums[measure.within]):
        return blinded
    found = _unfilled(seen, measure)
    spread = (found.lower, found.upper) if measure.confidence is not None else (None, None)
    return replace(_reading(found.openings), lower=spread[0], upper=spread[1])


def _expected_utilisation(seen: Seen, measure: Measure) -> Reading:
    tally = seen.capacity.sums[measure.within]
    if not tally.working:
        return Reading(UNBOUNDED, Reason.CLOSED)
    if blinded := _first_blinded(tally):
        return blinded
    found = _unfilled(seen, measure)
    length = sum(each.length for each in seen.capacity.diaries) / len(seen.capacity.diaries)
    value, most, least = (busy(tally, left_open(tally, left, length)) for left in (found.openings, found.lower, found.upper))
    if measure.confidence is None:
        return _reading(value)
    return replace(_reading(value), lower=least, upper=most)


def _unfilled(seen: Seen, measure: Measure) -> Expected:
    return seen.expects.unfilled(measure.within, float(measure.confidence or CONFIDENCE))


def _slots_opened(seen: Seen, measure: Measure) -> Reading:
    newest = seen.now - measure.since
    looks = [each for each in seen.earlier if newest - BASELINE_SLACK <= each.taken_at <= newest]
    place = next((n for n, each in enumerate(looks) if each.capacity().complete), None)
    if place is None:
        return _without_baseline(seen.capacity.sums[measure.within])
    baseline = looks[place].capacity()
    before = [each.capacity() for each in looks[place + 1 :]]
    return _reading(slots_opened(seen.capacity, baseline, before, measure.within))


def _without_baseline(total: Tally) -> Reading:
    """Nobody knows how many of the openings are new; but no more can be than there are, so of none none is."""
    most = openings_of(total).high
    return Reading(Bounds(None, 0, most), Reason.NO_HISTORY) if most else Reading(Bounds.exactly(0))


METRICS: dict[Metric, Callable[[Seen, Measure], Reading]] = {
    Metric.UTILISATION: _utilisation,
    Metric.OPEN_SLOTS: _open_slots,
    Metric.OPEN_HOURS: _open_hours,
    Metric.WORKING_HOURS: _working_hours,
    Metric.DAYS_TO_NEXT_OPENING: _days_to_next_opening,
    Metric.FULL_DAYS: _full_days,
    Metric.SLOTS_OPENED: _slots_opened,
    Metric.EXPECTED_OPEN_SLOTS: _expected_open_slots,
    Metric.EXPECTED_UTILISATION: _expected_utilisation,
    Metric.COVERAGE: _coverage,
}

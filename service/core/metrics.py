"""The metrics that rules may name, each as what it is thought to be and what it can be at worst and best.

The bounds are the worst and best completion of what was not observed, not a statistical spread: a condition that holds on
all of them holds whatever the unobserved turns out to be. Ratios are single divisions of whole seconds, so a utilisation
of exactly 95% is exactly 95. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from service.core import intervals
from service.core.capacity import Capacity, Diary, DiaryDay, Region, Shown, pack
from service.core.decide.model import DayForecast, Reading, ServiceForecast
from service.core.intervals import Spans
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason
from service.core.rules.language import Measure, Metric

BASELINE_SLACK = timedelta(hours=3)
"""How much older than asked for the snapshot may be that `slots_opened` compares with."""

RUNG = "openings_now"
"""The rung of the booking-pace model the `expected_*` metrics stand on: openings are expected to stay as they are."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A service's capacity as it was at an earlier run."""

    taken_at: datetime
    capacity: Capacity


@dataclass(frozen=True, slots=True)
class Seen:
    """What metrics of one service are computed from; `earlier` is newest first."""

    now: datetime
    capacity: Capacity
    earlier: tuple[Earlier, ...] = ()


Ask = Callable[[Measure], Reading]
"""How a condition asks for a metric."""


def asking(seen: Seen | Reason) -> Ask:
    """Answer questions about one service; a `Reason` instead of an observation leaves every metric unknown for it."""
    if isinstance(seen, Reason):
        unknown = Reading(UNBOUNDED, seen)
        return lambda _: unknown
    if not seen.capacity.diaries:
        return asking(Reason.NOT_SOLD_ONLINE)
    if seen.capacity.blind:
        return asking(Reason.DATA_INCOMPLETE)
    return cache(lambda measure: METRICS[measure.metric](seen, measure))


def forecast(seen: Seen | Reason, service: str) -> ServiceForecast:
    """The 14-day forecast of one service: every metric at its default parameters, and its days."""
    ask = asking(seen)
    days = () if isinstance(seen, Reason) else tuple(_day(seen.capacity, i) for i in range(len(seen.capacity.dates)))
    return ServiceForecast(service, days, {metric.value: ask(Measure(metric)) for metric in Metric}, RUNG)


def _day(capacity: Capacity, index: int) -> DayForecast:
    days = [diary.days[index] for diary in capacity.diaries]
    total = _Total(days)
    return DayForecast(
        day=capacity.dates[index].isoformat(),
        openings=total.openings(),
        open_minutes=total.open_time(60),
        working_minutes=total.working // 60,
    )


class _Total:
    """The sums that metrics are made of, over some diary days, in seconds and counts."""

    def __init__(self, days: Iterable[DiaryDay]) -> None:
        self.days = tuple(days)
        self.working = sum(intervals.length(day.working) for day in self.days)
        self.sellable = sum(intervals.length(day.sellable) for day in self.days)
        self.seen = sum(intervals.length(day.seen) for day in self.days)
        self.open_low = sum(intervals.length(day.open_low) for day in self.days)
        self.open_high = sum(intervals.length(day.open_high) for day in self.days)

    def open_time(self, unit: int) -> Bounds:
        """Open time in units of `unit` seconds."""
        return self._bounds(self.open_low / unit, self.open_high / unit)

    def openings(self) -> Bounds:
        return self._bounds(sum(d.openings_low for d in self.days), sum(d.openings_high for d in self.days))

    def utilisation(self) -> Bounds:
        """Percent of sellable time that is not open; only where there is sellable time."""
        open_time = self._bounds(self.open_low, self.open_high)
        estimate = None if open_time.estimate is None else self._busy(open_time.estimate)
        return Bounds(estimate, self._busy(self.open_high), self._busy(self.open_low))

    def _busy(self, open_seconds: float) -> float:
        return 100 * (self.sellable - open_seconds) / self.sellable

    def _bounds(self, low: float, high: float) -> Bounds:
        """With the unobserved part estimated to be as open as the observed."""
        if low == high or self.seen == self.sellable:
            return Bounds(low, low, high)
        return Bounds(min(high, low * self.sellable / self.seen) if self.seen else None, low, high)


def _days(seen: Seen, within: int) -> list[DiaryDay]:
    return [day for diary in seen.capacity.diaries for day in diary.days[:within]]


def _reading(bounds: Bounds) -> Reading:
    return Reading(bounds, None if bounds.exact else Reason.DATA_INCOMPLETE)


def _blinded(total: _Total) -> Reading | None:
    """All rostered time lies within the lead time: nothing can be said about it."""
    return Reading(UNBOUNDED, Reason.LEAD_TIME) if total.working and not total.sellable else None


def _utilisation(seen: Seen, measure: Measure) -> Reading:
    total = _Total(_days(seen, measure.within))
    if not total.working:
        return Reading(UNBOUNDED, Reason.CLOSED)
    return _blinded(total) or _reading(total.utilisation())


def _open_slots(seen: Seen, measure: Measure) -> Reading:
    total = _Total(_days(seen, measure.within))
    return _blinded(total) or _reading(total.openings())


def _open_hours(seen: Seen, measure: Measure) -> Reading:
    total = _Total(_days(seen, measure.within))
    return _blinded(total) or _reading(total.open_time(3600))


def _working_hours(seen: Seen, measure: Measure) -> Reading:
    return _reading(Bounds.exactly(_Total(_days(seen, measure.within)).working / 3600))


def _coverage(seen: Seen, measure: Measure) -> Reading:
    total = _Total(_days(seen, measure.within))
    return _blinded(total) or _reading(Bounds.exactly(100 * total.seen / total.sellable if total.sellable else 100))


def _by_day(seen: Seen, within: int) -> list[_Total]:
    return [_Total(diary.days[index] for diary in seen.capacity.diaries) for index in range(within)]


def _days_to_next_opening(seen: Seen, measure: Measure) -> Reading:
    totals = _by_day(seen, measure.within)
    if blinded := _blinded(_Total(_days(seen, measure.within))):
        return blinded
    sure = next((n for n, total in enumerate(totals) if total.openings().low), None)
    best = next((n for n, total in enumerate(totals) if total.openings().high), measure.within)
    if sure is None:
        nothing_seen = any(total.sellable for total in totals) and not any(total.seen for total in totals)
        bounds = Bounds(None if nothing_seen else measure.within, best, math.inf)
        return Reading(bounds, None if best == measure.within else Reason.DATA_INCOMPLETE)
    return _reading(Bounds(sure, best, sure))


def unfilled(seen: Seen, within: int, sharing: Mapping[str, int]) -> Bounds:
    """Openings expected to stay unfilled over `within` days, a diary that n services share counting 1/n."""
    found = [(_Total(diary.days[:within]).openings(), sharing[diary.practitioner]) for diary in seen.capacity.diaries]
    estimates = [(value.estimate, n) for value, n in found]
    return Bounds(
        None if any(estimate is None for estimate, _ in estimates) else sum((e or 0) / n for e, n in estimates),
        sum(value.low / n for value, n in found),
        sum(value.high / n for value, n in found),
    )


def _full_days(seen: Seen, measure: Measure) -> Reading:
    if blinded := _blinded(_Total(_days(seen, measure.within))):
        return blinded
    totals = [total for total in _by_day(seen, measure.within) if total.sellable]
    low = sum(total.openings().high == 0 for total in totals)
    high = sum(total.openings().low == 0 for total in totals)
    shut = sum(t.openings().low == 0 and (t.seen == t.sellable or t.openings().high == 0) for t in totals)
    return _reading(Bounds(shut if not totals or any(total.seen for total in totals) else None, low, high))


def _slots_opened(seen: Seen, measure: Measure) -> Reading:
    newest = seen.now - measure.since
    fits = (e for e in seen.earlier if newest - BASELINE_SLACK <= e.taken_at <= newest and e.capacity.complete)
    baseline = next(fits, None)
    if baseline is None:
        return Reading(Bounds(None, 0, math.inf), Reason.NO_HISTORY)
    before = {diary.practitioner: diary for diary in baseline.capacity.diaries}
    opened = [_opened(d, before[d.practitioner], measure.within) for d in seen.capacity.diaries if d.practitioner in before]
    low, estimate, high = (sum(column) for column in zip(*opened, strict=True)) if opened else (0, 0, 0)
    return _reading(Bounds(estimate, low, high))


def _opened(now: Diary, before: Diary, within: int) -> tuple[int, int, int]:
    """Openings (low, estimate, high) that fit into time open now, rostered at the baseline, and not open then.

    A cap may have hidden open time at the baseline, and may shift what it shows, so the low bound leaves out what could
    have been open then and every segment that is at its cap now or was then.
    """
    rostered = intervals.union(span for day in before.days for span in day.working)
    then_low = intervals.union(span for day in before.days for span in day.open_low)
    then_high = intervals.union(span for day in before.days for span in day.open_high)
    days, bookable = now.days[:within], now.bookable[:within]
    capped = intervals.union(span for day in (*before.days, *now.days) for span in day.capped)
    now_low = intervals.intersect(intervals.union(span for day in days for span in day.open_low), rostered)
    now_high = intervals.intersect(intervals.union(span for day in days for span in day.open_high), rostered)
    return (
        _fitting(bookable, intervals.subtract(now_low, intervals.union([*then_high, *capped])), hidden=False),
        _fitting(bookable, intervals.subtract(now_low, then_low), hidden=False),
        _fitting(bookable, intervals.subtract(now_high, then_low), hidden=True),
    )


def _fitting(bookable: Sequence[Shown], room: Spans, *, hidden: bool) -> int:
    starts = [
        (start, end)
        for shown in bookable
        for start, end in shown.starts
        if any(begins <= start and end <= finishes for begins, finishes in room)
    ]
    regions = [
        Region(max(region.first, begins), min(region.last, finishes - region.length), region.length)
        for shown in bookable
        for region in (shown.hidden if hidden else ())
        for begins, finishes in room
        if max(region.first, begins) <= min(region.last, finishes - region.length)
    ]
    return pack(starts, regions)


METRICS: dict[Metric, Callable[[Seen, Measure], Reading]] = {
    Metric.UTILISATION: _utilisation,
    Metric.OPEN_SLOTS: _open_slots,
    Metric.OPEN_HOURS: _open_hours,
    Metric.WORKING_HOURS: _working_hours,
    Metric.DAYS_TO_NEXT_OPENING: _days_to_next_opening,
    Metric.FULL_DAYS: _full_days,
    Metric.SLOTS_OPENED: _slots_opened,
    Metric.EXPECTED_OPEN_SLOTS: _open_slots,
    Metric.EXPECTED_UTILISATION: _utilisation,
    Metric.COVERAGE: _coverage,
}

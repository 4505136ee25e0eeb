"""How many slots have opened since a baseline: cancellations, told apart from what only looks like them.

An opening counts if it fits into time that is open now, was rostered at the baseline, and was not open then. Four things
look like cancellations and are none: a start that was hidden for some minutes because somebody was in the middle of booking
it; starts that moved because the grid is anchored anew after a booking, into free time that had not shown; and starts that
a cap hid or shifted; and starts that a longer lead time hid. They are left out of what is certain and stay within what is
possible. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.core import intervals
from service.core.capacity import Capacity
from service.core.diary import Diary
from service.core.diary_day import DiaryDay
from service.core.intervals import Spans
from service.core.logic import Bounds
from service.core.packing import pack


def slots_opened(now: Capacity, baseline: Capacity, before: Sequence[Capacity], within: int) -> Bounds:
    """Openings that are new since `baseline`, over `within` days; `before` are looks from shortly before the baseline.

    What one of those looks showed has not certainly opened since: the baseline may have lacked it for a moment, or for some
    hours of wrong answers. Where starts can be held while somebody books, only what those looks cover is certain. Who was not
    there at the baseline does not count, so new days, new staff and added hours do not.
    """
    then = {diary.practitioner: diary for diary in baseline.diaries}
    earlier = [{diary.practitioner: diary for diary in each.diaries} for each in before]
    found = [
        _opened(
            diary,
            then[diary.practitioner],
            [e[diary.practitioner] for e in earlier if diary.practitioner in e],
            within,
            flapping=baseline.flapping,
        )
        for diary in now.diaries
        if diary.practitioner in then
    ]
    low, estimate, high = (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
    return Bounds(estimate, low, high)


def _opened(now: Diary, then: Diary, before: Sequence[Diary], within: int, *, flapping: bool) -> tuple[int, int, int]:
    """Openings (low, estimate, high) of one practitioner."""
    days = now.days[:within]
    rostered, shown_then = then.whole("working"), then.whole("open_low")
    masked = intervals.subtract(rostered, then.whole("first_sellable"))
    near_then = intervals.union([*_together([then, *before] if flapping else [then], "near"), *masked])
    best_then = intervals.union([*near_then, *_together(before, "near"), *then.whole("open_high")])
    capped = _together([then, now], "capped")
    now_low = intervals.intersect(intervals.union(span for day in days for span in day.open_low), rostered)
    covered = _together(before, "working") if flapping else rostered
    now_high = intervals.intersect(intervals.union(span for day in days for span in day.open_high), rostered)
    unsure = intervals.union([*best_then, *capped]) if capped else best_then
    return (
        _fitting(days, intervals.subtract(intervals.intersect(now_low, covered), unsure), hidden=False),
        _fitting(days, intervals.subtract(now_low, near_then), hidden=False),
        _fitting(days, intervals.subtract(now_high, shown_then), hidden=True),
    )


def _together(diaries: Iterable[Diary], what: str) -> Spans:
    return intervals.union(span for each in diaries for span in each.whole(what))


def _fitting(days: Sequence[DiaryDay], room: Spans, *, hidden: bool) -> int:
    if not room:
        return 0
    first, last = room[0][0], room[-1][1]
    starts = [
        (start, end)
        for day in days
        for start, end in day.shown.starts
        if first <= start and end <= last and any(begins <= start and end <= finishes for begins, finishes in room)
    ]
    regions = [part for day in days if hidden for region in day.shown.hidden for part in region.within(room)]
    return pack(starts, regions)

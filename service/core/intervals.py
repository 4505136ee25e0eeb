"""Sets of time as sorted, disjoint, half-open stretches of whole UTC seconds.

Everything about capacity is set arithmetic on these: united, so that an hour shown twice is an hour. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Span = tuple[int, int]
"""[from, to) in whole seconds since the epoch, UTC."""

Spans = tuple[Span, ...]
"""Ascending spans, neither touching nor overlapping, none empty."""


def union(spans: Iterable[Span]) -> Spans:
    """The time covered by any of `spans`, which may overlap, touch, be empty and come in any order."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def intersect(left: Spans, right: Spans) -> Spans:
    """The time in both."""
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(left: Spans, right: Spans) -> Spans:
    """The time in `left` but not in `right`."""
    found: list[Span] = []
    for start, end in left:
        at = start
        for gap_start, gap_end in right:
            if gap_end <= at or gap_start >= end:
                continue
            if gap_start > at:
                found.append((at, gap_start))
            at = max(at, gap_end)
        if at < end:
            found.append((at, end))
    return tuple(found)


def after(spans: Spans, instant: int) -> Spans:
    """The part at or after `instant`."""
    return tuple((max(start, instant), end) for start, end in spans if end > instant)


def length(spans: Spans) -> int:
    """Seconds covered."""
    return sum(end - start for start, end in spans)


def covers(spans: Spans, instant: int) -> bool:
    """Whether `instant` lies in one of the spans."""
    at = bisect_right(spans, (instant, 1 << 62)) - 1
    return at >= 0 and spans[at][0] <= instant < spans[at][1]

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
    ordered = sorted(spans)
    if len(ordered) < 2:
        return tuple(span for span in ordered if span[0] < span[1])
    merged: list[Span] = []
    for start, end in ordered:
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
    if not left or not right:
        return ()
    found: list[Span] = []
    rest, others = iter(left), iter(right)
    start, end = next(rest)
    for begins, finishes in others:
        while end <= begins or end < finishes:
            if end > begins:
                found.append((max(start, begins), end))
            if (following := next(rest, None)) is None:
                return tuple(found)
            start, end = following
        if start < finishes:
            found.append((max(start, begins), finishes))
    return tuple(found)


def subtract(left: Spans, right: Spans) -> Spans:
    """The time in `left` but not in `right`."""
    if not left or not right:
        return left
    found: list[Span] = []
    n, count = 0, len(right)
    for start, end in left:
        at = start
        while n < count and right[n][1] <= at:
            n += 1
        gap = n
        while gap < count and right[gap][0] < end:
            if right[gap][0] > at:
                found.append((at, right[gap][0]))
            at = right[gap][1]
            gap += 1
        if at < end:
            found.append((at, end))
    return tuple(found)


def after(spans: Spans, instant: int) -> Spans:
    """The part at or after `instant`."""
    if not spans or spans[0][0] >= instant:
        return spans
    return tuple((max(start, instant), end) for start, end in spans if end > instant)


def length(spans: Spans) -> int:
    """Seconds covered."""
    total = 0
    for start, end in spans:
        total += end - start
    return total


def covers(spans: Spans, instant: int) -> bool:
    """Whether `instant` lies in one of the spans."""
    at = bisect_right(spans, (instant, 1 << 62)) - 1
    return at >= 0 and spans[at][0] <= instant < spans[at][1]


def runs(starts: Iterable[int], length: int) -> Spans:
    """The time covered by stretches of `length` seconds that begin at ascending `starts`."""
    found: list[Span] = []
    for start in starts:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], start + length)
        else:
            found.append((start, start + length))
    return tuple(found)

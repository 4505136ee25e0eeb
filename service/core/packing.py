"""How many appointments fit: greedy by earliest end, which is optimal for intervals. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

from service.core.intervals import Span, Spans


@dataclass(frozen=True, slots=True)
class Region:
    """Unobserved: an appointment of `length` seconds might start anywhere in [first, last]."""

    first: int
    last: int
    length: int

    def within(self, room: Spans) -> Iterable[Region]:
        """The parts of it whose appointments lie wholly in `room`."""
        for begins, finishes in room:
            first, last = max(self.first, begins), min(self.last, finishes - self.length)
            if first <= last:
                yield Region(first, last, self.length)


class Shown(NamedTuple):
    """The appointments one diary offers for booking as (start, end), and the regions where more may be hidden."""

    starts: tuple[Span, ...] = ()
    hidden: tuple[Region, ...] = ()


NOTHING_SHOWN = Shown()


def pack(starts: Iterable[Span], hidden: Sequence[Region] = ()) -> int:
    """The most appointments that fit without overlap.

    `starts` are the shown appointments as (start, end); `hidden` adds every start its regions allow.
    """
    shown = sorted(starts, key=itemgetter(1))
    if not hidden:
        return _pack_shown(shown)
    count, free_from, at = 0, -(1 << 62), 0
    while True:
        while at < len(shown) and shown[at][0] < free_from:
            at += 1
        ends = [shown[at][1]] if at < len(shown) else []
        ends += [max(region.first, free_from) + region.length for region in hidden if region.last >= free_from]
        if not ends:
            return count
        count, free_from = count + 1, min(ends)


def _pack_shown(shown: Iterable[Span]) -> int:
    count, free_from = 0, -(1 << 62)
    for start, end in shown:
        if start >= free_from:
            count, free_from = count + 1, end
    return count


def pack_by_day(days: Sequence[Iterable[Span]]) -> list[int]:
    """How many more appointments fit with each day than with those before it, where some may reach into the next day."""
    totals: list[int] = [0]
    so_far: list[Span] = []
    for starts in days:
        so_far = sorted([*so_far, *starts], key=itemgetter(1))
        totals.append(_pack_shown(so_far))
    return [after - before for before, after in pairwise(totals)]

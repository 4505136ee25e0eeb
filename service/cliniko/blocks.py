"""One-off stretches of diaries within a window: repeats expanded, duplicates gone, the rest left out. Pure.

Unavailable blocks come as one row per occurrence (there is a filter `repeated_from_id` for them). Availability blocks carry
a repeat rule; whether their occurrences come as rows too is undocumented, so occurrences are put into a set.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from service.cliniko.models import AvailabilityBlock, RepeatRule
from service.core.model import Block


def occurrences(block: AvailabilityBlock, zone: str) -> Iterator[Block]:
    """The block and its repeats: the same wall-clock time every so many days, weeks or months in `zone`.

    A first occurrence within the hour that is repeated when clocks go back can end no later by the wall clock than it
    starts; its repeats last as long as it did.
    """
    yield block.block()
    there = ZoneInfo(zone)
    starts, ends = (at.astimezone(there).replace(tzinfo=None) for at in (block.starts_at, block.ends_at))
    length = ends - starts if ends > starts else block.ends_at - block.starts_at
    for moved_starts in _repeats(starts, block.repeat_rule or RepeatRule()):
        moved_ends = moved_starts + length
        begins, finishes = (at.replace(tzinfo=there).astimezone(UTC) for at in (moved_starts, moved_ends))
        yield Block(block.business, block.practitioner, begins, finishes)


def within(blocks: Iterable[Block], first: datetime, last: datetime) -> tuple[Block, ...]:
    """The distinct blocks that overlap [first, last), in the order of their practitioners and starts."""
    found = {block for block in blocks if block.starts < block.ends and block.starts < last and block.ends > first}
    return tuple(sorted(found, key=lambda block: (block.practitioner, block.starts, block.ends, block.location or "")))


def expanded(
    blocks: Iterable[AvailabilityBlock], zones: Mapping[str, str], first: datetime, last: datetime
) -> tuple[Block, ...]:
    """All occurrences within [first, last) at businesses that still exist; `zones` is keyed by business."""
    known = (block for block in blocks if block.business in zones)
    return within((each for block in known for each in occurrences(block, zones[block.business])), first, last)


def _repeats(start: datetime, rule: RepeatRule) -> Iterator[datetime]:
    interval = rule.repeating_interval or 1
    for number in range(1, (rule.number_of_repeats or 0) + 1):
        match rule.repeat_type:
            case "Daily":
                yield start + timedelta(days=interval * number)
            case "Weekly":
                yield start + timedelta(weeks=interval * number)
            case "Monthly":
                yield _months_later(start, interval * number)
            case None:
                return


def _months_later(start: datetime, months: int) -> datetime:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))

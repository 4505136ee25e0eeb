"""When a notice may go out: after how long it is tried again, when it is too old, and during which hours people sleep. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

TOGETHER = timedelta(minutes=1)
"""How long a notice waits for others of its run, so that they go out as one message."""

AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""How long after each attempt that failed the next is made: eight in all, over some 22 hours."""

CLAIMED_FOR = timedelta(minutes=10)
"""After so long without an outcome an attempt has died with its process; longer than any takes."""

TOO_OLD = timedelta(days=7)
"""A notice that could not go out for so long never does: a channel without an address, or a service that was away."""

OLD = timedelta(days=1)
"""From here on a message says how old what it tells is."""

HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


ATTEMPTS = len(AGAIN_AFTER) + 1


def again_after(tries: int) -> timedelta | None:
    """How long to wait after so many attempts, one at least; None: it was the last."""
    return AGAIN_AFTER[tries - 1] if tries < ATTEMPTS else None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A part of the day on the clinic's wall clock, in minutes after midnight; it may go over midnight."""

    starts: int
    ends: int

    @classmethod
    def of(cls, text: str) -> QuietHours:
        """`21:00-07:00`. Raises ValueError."""
        written = HOURS.fullmatch(text.strip())
        first, second, third, fourth = map(int, written.groups()) if written else (0, 0, 0, 0)
        starts, ends = first * 60 + second, third * 60 + fourth
        if starts == ends:
            raise ValueError("write quiet hours as two times of the day, such as 21:00-07:00")
        return cls(starts, ends)

    def covers(self, at: datetime, zone: str) -> bool:
        """Whether people in this IANA zone are to be left alone then."""
        local = at.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        if self.starts < self.ends:
            return self.starts <= minute < self.ends
        return minute >= self.starts or minute < self.ends

"""Which earlier readings a run needs: those that its rules compare with, and those that tell what had gone of a sudden.

One rule for the hourly run, which asks the store, and for a backtest, which has everything at hand. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from service.core.doubt import AGREES
from service.core.metrics import BASELINE_SLACK

Stretch = tuple[datetime, datetime]
"""From and to, both included."""


def stretches(at: datetime, backs: Iterable[timedelta]) -> tuple[Stretch, ...]:
    """The times whose readings a run at `at` needs, the newest first; and of each the last reading before it (`core.doubt`).

    `backs` is how far back its rules compare (`rules.walk.look_backs`).
    """
    return ((at - AGREES, at), *((at - back - BASELINE_SLACK, at - back) for back in sorted(backs)))


def compared(at: datetime, taken: Sequence[datetime], backs: Iterable[timedelta]) -> list[int]:
    """Which of the readings `taken` before `at`, newest first, a run needs: their places, in order."""
    found: set[int] = set()
    for first, last in stretches(at, backs):
        within = [n for n, each in enumerate(taken) if each <= last]
        before = next((n for n in within if taken[n] < first), None)
        found |= {n for n in within if before is None or n <= before}
    return sorted(found)

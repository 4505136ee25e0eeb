"""Which earlier readings a run needs: those that its rules compare with, and those that tell what had gone of a sudden.

One rule for the hourly run, which asks the store, and for a backtest, which has everything at hand. Pure.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta

from service.core.doubt import AGREES, LONG
from service.core.metrics import BASELINE_SLACK

Stretch = tuple[datetime, datetime]
"""From and to, both included."""


def stretches(at: datetime, backs: Iterable[timedelta]) -> tuple[Stretch, ...]:
    """The times whose readings a run at `at` needs, the newest first; and of each the last reading before it (`core.doubt`).

    `backs` is how far back its rules compare (`rules.walk.look_backs`).
    """
    return ((at - AGREES, at), *((at - back - BASELINE_SLACK, at - back) for back in sorted(backs)))


def merged(needed: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Stretches that have the same readings, and the same last ones before them, as these: those that overlap are one."""
    found: list[Stretch] = []
    for first, last in sorted(needed):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


def further(at: datetime) -> Stretch:
    """The time whose readings, and the last before it, tell whether one at `at` that shows no start at all is believed."""
    return at - LONG, at


def compared(at: datetime, taken: Sequence[datetime], backs: Iterable[timedelta], bare: Container[datetime] = ()) -> list[int]:
    """Which of the readings `taken` before `at`, newest first, a run needs: their places, in order.

    `bare` are those, the one at `at` included, that show no start at all.
    """
    found = _covering(taken, stretches(at, backs))
    doubtful = [each for each in (at, *(taken[n] for n in found)) if each in bare]
    return sorted(found | _covering(taken, map(further, doubtful)))


def _covering(taken: Sequence[datetime], needed: Iterable[Stretch]) -> set[int]:
    """The readings of these stretches, and of each the last before it."""
    found: set[int] = set()
    for first, last in needed:
        within = [n for n, each in enumerate(taken) if each <= last]
        before = next((n for n in within if taken[n] < first), None)
        found |= {n for n in within if before is None or n <= before}
    return found

"""Between what limits values may lie, for the loader and for the editor's schema: one table. Pure."""

from __future__ import annotations

from datetime import timedelta

from service.core.rules.language import LONGEST_LOOK_BACK

ZERO, HOUR, DAY = timedelta(0), timedelta(hours=1), timedelta(days=1)

DURATIONS: dict[str, tuple[timedelta, timedelta]] = {
    "since": (HOUR, LONGEST_LOOK_BACK),
    "for": (HOUR, 14 * DAY),
    "stabilise": (ZERO, 14 * DAY),
    "cooldown": (ZERO, 14 * DAY),
    "per": (DAY, 60 * DAY),
    "drift_expires": (DAY, 365 * DAY),
    "fallback_after": (HOUR, 14 * DAY),
    "a test's for": (ZERO, 14 * DAY),
}
PERCENTAGES: dict[str, tuple[int, int]] = {
    "threshold": (0, 100),
    "confidence": (50, 99),
    "budget": (1, 1000),
    "raise": (1, 1000),
    "cut": (1, 100),
    "dead_band": (0, 50),
    "blast_radius": (0, 100),
}
COUNTS: dict[str, tuple[int, int]] = {
    "threshold": (0, 100_000),
    "days": (0, 14),
    "max_changes_per_day": (1, 24),
    "edits": (1, 100),
}

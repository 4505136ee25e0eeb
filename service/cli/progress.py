"""How far long readings of Cliniko are: one line that is rewritten on a terminal, else a line or a log event now and then.

Only Cliniko's request limit makes a run take minutes, and whoever waits for one should see that it goes on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

import structlog

from service.cliniko.progress import Progress

log = structlog.get_logger(__name__)

REDRAWN_SECONDS = 0.5
LINE_SECONDS = 30.0
ERASE = "\r\x1b[K"


@dataclass(slots=True)
class Shown:
    """Told about every answer, it shows few of them."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    monotonic: Callable[[], float] = time.monotonic
    _last: dict[str, float] = field(default_factory=dict)

    def __call__(self, clinic: str, progress: Progress) -> None:
        """Show how far the reading of a clinic is, unless that was shown a moment ago."""
        terminal, over = self.stream.isatty(), progress.done == progress.total
        if not over and not _due(self._last, clinic, self.monotonic(), REDRAWN_SECONDS if terminal else LINE_SECONDS):
            return
        text = said(clinic, progress)
        self.stream.write((ERASE if over else f"{ERASE}{text}") if terminal else f"{text}\n")
        self.stream.flush()


@dataclass(slots=True)
class Logged:
    """The same for a service that nobody is watching."""

    monotonic: Callable[[], float] = time.monotonic
    _last: dict[str, float] = field(default_factory=dict)

    def __call__(self, clinic: str, progress: Progress) -> None:
        """Log how far the reading of a clinic is, unless that was logged a moment ago."""
        if _due(self._last, clinic, self.monotonic(), LINE_SECONDS):
            left = round(progress.seconds_left)
            log.info("reading_cliniko", clinic=clinic, done=progress.done, total=progress.total, seconds_left=left)


def _due(last: dict[str, float], clinic: str, now: float, every: float) -> bool:
    if now - last.get(clinic, now - every) < every:
        return False
    last[clinic] = now
    return True


def said(clinic: str, progress: Progress) -> str:
    """`harbour-physio: 120 of 480 diaries read, about 2 min left at 180 requests a minute`."""
    minutes = max(round(progress.seconds_left / 60), 1)
    left = "nearly done" if progress.seconds_left < 30 else f"about {minutes} min left"
    return f"{clinic}: {progress.done} of {progress.total} diaries read, {left} at {progress.per_minute} requests a minute"

"""How far a long reading is, for whoever watches it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

UNTOLD_SECONDS = 5.0
"""A reading that is over sooner than this needs no progress shown."""


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` diaries are read, and the rest takes about `seconds_left` at `per_minute` requests a minute."""

    done: int
    total: int
    seconds_left: float
    per_minute: int


Tell = Callable[[Progress], None]
"""Somebody to tell; called after each answer, so it has to be quick."""


@dataclass(slots=True)
class Tally:
    """Counts the questions of one reading. `began` and `now` are seconds of one monotonic clock, `sent` requests sent."""

    tell: Tell
    per_minute: int
    began: float
    sent_before: int
    total: int = 0
    done: int = 0
    _questions: int = 0
    _answered: int = 0
    _open: dict[object, int] = field(default_factory=dict)

    def expect(self, diary: object, questions: int) -> None:
        """`questions` more will be asked of `diary`."""
        self.total += diary not in self._open
        self._open[diary] = self._open.get(diary, 0) + questions
        self._questions += questions

    def answered(self, diary: object, now: float, sent: int) -> None:
        """One of them was."""
        self._open[diary] -= 1
        self._answered += 1
        self.done += not self._open[diary]
        if now - self.began >= UNTOLD_SECONDS:
            each = (sent - self.sent_before) / self._answered
            left = (self._questions - self._answered) * each * 60 / self.per_minute
            self.tell(Progress(self.done, self.total, left, self.per_minute))

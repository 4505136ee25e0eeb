"""Tells an outage from single diaries that fail. Pure."""

from __future__ import annotations

from service.core.errors import OutsideError
from service.core.model import Offer

OUTAGE = 6
"""So many diaries in a row that failed as an outage does are one."""


class Circuit:
    """Raises when one diary after the other fails, or when nothing else came at all."""

    def __init__(self, limit: int = OUTAGE) -> None:
        self._limit = limit
        self._row: set[tuple[str, str]] = set()
        self._answers = 0
        self._last: OutsideError | None = None

    def answered(self) -> None:
        """Cliniko is there."""
        self._row.clear()
        self._answers += 1

    def failed(self, offer: Offer, error: OutsideError) -> None:
        """It may not be: but several types of one practitioner are one diary."""
        self._row.add((offer.location, offer.practitioner))
        self._last = error
        if len(self._row) >= self._limit:
            raise error

    def settle(self) -> None:
        """At the end: not one answer is an outage too, however few the questions were."""
        if self._last is not None and not self._answers:
            raise self._last

"""When each clinic is due: once in each slot of time, spread over it so that no outside system sees all of them at once. Pure.

A slot is as long as `EVALUATE_EVERY`, and slots follow each other from 1970 on, so that every worker means the same by one. A
clinic is due at the same moment of each, which depends on its name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

SPREAD = 0.9
"""The part of a slot over which clinics are spread; in the rest of it the last ones can be done."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """The `number`th stretch of time of this length since 1970."""

    number: int
    every: timedelta

    @classmethod
    def at(cls, now: datetime, every: timedelta) -> Slot:
        """The slot that an instant is in."""
        return cls((now - EPOCH) // every, every)

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return EPOCH + self.number * self.every

    @property
    def ends(self) -> datetime:
        """The first instant of the next."""
        return self.begins + self.every

    @property
    def before(self) -> Slot:
        """The slot before it."""
        return Slot(self.number - 1, self.every)

    def due(self, clinic: str) -> datetime:
        """When in this slot a clinic is evaluated, to the second."""
        return self.begins + timedelta(seconds=int(self.every.total_seconds() * SPREAD * _fraction(clinic)))


def next_due(clinic: str, now: datetime, every: timedelta) -> datetime:
    """When a clinic is evaluated next."""
    slot = Slot.at(now, every)
    return due if (due := slot.due(clinic)) > now else Slot(slot.number + 1, every).due(clinic)


def _fraction(clinic: str) -> float:
    """From 0 to 1, the same for ever and evenly distributed over names (Python's own `hash` differs between processes)."""
    return int.from_bytes(blake2b(clinic.encode(), digest_size=8).digest()) / 2**64

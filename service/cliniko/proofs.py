"""Which derivations this process has seen to hold: both questions were asked, and the answers agreed.

A proof is for one practitioner at one location and for the durations, lead times and grid step of that moment; when one of
them changes it is another derivation. It is renewed after `PROOF_LASTS`, and gone with the process. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.core.model import Diaries, Offer, Probe
from service.core.probing import Derivation, derived

PROOF_LASTS = timedelta(hours=6)
"""So every sixth hourly run asks for everything, and a rule of Cliniko's that changed is noticed within a quarter of a day."""

Answers = Mapping[Offer, Sequence[Probe]]


@dataclass(slots=True)
class Proofs:
    """When each derivation was last seen to hold."""

    _seen: dict[Derivation, datetime] = field(default_factory=dict)

    def any(self, now: datetime) -> bool:
        """Whether there is a proof that holds."""
        return any(self.hold(how, now) for how in self._seen)

    def hold(self, how: Derivation, now: datetime) -> bool:
        """Whether the derivation was seen to hold, not too long ago."""
        seen = self._seen.get(how)
        return seen is not None and timedelta(0) <= now - seen < PROOF_LASTS

    def weigh(self, how: Derivation, answers: Answers, diaries: Diaries, now: datetime) -> None:
        """Learn from both answers; where neither shows a start there is nothing to learn, and a difference ends a proof."""
        real, made = answers[how.offer], derive(how, answers, diaries, now)
        if any(probe.starts is None for probe in real) or not _seen_whole(answers[how.base]):
            return
        if made is None or [probe.starts for probe in made] != [probe.starts for probe in real]:
            self._seen.pop(how, None)
        elif any(probe.starts for probe in real):
            self._seen[how] = now


def derive(how: Derivation, answers: Answers, diaries: Diaries, now: datetime) -> tuple[Probe, ...] | None:
    """The answer for `how.offer` from the answers at hand; None where they do not tell it."""
    base = answers.get(how.base, ())
    if not _seen_whole(base):
        return None
    zone = next(location.zone for location in diaries.locations if location.id == how.offer.location)
    made = [derived(how, probe, zone, now) for probe in base]
    found = tuple(probe for probe in made if probe is not None)
    return found if len(found) == len(made) else None


def _seen_whole(probes: Sequence[Probe]) -> bool:
    return bool(probes) and all(probe.starts is not None for probe in probes)

"""From diaries to capacity: what a service can still sell, per practitioner and local day.

`available_times` answers with starts only, spaced by the practitioner's *default* type, and lead times, caps, limits and
switches hide free time. So open time is the union of what is shown, clipped to rostered time; openings are the most
appointments that fit without overlap; and whatever was not observed widens the bounds instead of counting as full. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from service.core.days import HORIZON, horizon
from service.core.diary import Diary, diary
from service.core.model import Offer
from service.core.observation import Observation
from service.core.offers import sold_offers
from service.core.rules.language import Service
from service.core.tallies import NOTHING, Tally, total

TOGETHER = 2
"""So many contradicted diaries at a location are no accident of one roster."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one service can sell over the horizon. `dates` are the local dates; no offers means not sold online.

    `days` sums the diaries day by day, `sums[n]` is the first n days of it. `flapping`: a start disappears while somebody is
    in the middle of booking it. `blind`: no diary answered and none is rostered, or somebody without any rostered hours shows
    starts, so that not even the roster says what could be open.
    """

    service: str
    dates: tuple[date, ...]
    offers: tuple[Offer, ...]
    diaries: tuple[Diary, ...]
    days: tuple[Tally, ...]
    sums: tuple[Tally, ...]
    flapping: bool = False
    blind: bool = False

    @property
    def complete(self) -> bool:
        """Whether anything was rostered, and all of it that could be sold was observed."""
        return self.sums[-1].working > 0 and not self.blind and self.sums[-1].seen == self.sums[-1].sellable


def capacity(seen: Observation, service: Service) -> Capacity:
    """What `service` can sell over the horizon, from one reading of Cliniko."""
    offers = sold_offers(seen.diaries, service)
    by_person: dict[str, list[Offer]] = {}
    for offer in offers:
        by_person.setdefault(offer.practitioner, []).append(offer)
    found = tuple(diary(seen, person, theirs) for person, theirs in sorted(by_person.items()))
    if distrusted := _distrusted(found):
        found = tuple(diary(seen, person, theirs, distrusted) for person, theirs in sorted(by_person.items()))
    zones = seen.roster.zones
    zone = next((zones[offer.location] for offer in offers), next(iter(zones.values()), "UTC"))
    days = tuple(total(each.days[n].tally for each in found) for n in range(HORIZON))
    lost = any(each.contradicted and not any(day.working for day in each.days) for each in found)
    known = any(day.working for day in days) or any(seen.answered(offer) for offer in offers)
    return Capacity(
        service=service.name,
        dates=horizon(seen.now, zone),
        offers=offers,
        diaries=found,
        days=days,
        sums=tuple(accumulate(days, lambda so_far, day: total((so_far, day)), initial=NOTHING)),
        flapping=bool(seen.bookings.reservation),
        blind=lost or (bool(offers) and not known),
    )


def _distrusted(found: Sequence[Diary]) -> set[str]:
    """The locations at which the starts of most who show any contradict the roster: it is the location that is wrong."""
    wrong = Counter(place for each in found for place in each.contradicted)
    if max(wrong.values(), default=0) < TOGETHER:
        return set()
    shown = Counter(place for each in found for place in each.shown_at)
    return {place for place, count in wrong.items() if count >= TOGETHER and 2 * count > shown[place]}

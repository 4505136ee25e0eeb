"""A faultless reading of a clinic of this world: the words of the core, without servers and wire between.

So rules can be tried on months of a clinic in seconds, and the forecast can be tested against what the clinic really is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.days import horizon
from service.core.model import (
    AppointmentType,
    Block,
    Diaries,
    Location,
    Offer,
    OnlineBookings,
    Practitioner,
    Probe,
    Unseen,
    WeeklyHours,
)
from service.core.offers import sold_offers
from service.core.rules.language import Service
from service.sandbox.clinic import Clinic, Span


def diaries(account: Clinic, services: Sequence[Service], now: datetime) -> Diaries:
    """What a faultless reading of this account shows at `now`, as far as these services need it."""
    listed = reference(account)
    probes = tuple(probe for offer in sold(listed, services) for probe in _probes(account, offer, now))
    return replace(listed, probes=probes)


def reference(account: Clinic) -> Diaries:
    """Everything but the starts."""
    return Diaries(
        bookings=OnlineBookings(
            account.settings.enabled,
            timedelta(hours=account.settings.lead_hours),
            account.settings.segment_cap,
            account.settings.daily_limit,
            timedelta(minutes=account.settings.reservation_minutes),
        ),
        locations=tuple(Location(b.id, b.name, b.zone, b.online) for b in account.businesses.values()),
        practitioners=tuple(Practitioner(p.id, p.name, p.online, p.default_type) for p in account.people.values() if p.active),
        types=tuple(
            AppointmentType(
                t.id,
                t.name,
                timedelta(minutes=t.minutes),
                None if t.lead_hours is None else timedelta(hours=t.lead_hours),
                t.max_attendees > 1,
                t.online,
            )
            for t in account.types.values()
            if not t.archived
        ),
        offers=tuple(
            Offer(business, person, type_)
            for business in account.businesses
            for type_ in account.types
            for person in account.offering(business, type_)
        ),
        hours=tuple(WeeklyHours(h.business, h.person, (h.weekday + 1) % 7, h.starts, h.ends) for h in account.hours),
        extra=_blocks(account, account.extra),
        unavailable=_blocks(account, account.unavailable),
        probes=(),
    )


def sold(listed: Diaries, services: Iterable[Service]) -> tuple[Offer, ...]:
    """The offers that have to be asked about for these services, each once."""
    return tuple(dict.fromkeys(offer for service in services for offer in sold_offers(listed, service)))


def _blocks(account: Clinic, spans: list[Span]) -> tuple[Block, ...]:
    """Every occurrence at every business."""
    found = [(place, span) for place in account.businesses for span in account.spread(spans, place)]
    return tuple(Block(place, span.person, span.starts, span.ends) for place, span in found)


def _probes(account: Clinic, offer: Offer, now: datetime) -> list[Probe]:
    days = horizon(now, account.businesses[offer.location].zone)
    probes = []
    for first, last in ((days[0], days[6]), (days[7], days[13])):
        starts = account.starts(offer.location, offer.practitioner, offer.type, first, last, now)
        unseen = Unseen.NOT_FOUND if starts is None else None
        probes.append(Probe(offer, first, last, None if starts is None else tuple(starts), unseen))
    return probes

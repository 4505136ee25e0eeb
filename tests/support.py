"""What several tests need: a world read without sockets, and a run on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from service.core.capacity import sold_offers
from service.core.days import horizon
from service.core.decide.model import RunInputs, RunOutcome
from service.core.engine import conclude
from service.core.model import (
    AppointmentType,
    Block,
    Campaign,
    Diaries,
    Location,
    Offer,
    OnlineBookings,
    Platform,
    Practitioner,
    Probe,
    Snapshot,
    State,
    Unreadable,
    Unseen,
    WeeklyHours,
)
from service.core.rules.language import RuleSet, Service
from service.rulefiles.directory import RuleDirectory
from service.sandbox.world import Clinic, Span, World

RULES = Path(__file__).parent.parent / "rules"
CENT = Decimal("0.01")


def shipped(clinic: str) -> RuleSet:
    """A shipped rule file."""
    return RuleDirectory(RULES).load(clinic).rules


def diaries(account: Clinic, services: tuple[Service, ...], now: datetime) -> Diaries:
    """What a faultless reading of this account shows: the words of the core without the wire between."""
    reference = Diaries(
        bookings=OnlineBookings(
            account.settings.enabled,
            timedelta(hours=account.settings.lead_hours),
            account.settings.segment_cap,
            account.settings.daily_limit,
        ),
        locations=tuple(Location(b.id, b.name, b.zone, b.online) for b in account.businesses.values()),
        practitioners=tuple(Practitioner(p.id, p.name, p.online) for p in account.people.values() if p.active),
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
            Offer(business, person.id, type_)
            for person in account.people.values()
            for business in account.places_of(person.id)
            for type_ in person.types
        ),
        hours=tuple(WeeklyHours(h.business, h.person, (h.weekday + 1) % 7, h.starts, h.ends) for h in account.hours),
        extra=tuple(map(_block, account.extra)),
        unavailable=tuple(map(_block, account.unavailable)),
        probes=(),
    )
    offers = dict.fromkeys(offer for service in services for offer in sold_offers(reference, service))
    probes = tuple(probe for offer in offers for probe in _probes(account, offer, now))
    return Diaries(**{name: getattr(reference, name) for name in reference.__slots__} | {"probes": probes})


def _block(span: Span) -> Block:
    return Block(span.business, span.person, span.starts, span.ends)


def _probes(account: Clinic, offer: Offer, now: datetime) -> list[Probe]:
    days = horizon(now, account.businesses[offer.location].zone)
    probes = []
    for first, last in ((days[0], days[6]), (days[7], days[13])):
        starts = account.starts(offer.location, offer.practitioner, offer.type, first, last, now)
        unseen = Unseen.NOT_FOUND if starts is None else None
        probes.append(Probe(offer, first, last, None if starts is None else tuple(starts), unseen))
    return probes


def campaigns(world: World, rules: RuleSet) -> dict[str, Campaign | Unreadable]:
    """The campaigns of a rule file as the world's ad accounts hold them."""
    found: dict[str, Campaign | Unreadable] = {}
    for name, entry in rules.campaigns.items():
        if entry.platform is Platform.GOOGLE and rules.google:
            account = world.google[rules.google.customer_id]
            item = account.campaigns[entry.id]
            budget = Decimal(account.budgets[item.budget].amount_micros) / 1_000_000
            state = State(item.status == "ENABLED", budget.quantize(CENT))
        elif rules.meta:
            one = world.meta[rules.meta.ad_account_id].campaigns[entry.id]
            state = State(one.status == "ACTIVE", (Decimal(one.daily_budget or 0) / 100).quantize(CENT))
        found[name] = Campaign(entry.platform, entry.id, name, state, rules.currency, CENT)
    return found


def snapshot(world: World, rules: RuleSet) -> Snapshot:
    """Everything one run would observe, faultlessly."""
    read = diaries(world.clinics[rules.clinic], tuple(rules.services.values()), world.now)
    return Snapshot(rules.clinic, world.now, read, campaigns(world, rules))


def local(world: World, text: str, zone: str = "Australia/Sydney") -> timedelta:
    """How far the world's present is from a local `YYYY-MM-DD HH:MM`."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone)) - world.now


class Governed:
    """A clinic governed in memory: runs are concluded and their decisions are carried out on the world at once."""

    def __init__(self, world: World, rules: RuleSet) -> None:
        self.world, self.rules = world, rules
        self.outcomes: list[tuple[RunInputs, RunOutcome]] = []

    def inputs(self) -> RunInputs:
        last = self.outcomes[-1][1] if self.outcomes else None
        older = [inputs.snapshot for inputs, _ in reversed(self.outcomes) if isinstance(inputs.snapshot.diaries, Diaries)]
        return RunInputs(
            run=f"run{len(self.outcomes)}",
            clinic=self.rules.clinic,
            now=self.world.now,
            engine="test",
            rules=self.rules,
            snapshot=snapshot(self.world, self.rules),
            baselines=tuple(s for s in older if self.world.now - s.taken_at <= timedelta(hours=75)),
            rule_states=last.rule_states if last else {},
            standings=last.standings if last else {},
        )

    def run(self) -> RunOutcome:
        inputs = self.inputs()
        outcome = conclude(inputs)
        self.outcomes.append((inputs, outcome))
        return outcome

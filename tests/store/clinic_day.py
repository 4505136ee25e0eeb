"""A clinic's day as the store sees it: 24 hourly runs over a diary that changes as in life, and what they take on disk.

Everything is drawn from one seed, so that the bytes are the same on every machine but for the compressor's version.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from service.app import App
from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign, MetaAccount, MetaCampaign
from service.sandbox.clinic import BookingSettings, Business, Clinic, Hours, Person, Span, Type
from service.sandbox.minutes import MINUTE
from service.sandbox.scene import LOGIN_CUSTOMER_ID, scene
from service.sandbox.world import World
from service.store import tables
from service.store.store import Store
from tests.web.world import Near, app_over

HOUR = timedelta(hours=1)
MONDAY_MIDNIGHT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
"""Monday 23 November 2026, 00:05 in Sydney."""

LARGE = "riverside-clinic"
PLACE = "1643966599630431801"
TYPES = {f"164396659919422390{n}": name for n, name in enumerate(("Physiotherapy", "Podiatry", "Massage", "Dietetics"), 1)}
STAFF = [f"164396659738228{n:04}" for n in range(12)]


# --- the worlds ---------------------------------------------------------------------------------------------------------


def shipped_world() -> World:
    """The demonstration's clinics at the beginning of a Monday."""
    return scene(now=MONDAY_MIDNIGHT)


def large_world() -> World:
    """One clinic whose 12 practitioners all sell the same 4 services, three quarters booked."""
    world = World(MONDAY_MIDNIGHT)
    clinic = Clinic(LARGE, "Riverside Clinic", "key-riverside-au1", "Australia/Sydney", BookingSettings(lead_hours=2))
    clinic.businesses = {PLACE: Business(PLACE, "Riverside", "Australia/Sydney")}
    clinic.types = {
        id_: Type(id_, f"Initial {name.lower()}", minutes)
        for (id_, name), minutes in zip(TYPES.items(), (45, 30, 60, 45), strict=True)
    }
    for n, person in enumerate(STAFF):
        clinic.people[person] = Person(person, f"Practitioner {n}", list(TYPES), default_type=list(TYPES)[n % 4])
        for weekday in range(5):
            clinic.hours += [Hours(PLACE, person, weekday, 8 * 60, 12 * 60), Hours(PLACE, person, weekday, 13 * 60, 18 * 60)]
    world.clinics = {LARGE: clinic}
    google = GoogleAccount("3456789012", LOGIN_CUSTOMER_ID, "AUD", "Australia/Sydney")
    meta = MetaAccount("act_7029384756", "AUD", "Australia/Sydney")
    for n, name in enumerate(TYPES.values()):
        google.budgets[f"7{n}"] = GoogleBudget(f"7{n}", 60_000_000)
        google.campaigns[f"777000{n}"] = GoogleCampaign(f"777000{n}", f"{name} | Search", budget=f"7{n}")
        meta.campaigns[f"2387000{n}"] = MetaCampaign(f"2387000{n}", f"{name} | Feed", daily_budget=4000)
    world.google, world.meta = {google.customer_id: google}, {meta.id: meta}
    chance = random.Random(4)  # noqa: S311 - a simulation
    for person in STAFF:
        _book(world, LARGE, person, 70, chance)
    return world


def large_rules() -> str:
    """A rule file of the large clinic: a pause, a cluster and a ladder for each of its services."""
    budgets = {"base_budget": 60.00, "floor": 10.00, "ceiling": 120.00}
    names = {each.lower(): n for n, each in enumerate(TYPES.values())}
    steps = [{"at_least": "90%", "budget": "floor"}, {"at_least": "60%", "budget": "100%"}, {"otherwise": "130%"}]
    by = {"by": {"metric": "utilisation", "margin": "8%"}}
    services = {name: {"appointment_types": [f"Initial {name}"]} for name in names}
    campaigns: dict[str, object] = {}
    rules: list[object] = []
    for name, n in names.items():
        campaigns[f"{name}-search"] = {"platform": "google", "id": f"777000{n}", "service": name, **budgets}
        campaigns[f"{name}-social"] = {
            "platform": "meta",
            "id": f"2387000{n}",
            "service": name,
            **budgets,
            "base_budget": 40.00,
        }
        full = {"utilisation": {"at_least": "95%"}, "days_to_next_opening": {"at_least": 3}}
        cluster = {"slots_opened": {"at_least": 5}}
        rules += [
            {"name": f"{name} full", "service": name, "when": full, "then": "pause"},
            {"name": f"{name} cluster", "service": name, "when": cluster, "then": {"budget": "130%"}},
            {"name": f"{name} ladder", "service": name, "bands": {**by, "steps": steps}},
        ]  # fmt: skip
    accounts = {"google_ads": {"customer_id": "345-678-9012"}, "meta": {"ad_account_id": "act_7029384756"}}
    head = {"version": 1, "clinic": LARGE, "name": "Riverside", "currency": "AUD", "mode": "enforce", **accounts}
    return json.dumps({**head, "services": services, "campaigns": campaigns, "rules": rules})


# --- an hour of life ----------------------------------------------------------------------------------------------------


def live(world: World, slug: str, chance: random.Random) -> None:
    """What happens to a clinic in an hour: by day each practitioner is booked about once, and one in ten cancels."""
    clinic = world.clinics[slug]
    if not 8 <= world.now.astimezone(ZoneInfo(clinic.zone)).hour < 20:
        return
    for person in clinic.people.values():
        if chance.random() < 0.7:
            _book(world, slug, person.id, 1, chance)
        ahead = [each for each in clinic.appointments if each.person == person.id and each.starts > world.now]
        if ahead and chance.random() < 0.1:
            clinic.appointments.remove(chance.choice(ahead))


def _book(world: World, slug: str, person: str, times: int, chance: random.Random) -> None:
    clinic = world.clinics[slug]
    today = world.now.astimezone(ZoneInfo(clinic.zone)).date()
    for place in clinic.places_of(person):
        for _ in range(times):
            type_ = chance.choice(clinic.people[person].types)
            length = clinic.types[type_].minutes * MINUTE
            day = today + timedelta(days=min(int(chance.expovariate(0.2)), 20))
            if starts := clinic.starts(place, person, type_, day, day, world.now):
                start = chance.choice(starts)
                clinic.appointments.append(Span(person, start, start + length, place))


async def lived(app: App, world: World, clinic: str, hours: int, seed: int = 7) -> None:
    """So many hourly runs of a clinic."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    for _ in range(hours):
        await app.governor.run(clinic)
        live(world, clinic, chance)
        world.advance(HOUR)


@asynccontextmanager
async def opened(clinic: str, directory: Path) -> AsyncIterator[tuple[App, World]]:
    """The service over one of the two worlds."""
    world = large_world() if clinic == LARGE else shipped_world()
    async with app_over(Near(world), directory) as app:
        (app.settings.rules_dir / f"{LARGE}.yaml").write_text(large_rules())
        yield app, world


# --- what it takes ------------------------------------------------------------------------------------------------------


async def sizes(store: Store) -> Counter[str]:
    """Bytes by what they are for: each kind of document as it is stored, and the text of decisions and ledger records."""
    columns = {"decisions": tables.decision.c.body, "ledger": tables.ledger.c.text}
    found: Counter[str] = Counter()
    async with store._database.reading() as conn:
        for name, column in columns.items():
            found[name] = int(await conn.scalar(select(func.sum(func.length(column)))) or 0)
        for (body,) in await conn.execute(select(tables.document.c.body)):
            found[_kind(json.loads(zlib.decompress(body)))] += len(body)
    return found


def _kind(document: object) -> str:
    """What a document is, by its keys."""
    keys = {"unit": "starts", "also": "reference", "taken_at": "snapshot", "decisions": "outcome", "baselines": "inputs"}
    if isinstance(document, dict):
        return next((name for key, name in keys.items() if key in document), "rules")
    return "outcome"

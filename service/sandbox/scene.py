"""The demonstration scene: two clinics whose rule files are in `rules/`, on a Sunday morning in Sydney.

Harbour Physio sells out its physiotherapy while its podiatrist sits half idle; Northside Allied Health is healthy. Ids are
19 digits where Cliniko's are, and every name here is the one the rule files use.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign, MetaAccount, MetaCampaign
from service.sandbox.clinic import BookingSettings, Business, Clinic, Hours, Person, Span, Type
from service.sandbox.minutes import MINUTE
from service.sandbox.world import World

SUNDAY_MORNING = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)
"""Sunday 22 November 2026, 08:00 in Sydney."""

HARBOUR = "harbour-physio"
NORTHSIDE = "northside-allied"
CLINICS = (HARBOUR, NORTHSIDE)
LOGIN_CUSTOMER_ID = "1112223333"
META_TOKEN = "sandbox-meta-token"  # noqa: S105 - opens nothing but the sandbox
API_KEYS = {HARBOUR: "MS0xNDQzOTY2NTk5NjMw-sandboxharbour-au4", NORTHSIDE: "MS0xNDQzOTY2NTk5NjMx-sandboxnorthside-au2"}

WEEKDAYS = range(5)
MORNING, LUNCH, AFTERNOON, EVENING = 9 * 60, 12 * 60 + 30, 13 * 60 + 15, 17 * 60 + 15


def scene(seed: int = 1, now: datetime = SUNDAY_MORNING) -> World:
    """A new world with both clinics and their ad accounts; the same seed gives the same diaries."""
    world = World(now)
    world.clinics = {HARBOUR: _harbour(), NORTHSIDE: _northside()}
    for slug, booked in _booked(seed, now).items():
        world.clinics[slug].appointments = [replace(each) for each in booked]
    world.google = {"1234567890": _harbour_google(), "2345678901": _northside_google()}
    world.meta = {"act_1029384756": _harbour_meta(), "act_5647382910": _northside_meta()}
    return world


@lru_cache(maxsize=16)
def _booked(seed: int, now: datetime) -> dict[str, tuple[Span, ...]]:
    """What is booked at first, by clinic; filling the diaries takes longest of all, and the same ones are asked for again."""
    world, chance = World(now), random.Random(seed)  # noqa: S311 - a simulation
    world.clinics = {HARBOUR: _harbour(), NORTHSIDE: _northside()}
    _fill(world, HARBOUR, "Initial physiotherapy", share=0.80, chance=chance)
    _fill(world, HARBOUR, "Initial podiatry", share=0.45, chance=chance)
    _fill(world, NORTHSIDE, "Initial", share=0.66, chance=chance)
    return {slug: tuple(clinic.appointments) for slug, clinic in world.clinics.items()}


def types_named(clinic: Clinic, prefix: str) -> list[str]:
    """The ids of the appointment types whose name begins with `prefix`."""
    return [type_.id for type_ in clinic.types.values() if type_.name.startswith(prefix)]


def _harbour() -> Clinic:
    clinic = Clinic(HARBOUR, "Harbour Physio", API_KEYS[HARBOUR], "Australia/Sydney", BookingSettings(lead_hours=2))
    city, quay = "1443966599630431801", "1443966599630431802"
    clinic.businesses = {
        city: Business(city, "Harbour Physio City", "Australia/Sydney"),
        quay: Business(quay, "Harbour Physio Quay", "Australia/Sydney"),
    }
    first, standard, podiatry, class_ = (f"144396659919422390{n}" for n in range(1, 5))
    clinic.types = {
        first: Type(first, "Initial physiotherapy consultation", 45),
        standard: Type(standard, "Standard physiotherapy consultation", 45),
        podiatry: Type(podiatry, "Initial podiatry consultation", 45),
        class_: Type(class_, "Hydrotherapy class", 60, max_attendees=6),
    }
    names = ["Ana Silva", "Ben Okafor", "Chloe Tran", "Dev Patel"]
    for n, name in enumerate(names, 1):
        _join(clinic, f"144396659738228430{n}", name, [first, standard], city)
    _join(clinic, "1443966597382284305", "Eva Lindqvist", [podiatry], quay)
    _join(clinic, "1443966597382284306", "Hydro pod", [first, class_], city)
    return clinic


def _northside() -> Clinic:
    clinic = Clinic(
        NORTHSIDE, "Northside Allied Health", API_KEYS[NORTHSIDE], "Australia/Brisbane", BookingSettings(lead_hours=4)
    )
    place = "1543966599630431801"
    clinic.businesses = {place: Business(place, "Northside Chermside", "Australia/Brisbane")}
    speech, dietetics = "1543966599194223901", "1543966599194223902"
    clinic.types = {
        speech: Type(speech, "Initial speech pathology assessment", 60),
        dietetics: Type(dietetics, "Initial dietetics consultation", 60),
    }
    _join(clinic, "1543966597382284301", "Fiona Walsh", [speech], place)
    _join(clinic, "1543966597382284302", "Grace Kim", [speech], place)
    _join(clinic, "1543966597382284303", "Hugo Martin", [dietetics], place)
    return clinic


def _join(clinic: Clinic, id_: str, name: str, types: list[str], business: str) -> None:
    clinic.people[id_] = Person(id_, name, types, default_type=types[0])
    for weekday in WEEKDAYS:
        clinic.hours.append(Hours(business, id_, weekday, MORNING, LUNCH))
        clinic.hours.append(Hours(business, id_, weekday, AFTERNOON, EVENING))


def _fill(world: World, slug: str, prefix: str, share: float, chance: random.Random) -> None:
    """Book about `share` of what is open for these types in the next three weeks."""
    clinic = world.clinics[slug]
    types = types_named(clinic, prefix)
    for person in clinic.people.values():
        offered = [type_ for type_ in types if type_ in person.types]
        if not offered:
            continue
        length = clinic.types[offered[0]].minutes * MINUTE
        for business in clinic.places_of(person.id):
            today = world.now.date()
            starts = clinic.starts(business, person.id, offered[0], today, today + timedelta(days=21), world.now) or []
            clinic.appointments += [
                Span(person.id, start, start + length, business, notes="Jane Patient")
                for start in starts
                if chance.random() < share
            ]


def _harbour_google() -> GoogleAccount:
    account = GoogleAccount("1234567890", LOGIN_CUSTOMER_ID, "AUD", "Australia/Sydney")
    _google_campaign(account, "9876543210", "Physio | Search | Sydney", 60)
    _google_campaign(account, "9876543211", "Podiatry | Search | Sydney", 30)
    return account


def _northside_google() -> GoogleAccount:
    account = GoogleAccount("2345678901", LOGIN_CUSTOMER_ID, "AUD", "Australia/Brisbane")
    _google_campaign(account, "8765432101", "Speech | Search | Brisbane", 40)
    return account


def _google_campaign(account: GoogleAccount, id_: str, name: str, budget: int) -> None:
    account.budgets[f"7{id_}"] = GoogleBudget(f"7{id_}", budget * 1_000_000)
    account.campaigns[id_] = GoogleCampaign(id_, name, budget=f"7{id_}", cost_micros_today=budget * 200_000)


def _harbour_meta() -> MetaAccount:
    account = MetaAccount("act_1029384756", "AUD", "Australia/Sydney")
    _meta_campaign(account, "23850000000000001", "Physio | Feed | Sydney", 40)
    _meta_campaign(account, "23850000000000002", "Podiatry | Feed | Sydney", 20)
    return account


def _northside_meta() -> MetaAccount:
    account = MetaAccount("act_5647382910", "AUD", "Australia/Brisbane")
    _meta_campaign(account, "23860000000000001", "Dietetics | Feed | Brisbane", 25)
    return account


def _meta_campaign(account: MetaAccount, id_: str, name: str, budget: int) -> None:
    account.campaigns[id_] = MetaCampaign(id_, name, daily_budget=budget * 100, spend_today=Decimal(budget) / 5)

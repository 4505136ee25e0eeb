"""A town of clinics that are alike, each with ad accounts of its own: for whatever has to be tried on many."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign, MetaAccount, MetaCampaign
from service.sandbox.clinic import Clinic
from service.sandbox.scene import HARBOUR, LOGIN_CUSTOMER_ID, SUNDAY_MORNING, scene
from service.sandbox.world import World

CAMPAIGNS = 20
ZONE = "Australia/Sydney"
SERVICES = ("physio", "podiatry")
BASE = Decimal(50)


def slug(n: int) -> str:
    """The n-th clinic's."""
    return f"clinic-{n:04d}"


def town(clinics: int, campaigns: int = CAMPAIGNS, now: datetime = SUNDAY_MORNING) -> World:
    """Copies of Harbour Physio (6 practitioners, 2 services), half of their campaigns on either platform."""
    world = scene(now=now)
    model = world.clinics[HARBOUR]
    world.clinics, world.google, world.meta = {}, {}, {}
    for n in range(clinics):
        world.clinics[slug(n)] = _clinic(model, n)
        world.google[_customer(n)] = _google(n, campaigns)
        world.meta[_account(n)] = _meta(n, campaigns)
    return world


def write_rules(folder: Path, clinics: Iterable[int], campaigns: int = CAMPAIGNS, *, stopped: bool = False) -> None:
    """A rule file for each of them; whoever is `stopped` has the ads of its first service paused, whatever its diaries say."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in clinics:
        written = rule_file(n, campaigns)
        if stopped:
            written["rules"].insert(0, {"name": "Stop", "service": SERVICES[0], "then": "pause"})
        (folder / ".new").write_text(json.dumps(written, indent=1), "utf-8")
        (folder / ".new").replace(folder / f"{slug(n)}.yaml")


def rule_file(n: int, campaigns: int = CAMPAIGNS) -> dict[str, Any]:
    """Pauses what is sold out, spends more where openings are many, and otherwise goes by how full the fortnight is."""
    money = {"base_budget": f"{BASE}.00", "floor": "10.00", "ceiling": "120.00"}
    full = {"utilisation": {"at_least": "95%"}, "days_to_next_opening": {"at_least": 3}}
    emptier = {"any": [{"utilisation": {"below": "80%"}}, {"slots_opened": {"at_least": 5}}]}
    steps = [{"at_least": "80%", "budget": "80%"}, {"otherwise": "100%"}]
    return {
        "version": 1,
        "clinic": slug(n),
        "name": f"Clinic {n}",
        "currency": "AUD",
        "mode": "enforce",
        "google_ads": {"customer_id": _customer(n), "login_customer_id": LOGIN_CUSTOMER_ID},
        "meta": {"ad_account_id": _account(n)},
        "services": {
            "physio": {
                "appointment_types": ["Initial physiotherapy consultation", "Standard physiotherapy consultation"],
                "exclude_practitioners": ["Hydro pod"],
            },
            "podiatry": {"appointment_types": ["Initial podiatry consultation"]},
        },
        "campaigns": {
            f"{SERVICES[k % 2]}-{k}": {"platform": _platform(k), "id": _campaign(n, k), "service": SERVICES[k % 2], **money}
            for k in range(campaigns)
        },
        "rules": [
            {"name": "Booked solid", "service": "physio", "when": full, "until": emptier, "then": "pause"},
            {
                "name": "Cancellation cluster",
                "service": "physio",
                "when": {"slots_opened": {"at_least": 5}, "open_slots": {"at_least": 5, "within": "7d"}},
                "stabilise": "2h",
                "then": {"budget": "130%"},
            },
            {
                "name": "Ladder",
                "campaigns": [f"{SERVICES[k % 2]}-{k}" for k in range(campaigns)],
                "bands": {"by": {"metric": "utilisation", "within": "14d", "margin": "15%"}, "steps": steps},
            },
        ],
        "guardrails": {"blast_radius": "100%"},
    }


def _clinic(model: Clinic, n: int) -> Clinic:
    """Who books in one of them books in no other; what never changes they share."""
    key = f"MS0xNDQzOTY2{n:08d}-sandboxclinic-au4"
    return replace(copy(model), slug=slug(n), name=f"Clinic {n}", api_key=key, appointments=[*model.appointments])


def _customer(n: int) -> str:
    return f"{3_000_000_000 + n}"


def _account(n: int) -> str:
    return f"act_{50_000_000 + n}"


def _platform(k: int) -> str:
    return ("google", "meta")[k // 2 % 2]


def _campaign(n: int, k: int) -> str:
    return f"{(6 if _platform(k) == 'google' else 8) * 10_000_000_000 + 1000 * n + k}"


def _google(n: int, campaigns: int) -> GoogleAccount:
    account = GoogleAccount(_customer(n), LOGIN_CUSTOMER_ID, "AUD", ZONE)
    for k in range(campaigns):
        if _platform(k) == "google":
            id_ = _campaign(n, k)
            account.budgets[f"7{id_}"] = GoogleBudget(f"7{id_}", int(BASE) * 1_000_000)
            account.campaigns[id_] = GoogleCampaign(id_, f"Search {k}", budget=f"7{id_}", cost_micros_today=5_000_000)
    return account


def _meta(n: int, campaigns: int) -> MetaAccount:
    account = MetaAccount(_account(n), "AUD", ZONE)
    for k in range(campaigns):
        if _platform(k) == "meta":
            id_ = _campaign(n, k)
            account.campaigns[id_] = MetaCampaign(id_, f"Feed {k}", daily_budget=int(BASE) * 100, spend_today=Decimal(5))
    return account

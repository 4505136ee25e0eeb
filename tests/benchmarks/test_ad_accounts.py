"""What 80 clinics with six campaigns each cost of the ad platforms in an hour: time, calls, quota, memory.

The real clients against the sandbox, which shares the machine's processors with them. A Google project of the smallest tier may
make 2,880 operations a day (Google Ads API, "Access levels"): 36 for each account, of which 24 are the hourly looks. A pause
takes two more for each campaign, a resume as many, and one for each account whose change history it has to read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign, MetaAccount, MetaCampaign
from service.sandbox.scene import LOGIN_CUSTOMER_ID, NORTHSIDE, scene
from service.sandbox.stage import Stage, staged
from service.sandbox.world import World

CLINICS, EACH = 80, 3
"""So many clinics, and campaigns of each on either platform."""

EXPLORER = 2880
"""Operations a day that a Google project of the smallest tier may make."""

SECONDS, MIB = 300.0, 400.0
"""Limits of a pass: twelve of them would fit into an hour."""

HOUR = timedelta(hours=1)
ROOT = Path(__file__).parent.parent.parent
CAMPAIGNS = CLINICS * EACH * 2


def slug(n: int) -> str:
    return f"clinic-{n}"


def world_of_many() -> World:
    """Copies of one small clinic, each with accounts of its own."""
    world = scene()
    model = world.clinics[NORTHSIDE]
    world.clinics, world.google, world.meta = {}, {}, {}
    for n in range(CLINICS):
        clinic = deepcopy(model)
        clinic.slug, clinic.api_key = slug(n), model.api_key.replace("MS-", f"MS-{n}", 1)
        world.clinics[slug(n)] = clinic
        world.google[f"{3_000_000_000 + n}"] = google(f"{3_000_000_000 + n}", n)
        world.meta[f"act_{5000 + n}"] = meta(f"act_{5000 + n}", n)
    return world


def google(id_: str, n: int) -> GoogleAccount:
    account = GoogleAccount(id_, LOGIN_CUSTOMER_ID, "AUD", "Australia/Brisbane")
    for k in range(EACH):
        name = f"{60_000_000 + 10 * n + k}"
        account.budgets[f"7{name}"] = GoogleBudget(f"7{name}", 40_000_000)
        account.campaigns[name] = GoogleCampaign(name, f"Search {k}", budget=f"7{name}")
    return account


def meta(id_: str, n: int) -> MetaAccount:
    account = MetaAccount(id_, "AUD", "Australia/Brisbane")
    for k in range(EACH):
        name = f"{2_386_000_000 + 10 * n + k}"
        account.campaigns[name] = MetaCampaign(name, f"Feed {k}", daily_budget=2500)
    return account


def rule_file(world: World, n: int) -> dict[str, Any]:
    types = [type_.name for type_ in world.clinics[slug(n)].types.values()]
    money = {"floor": "5.00", "ceiling": "120.00", "service": "all"}
    searches = {f"search-{k}": ("google", f"{60_000_000 + 10 * n + k}", "40.00") for k in range(EACH)}
    feeds = {f"feed-{k}": ("meta", f"{2_386_000_000 + 10 * n + k}", "25.00") for k in range(EACH)}
    return {
        "version": 1,
        "clinic": slug(n),
        "name": f"Clinic {n}",
        "currency": "AUD",
        "mode": "enforce",
        "google_ads": {"customer_id": f"{3_000_000_000 + n}", "login_customer_id": LOGIN_CUSTOMER_ID},
        "meta": {"ad_account_id": f"act_{5000 + n}"},
        "services": {"all": {"appointment_types": types}},
        "campaigns": {
            name: {"platform": platform, "id": id_, "base_budget": base, **money}
            for name, (platform, id_, base) in (searches | feeds).items()
        },
        "rules": [{"name": "Full", "service": "all", "when": {"open_slots": {"at_most": 0}}, "then": "pause"}],
        "guardrails": {"blast_radius": "100%", "stabilise": {"raise": "0h"}},
    }


@contextmanager
def governor(stage: Stage, directory: Path) -> Iterator[subprocess.Popen[str]]:
    own = {
        "GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{directory / 'governor.db'}",
        "GOVERNOR_RULES_DIR": str(directory / "rules"),
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.hourly_pass"],
        env={**os.environ, **stage.environment, **own},
        cwd=directory,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=60)


def passed(process: subprocess.Popen[str], world: World) -> tuple[dict[str, Any], Counter[str]]:
    """One pass: what it says of itself, and the calls that the platforms saw, by platform and kind."""
    assert process.stdin
    assert process.stdout
    world.requests.clear()
    process.stdin.write(f"{world.now.isoformat()}\n")
    process.stdin.flush()
    line = next(each for each in process.stdout if each.startswith("> "))
    calls: Counter[str] = Counter()
    for request in world.requests:
        if request.system == "google":
            calls["google mutate" if "Mutate" in request.path else "google search"] += 1
        elif request.system == "meta":
            calls[f"meta {request.method}"] += 1
    return json.loads(line[2:]), calls


@pytest.mark.bench
def test_what_the_ad_accounts_of_many_clinics_cost(google_certificate: Path, tmp_path: Path) -> None:
    world = world_of_many()
    (tmp_path / "rules").mkdir()
    for n in range(CLINICS):
        (tmp_path / "rules" / f"{slug(n)}.yaml").write_text(json.dumps(rule_file(world, n)))
    with staged(world, google_certificate, requests_per_minute=600_000) as stage, governor(stage, tmp_path) as process:
        first, _ = passed(process, world)
        world.advance(23 * HOUR)
        for n in range(CLINICS):
            world.book_out(slug(n), [*world.clinics[slug(n)].types])
        quiet, looking = passed(process, world)
        world.advance(HOUR)
        full, pausing = passed(process, world)
        world.advance(12 * HOUR)
        for n in range(CLINICS):
            world.cancel(slug(n), [*world.clinics[slug(n)].types], 8)
        freed, resuming = passed(process, world)
    for each in (first, quiet, full, freed):
        assert (each["clinics"], each["problems"], each["failed"]) == (CLINICS, [], [])
    assert (quiet["changes"], full["changes"], freed["changes"]) == (0, CAMPAIGNS, CAMPAIGNS)
    told(quiet, full, freed)
    called(looking, pausing, resuming)
    looks, pauses, resumes = (operations(each) for each in (looking, pausing, resuming))
    days = {
        "nothing changes": 24 * looks,
        "every campaign is paused": 23 * looks + pauses,
        "every campaign is resumed": 23 * looks + resumes,
        "every campaign is paused and resumed": 22 * looks + pauses + resumes,
    }
    print(f"Google operations, of {EXPLORER}, on a day on which")
    for name, count in days.items():
        print(f"  {name:36} {count:10}")
    assert looks == CLINICS, "one search per account and hour"
    assert max(days["every campaign is paused"], days["every campaign is resumed"]) <= EXPLORER
    assert max(each["seconds"] for each in (quiet, full, freed)) <= SECONDS
    assert freed["memory"] <= MIB


def operations(calls: Counter[str]) -> int:
    """What a pass takes of Google's quota: searches, those of change histories among them, and mutated campaigns."""
    return calls["google search"] + calls["google mutate"]


def told(*passes: dict[str, Any]) -> None:
    """What each pass says of itself."""
    print(f"\n{f'{CLINICS} clinics, {2 * EACH} campaigns each':36}   a quiet hour   all are paused  all are resumed")
    names = {"seconds": "seconds", "seconds of the service's processor": "processor", "most memory, MiB": "memory"}
    for name, key in names.items():
        row(name, [each[key] for each in passes])


def called(*passes: Counter[str]) -> None:
    """What each pass asked of the platforms."""
    row("Google: calls per account", [operations(each) / CLINICS for each in passes])
    row("Google: calls per campaign", [operations(each) / CLINICS / EACH for each in passes])
    row("Meta: reads per account", [each["meta GET"] / CLINICS for each in passes])
    row("Meta: writes per account", [each["meta POST"] / CLINICS for each in passes])


def row(name: str, values: list[float]) -> None:
    print(f"  {name:36}" + "".join(f"{value:17.2f}" for value in values))

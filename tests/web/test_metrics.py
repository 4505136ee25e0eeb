"""`/metrics` as Prometheus meets it: what runs and requests come to, how things stand, and nobody's name."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from prometheus_client.parser import text_string_to_metric_families

from service.jobs.hourly import Hourly
from service.sandbox.scene import CLINICS, HARBOUR, NORTHSIDE
from service.store.store import Store
from service.web.metrics import FRESH_SECONDS
from service.web.server import create_app, over
from tests.support import shipped
from tests.web.conftest import HOUR, Api, client_of
from tests.web.test_plans import rewrite
from tests.web.world import book_out

EVALUATION = {"dry_run": False}


@pytest.fixture
async def api(api: Api) -> AsyncIterator[Api]:
    """Whatever is asked for, so much time has passed meanwhile that the database is read anew."""
    async with hasty(api) as found:
        yield found


@pytest.fixture
async def governed(governed: Api) -> AsyncIterator[Api]:
    async with hasty(governed) as found:
        yield found


@asynccontextmanager
async def hasty(api: Api) -> AsyncIterator[Api]:
    app = replace(api.app, monotonic=count(0.0, 2 * FRESH_SECONDS).__next__)
    litestar = create_app(app, hourly=False)
    async with client_of(litestar) as client:
        yield replace(api, app=app, litestar=litestar, client=client)


async def scraped(api: Api, litestar: Litestar | None = None) -> dict[str, float]:
    async with client_of(litestar or api.litestar) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
    return {f"{each.name}{{{','.join(f'{k}={v}' for k, v in sorted(each.labels.items()))}}}": each.value for each in samples}


async def evaluate(api: Api, clinic: str = HARBOUR, *, dry_run: bool = False) -> Any:
    return await api.ask("POST", f"/v1/clinics/{clinic}/evaluations", json={"dry_run": dry_run})


async def test_a_run_is_counted_with_its_steps_decisions_and_changes(governed: Api) -> None:
    report = (await evaluate(governed)).json()
    found = await scraped(governed)
    assert found["governor_runs_total{status=finished}"] == 1
    assert found["governor_run_seconds_count{status=finished}"] == 1
    for step in ("settle", "observe", "gather", "decide", "record", "apply"):
        assert found[f"governor_run_step_seconds_count{{step={step}}}"] == 1, step
    decided = {name: value for name, value in found.items() if name.startswith("governor_decisions_total")}
    assert sum(decided.values()) == len(report["decisions"])
    for decision in report["decisions"]:
        assert decided[f"governor_decisions_total{{reason={decision['reason']},verdict={decision['verdict']}}}"] >= 1


async def test_changes_are_counted_by_platform_and_outcome(api: Api) -> None:
    await evaluate(api)
    book_out(api.near.world)
    made: list[dict[str, Any]] = []
    for _ in range(3):
        api.near.world.advance(23 * HOUR)
        made += (await evaluate(api)).json()["changes"]
    assert made
    found = await scraped(api)
    for platform in ("google", "meta"):
        applied = [change for change in made if (change["platform"], change["status"]) == (platform, "applied")]
        assert found[f"governor_changes_total{{outcome=applied,platform={platform}}}"] == len(applied)


async def test_a_dry_run_and_a_failed_one_are_told_apart_and_decide_nothing(api: Api) -> None:
    await evaluate(api, dry_run=True)
    api.near.crashing.add(HARBOUR)
    assert (await evaluate(api)).status_code == 500
    found = await scraped(api)
    assert found["governor_runs_total{status=dry_run}"] == 1
    assert found["governor_runs_total{status=failed}"] == 1
    assert not any(number for name, number in found.items() if name.startswith("governor_decisions_total"))


async def test_requests_are_counted_by_the_template_of_their_address(api: Api) -> None:
    for clinic in CLINICS:
        await api.get(f"/v1/clinics/{clinic}")
    await api.ask("GET", "/v1/clinics", None)
    await api.ask("GET", f"/nowhere/{HARBOUR}", None)
    await api.ask("BREW", "/v1/clinics", None)
    found = await scraped(api)
    assert found["governor_http_requests_total{method=GET,route=/v1/clinics/{clinic},status=200}"] == len(CLINICS)
    assert found["governor_http_request_seconds_count{method=GET,route=/v1/clinics/{clinic}}"] == len(CLINICS)
    assert found["governor_http_requests_total{method=GET,route=/v1/clinics,status=401}"] == 1
    assert found["governor_http_requests_total{method=GET,route=unknown,status=404}"] == 1
    assert found["governor_http_requests_total{method=other,route=unknown,status=405}"] == 1


async def test_nothing_names_a_clinic_or_a_campaign(governed: Api) -> None:
    await evaluate(governed)
    await governed.get(f"/v1/clinics/{HARBOUR}/campaigns")
    async with client_of(governed.litestar) as client:
        text = (await client.get("/metrics")).text
    rules = shipped(HARBOUR)
    for name in (HARBOUR, NORTHSIDE, *rules.campaigns, *rules.services, *(entry.id for entry in rules.campaigns.values())):
        assert f'"{name}"' not in text
        assert f"/{name}" not in text


# --- how things stand ---------------------------------------------------------------------------------------------------


def freshness(found: dict[str, float]) -> dict[str, int]:
    prefix = "governor_clinics{freshness="
    return {name.removeprefix(prefix)[:-1]: int(value) for name, value in found.items() if name.startswith(prefix) and value}


async def test_clinics_are_counted_by_how_old_what_is_known_of_them_is(api: Api) -> None:
    found = await scraped(api)
    assert freshness(found) == {"never": 2}
    assert "governor_oldest_forecast_age_seconds{}" not in found
    await evaluate(api)
    assert freshness(await scraped(api)) == {"fresh": 1, "never": 1}
    await evaluate(api, NORTHSIDE)
    api.near.world.advance(2 * HOUR)
    found = await scraped(api)
    assert freshness(found) == {"fresh": 2}
    assert found["governor_oldest_forecast_age_seconds{}"] == 7200
    api.near.world.advance(timedelta(seconds=1))
    assert freshness(await scraped(api)) == {"stale": 2}
    await evaluate(api, NORTHSIDE)
    api.near.down.add(HARBOUR)
    await evaluate(api)
    found = await scraped(api)
    assert freshness(found) == {"fresh": 1, "stale": 1}
    assert found["governor_oldest_forecast_age_seconds{}"] == 7201
    api.near.crashing.add(NORTHSIDE)
    await asyncio.gather(evaluate(api, NORTHSIDE))
    assert freshness(await scraped(api)) == {"fresh": 1, "stale": 1}  # it failed before it had begun


async def test_a_clinic_whose_newest_run_failed_is_counted_so(governed: Api) -> None:
    store, now = governed.app.store, governed.app.clock()
    await store.runs.begin("a-run", HARBOUR, now)
    await store.runs.fail("a-run", "interrupted", now)
    assert freshness(await scraped(governed)) == {"failed": 1, "fresh": 1}


async def test_what_somebody_should_look_at_is_counted(api: Api) -> None:
    rewrite(api, "mode: enforce", "mode: propose")
    await evaluate(api)
    book_out(api.near.world)
    for hours in (23, 1):
        api.near.world.advance(hours * HOUR)
        await evaluate(api)
    rules = Path(api.app.settings.rules_dir) / f"{NORTHSIDE}.yaml"
    rules.write_text("version: 1\n")
    await evaluate(api, NORTHSIDE)
    found = await scraped(api)
    assert found["governor_decisions_awaiting_approval{}"] == 2
    assert found["governor_rule_files_refused{}"] == 1
    assert found["governor_campaigns_stood_down{}"] == 0
    assert found["governor_campaigns_left_changed{}"] == 0
    assert found["governor_changes_open{}"] == 0


async def test_the_heartbeat_is_shown_where_there_is_a_loop(api: Api) -> None:
    assert "governor_heartbeat_timestamp_seconds{}" not in await scraped(api)
    found = await scraped(api, over(api.app, Hourly(api.app)))
    assert found["governor_heartbeat_timestamp_seconds{}"] == api.app.clock().timestamp()


async def test_the_version_is_shown(api: Api) -> None:
    assert [name for name in await scraped(api) if name.startswith("governor_build_info{version=")]


async def test_a_database_that_is_away_leaves_out_what_it_would_tell_and_breaks_nothing(api: Api, tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    away = replace(api.app, store=Store.open(f"sqlite+aiosqlite:///{folder}/governor.db", api.app.monitor))
    folder.rmdir()
    litestar = create_app(away, hourly=False)
    found = await scraped(api, litestar)
    assert found["governor_database_up{}"] == 0
    assert not any(name.startswith(("governor_clinics", "governor_campaigns")) for name in found)
    assert found["governor_runs_total{status=finished}"] == 0
    assert (await scraped(api, litestar))["governor_database_errors_total{}"] >= 1
    folder.mkdir()
    await away.store.migrate()
    assert (await scraped(api, litestar))["governor_database_up{}"] == 1
    await away.store.aclose()


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Somebody has the whole database to himself, and whoever opens it meanwhile waits."""
    with sqlite3.connect(database) as taken:
        taken.execute("PRAGMA locking_mode=EXCLUSIVE")
        taken.execute("BEGIN EXCLUSIVE")
        yield
        taken.rollback()
    taken.close()


async def test_a_database_that_hangs_holds_up_neither_scrapes_nor_probes(api: Api, tmp_path: Path) -> None:
    await api.app.store.aclose()
    hanging = replace(api.app, store=Store.open(api.app.settings.database_url, api.app.monitor))
    litestar = over(hanging, None, patience=0.1)
    with locked(tmp_path / "governor.db"):
        async with asyncio.timeout(20), client_of(litestar) as client:
            several = await asyncio.gather(*(scraped(api, litestar) for _ in range(5)))
            ready = await client.get("/readyz")
            assert (await client.get("/healthz")).status_code == 200
    assert [found["governor_database_up{}"] for found in several] == [0] * 5
    assert (ready.status_code, ready.json()["type"]) == (503, "urn:governor:problem:database")
    async with asyncio.timeout(30), client_of(litestar) as client:
        while (await client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - what is waited for is in SQLite
            await asyncio.sleep(0.05)
    assert (await scraped(api, litestar))["governor_database_up{}"] == 1
    await hanging.store.aclose()


async def test_what_was_read_from_the_database_counts_for_some_seconds(api: Api) -> None:
    seconds = 0.0
    app = replace(api.app, monotonic=lambda: seconds)
    litestar = create_app(app, hourly=False)
    assert freshness(await scraped(api, litestar)) == {"never": 2}
    await evaluate(api)
    seconds = FRESH_SECONDS - 0.1
    assert freshness(await scraped(api, litestar)) == {"never": 2}
    seconds = FRESH_SECONDS
    assert freshness(await scraped(api, litestar)) == {"fresh": 1, "never": 1}

"""What is old goes once a day, by the hourly loop; asking for it afterwards is answered in a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.app import App
from service.core.errors import GoneError, SettingsError
from service.jobs.keeping import Forgotten, forget_old
from service.sandbox.scene import HARBOUR, scene
from service.settings import load
from service.web.server import create_app
from tests.jobs.test_hourly import HOUR, loop_until
from tests.web.conftest import client_of, keys_for
from tests.web.world import Near, app_over

DAY = timedelta(days=1)


@pytest.fixture
def near() -> Near:
    return Near(scene())


@pytest.fixture
async def app(near: Near, tmp_path: Path) -> AsyncIterator[App]:
    async with app_over(near, tmp_path, keep_snapshots=10 * DAY) as opened:
        yield opened


async def later(app: App, near: Near, days: int) -> str:
    """A first run, a second one that may compare with it, and so many days after; returns the first."""
    report = await app.governor.run(HARBOUR)
    near.world.advance(HOUR)
    await app.governor.run(HARBOUR)
    near.world.advance(days * DAY)
    return report.run


async def test_the_hourly_loop_forgets_what_is_old(app: App, near: Near) -> None:
    run = await later(app, near, 11)
    await loop_until(app, near, near.world.now + HOUR / 2)
    with pytest.raises(GoneError, match="was kept for 11 days and is gone since 2026-12-02"):
        await app.store.runs.load_inputs(run)
    new = await app.store.runs.latest_run(HARBOUR)
    assert new is not None
    assert (await app.store.runs.load_inputs(new.id)).run == new.id


async def test_it_ends_between_two_steps_when_the_service_stops(app: App, near: Near) -> None:
    await later(app, near, 11)
    assert await forget_old(app, lambda: False) == Forgotten(0, 0, 0, 0, 0)
    found = await forget_old(app)
    assert (found.runs, found.looks) == (2, 0)
    assert found.documents > 0
    assert await forget_old(app) == Forgotten(0, 0, 0, 0, 0)


async def test_a_database_that_refuses_does_not_end_the_loop(app: App, near: Near, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await later(app, near, 11)
    monkeypatch.setattr("service.store.retention.MOST", "no number")
    hourly = await loop_until(app, near, near.world.now + 1.5 * HOUR)
    assert hourly.next_at == near.world.now + HOUR / 2
    assert (await app.store.runs.load_inputs(run)).run == run


async def test_asking_for_what_is_gone_is_answered_in_a_sentence_and_what_is_kept_as_ever(app: App, near: Near) -> None:
    run = await later(app, near, 11)
    [decision, *_] = await app.store.decisions.of_run(run)
    await forget_old(app)
    keys = await keys_for(app)
    headers, foreign = ({"Authorization": f"Bearer {keys[name]}"} for name in ("harbour-viewer", "northside-operator"))
    async with client_of(create_app(app, hourly=False)) as client:
        gone = f"/v1/clinics/{HARBOUR}/forecast"
        answer = await client.get(gone, headers=headers)
        assert (answer.status_code, answer.json()["title"]) == (410, "No longer kept")
        assert " worked on was kept for 11 days and is gone since 2026-12-02; its decisions " in answer.json()["detail"]
        of_run = (await client.get(f"/v1/runs/{run}", headers=headers)).json()
        assert (of_run["traces"], of_run["decisions"][0]["id"]) == (None, decision.id)
        of_decision = (await client.get(f"/v1/decisions/{decision.id}", headers=headers)).json()
        assert (of_decision["trace"], of_decision["decision"]["id"]) == (None, decision.id)
        for path in (gone, f"/v1/runs/{run}", f"/v1/decisions/{decision.id}"):
            assert (await client.get(path, headers=foreign)).status_code == 404
        listed = (await client.get("/v1/decisions", headers=headers)).json()["items"]
        assert decision.id in {each["id"] for each in listed}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GOVERNOR_KEEP_SNAPSHOTS", "3d", "rules compare with snapshots of up to 72 hours ago; keep them for longer"),
        ("GOVERNOR_KEEP_SNAPSHOTS", "0d", "keep them for longer"),
        ("GOVERNOR_KEEP_LOOKS", "14d", "the booking-pace model learns from 8 weeks at least"),
        ("GOVERNOR_KEEP_LOOKS", "400", "write a duration such as"),
    ],
)
def test_what_rules_and_forecasts_need_cannot_be_set_to_go_sooner(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: .*{says}"):
        load(env_file=None)

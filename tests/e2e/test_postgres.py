"""A clinic's story with everything kept in PostgreSQL: the whole service against the sandbox, and the API in front of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.archiving import archive
from service.core.ledger import export_line
from service.core.model import Reason
from service.jobs.keeping import forget_old
from service.keys import EVERY_CLINIC, new_key
from service.sandbox.scene import HARBOUR
from service.settings import Settings
from service.store.keys import Role
from service.web.server import create_app
from tests import postgres
from tests.core.test_ledger import VERIFIER
from tests.e2e.conftest import Standing
from tests.e2e.test_safety import sold_out
from tests.jobs.heard import Heard
from tests.web.conftest import client_of

HOUR = timedelta(hours=1)
HOLD = {"campaign": "physio-search", "reason": "open day\0", "until": None}


@pytest.fixture
def settings(settings: Settings) -> Iterator[Settings]:
    with postgres.database() as url:
        yield settings.model_copy(update={"database_url": url})


@pytest.fixture
async def ask(standing: Standing) -> AsyncIterator[Any]:
    """Ask the API as an administrator; what it answers, as a value."""
    key, _ = await new_key(standing.app.store.keys, "agency", Role.ADMIN, [EVERY_CLINIC], standing.app.clock())
    async with client_of(create_app(standing.app, hourly=False)) as client:

        async def asked(method: str, path: str, status: int = 200, **rest: Any) -> Any:
            headers = {"Authorization": f"Bearer {key}", **rest.pop("headers", {})}
            answer = await client.request(method, f"/v1/{path}", headers=headers, **rest)
            assert answer.status_code == status, answer.text
            return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

        yield asked


async def test_a_clinic_is_governed_watched_and_accounted_for(standing: Standing, ask: Any, tmp_path: Path) -> None:
    world, heard = standing.world, Heard()
    app = heard.by(standing.app)
    report = await sold_out(standing)
    assert {each.ending for each in report.changes} == {"applied"}

    listed = await ask("GET", "decisions", params={"clinic": HARBOUR, "changed": True})
    assert {each["campaign"] for each in listed["items"]} >= {"physio-search", "physio-social"}
    assert (await ask("GET", f"decisions/{listed['items'][0]['id']}"))["trace"]
    first = await ask("GET", "decisions", params={"limit": 3})
    rest = await ask("GET", "decisions", params={"limit": 100, "cursor": first["next_cursor"]})
    assert len({each["id"] for each in (*first["items"], *rest["items"])}) == len(first["items"]) + len(rest["items"])

    word = {"Idempotency-Key": "once"}
    held = [await ask("POST", f"clinics/{HARBOUR}/holds", 201, json=HOLD, headers=word) for _ in range(2)]
    assert held[0] == held[1]
    world.advance(HOUR)
    decided = {each.campaign: each.reason for each in (await standing.run()).decisions}
    assert decided["physio-search"] is Reason.HELD
    await ask("DELETE", f"holds/{held[0]['id']}", 204)

    assert any("physio" in each.text for each in await heard.after(app))
    assert await heard.after(app) == []
    assert (await ask("GET", "reports/money", params={"clinic": HARBOUR}))["campaigns"]
    assert (await ask("GET", "reports/structure", params={"clinic": HARBOUR}))["clinic"] == HARBOUR
    verified = await ask("GET", "audit/verify")
    assert verified["ok"] is True

    whole = await export(standing, tmp_path / "all.ndjson")
    file = tmp_path / "old.ndjson"
    await archive(app.store, await app.store.ledger.chains(), app.clock() - HOUR / 2, file, by="ana", now=app.clock())
    left = await export(standing, tmp_path / "left.ndjson")
    assert 0 < len(left) < len(whole) + 2
    assert (await ask("GET", "audit/verify"))["ok"] is True
    (tmp_path / "both.ndjson").write_bytes(file.read_bytes() + (tmp_path / "left.ndjson").read_bytes())
    command = [sys.executable, "-I", str(VERIFIER), str(tmp_path / "both.ndjson")]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout

    world.advance(timedelta(days=500))
    forgotten = await forget_old(app)
    assert forgotten.runs >= 4
    assert forgotten.documents > 4
    assert (await ask("GET", "decisions", params={"clinic": HARBOUR}))["items"]


async def export(standing: Standing, file: Path) -> list[str]:
    """Every record, in a file as it is exported."""
    lines = [f"{export_line(each)}\n" async for some in await standing.app.store.ledger.export() for each in some]
    await asyncio.to_thread(file.write_text, "".join(lines), encoding="utf-8")
    return lines

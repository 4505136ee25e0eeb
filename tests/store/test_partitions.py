"""What the handbook says about months of decisions is done, word by word, on a database that has some."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import inspect, make_url, text

from service.core.errors import StoreError
from service.store.database import Database
from service.store.decisions import Wanted
from service.store.store import Store
from tests.container.dockerfile import REPOSITORY
from tests.store.backends import execute, on_postgresql
from tests.store.samples import CLINIC, HOUR, NOW, decision, inputs, outcome

HANDBOOK = (REPOSITORY / "docs" / "database.md").read_text("utf-8")
SECTION = HANDBOOK[HANDBOOK.index("## Partitions") : HANDBOOK.index("## Retention and vacuum")]
BEFOREHAND, CHANGE, AWAY = re.findall(r"```sql\n(.*?)```", SECTION, re.DOTALL)

NEXT = datetime(2027, 1, 5, tzinfo=UTC)
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass('decision') ORDER BY 1"
UNATTACHED = """
    SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'decision'::regclass AND NOT i.indisvalid
"""


ASTRAY = """
    INSERT INTO decision (id, run, clinic, campaign, platform, verdict, reason, changed, at, body)
    VALUES ('x', 'nowhere', 'c', 'c', 'meta', 'keep', 'held', false, '{}', '')
"""
"""A decision of a run that is not there."""


def done(url: str, statements: str) -> None:
    """Each statement by itself, as in psql."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";\n")):
            connection.execute(statement.encode())


async def indexes(url: str) -> dict[str, list[str | None]]:
    database = Database(url)
    async with database.reading() as conn:
        found = await conn.run_sync(lambda sync: inspect(sync).get_indexes("decision"))
    await database.aclose()
    return {str(each["name"]): each["column_names"] for each in found}


async def asked(url: str, query: str) -> list[str]:
    database = Database(url)
    async with database.reading() as conn:
        found = list(await conn.scalars(text(query)))
    await database.aclose()
    return found


async def record(store: Store, fence: int, run: str, at: datetime) -> None:
    made = tuple(decision(f"{run}-{n}", run, at=at) for n in range(3))
    await store.runs.begin(run, CLINIC, NOW)
    await store.runs.record(inputs(run), outcome(run, decisions=made), fence)


@on_postgresql
async def test_decisions_are_put_into_months_as_the_handbook_says(store: Store, fence: int, url: str) -> None:
    await record(store, fence, "old", NOW)
    before = await indexes(url)
    done(url, BEFOREHAND)
    done(url, CHANGE)
    assert await indexes(url) == before | {"ix_decision_id": ["id"]}
    assert await asked(url, UNATTACHED) == []
    assert await asked(url, PARTS) == ["decision_2027_01", "decision_2027_02", "decision_until"]
    await record(store, fence, "new", NEXT)
    assert await asked(url, "SELECT id FROM decision_2027_01 ORDER BY 1") == ["new-0", "new-1", "new-2"]
    assert (await store.decisions.decision("old-1")).at == NOW
    page = await store.decisions.decisions(Wanted(clinics=(CLINIC,)), limit=4)
    assert [each.id for each in page.items] == ["new-2", "new-1", "new-0", "old-2"]
    assert (await store.migrate()).before is not None
    with pytest.raises(StoreError, match="no partition of relation"):
        await record(store, fence, "later", NEXT + 24 * 90 * HOUR)
    for part in ("2026-11-05", "2027-01-05"):
        with pytest.raises(StoreError, match="fk_decision_run"):
            await execute(url, ASTRAY.format(part))
    done(url, AWAY)
    assert await asked(url, PARTS) == ["decision_2027_02", "decision_until"]
    assert await asked(url, "SELECT id FROM decision ORDER BY 1") == ["old-0", "old-1", "old-2"]

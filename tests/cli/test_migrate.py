"""`governor migrate`: one line, an exit status, and any number of them at once."""

from __future__ import annotations

import asyncio
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres
from tests.cli.called import governor
from tests.store.backends import execute


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty database is."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/governor.db"
    else:
        with postgres.database(postgres.EMPTY) as found:
            yield found


async def migrate(url: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(governor, "migrate", cwd=cwd, GOVERNOR_DATABASE_URL=url)


async def test_of_four_at_once_one_migrates_and_the_others_find_it_done(url: str, tmp_path: Path) -> None:
    found = await asyncio.gather(*(migrate(url, tmp_path) for _ in range(4)))
    assert [(each.returncode, each.stderr) for each in found] == [(0, "")] * 4
    said = Counter(each.stdout.partition(" revision ")[0] for each in found)
    assert said == {"the database went from empty to": 1, "the database is up to date:": 3}


async def test_a_database_of_a_later_version_is_refused(url: str, tmp_path: Path) -> None:
    await migrate(url, tmp_path)
    await execute(url, "UPDATE alembic_version SET version_num = '9999'")
    found = await migrate(url, tmp_path)
    assert (found.returncode, found.stdout) == (1, "")
    assert "a later version has been at work on it" in found.stderr


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("postgresql+psycopg://me:s3cret@127.0.0.1:1/db", 1, "Connection refused"),
        ("postgres://me:s3cret@host/db", 2, "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"),
        ("postgresql+psycopg://me:s3cret@host:x/db", 2, "port is no number"),
    ],
)
async def test_what_is_wrong_is_said_without_the_password(url: str, status: int, says: str, tmp_path: Path) -> None:
    found = await migrate(url, tmp_path)
    assert (found.returncode, found.stdout) == (status, "")
    assert says in found.stderr
    assert "s3cret" not in found.stderr
    assert "Traceback" not in found.stderr

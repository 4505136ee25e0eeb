"""The last good revision of a rule file stays in force, whatever happens to the file."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service import revisions
from service.core.errors import InputError, NotFoundError, RuleFileError
from service.revisions import governed, in_force
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check
from service.store.store import Store
from tests.support import RULES

NOW = datetime(2026, 11, 23, tzinfo=UTC)
CLINIC = "harbour-physio"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store.open(f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}")
    await store.migrate()
    yield store
    await store.aclose()


@pytest.fixture
def directory(tmp_path: Path) -> RuleDirectory:
    shutil.copytree(RULES, tmp_path / "rules")
    return RuleDirectory(tmp_path / "rules")


async def kinds(store: Store) -> list[str]:
    return [record.kind for record in (await store.ledger.records(chains=[CLINIC], newest_first=False)).items]


async def test_a_bad_edit_is_refused_whole_recorded_once_and_mended_by_the_next_good_one(
    store: Store, directory: RuleDirectory
) -> None:
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    first = await in_force(store, directory, CLINIC, NOW)
    file.write_text(good[: len(good) // 2], "utf-8")  # saved half-way
    for hour in range(3):
        kept = await in_force(store, directory, CLINIC, NOW + timedelta(hours=hour))
        assert kept.rules == first.rules
        assert f"{CLINIC}.yaml:" in kept.problem
    file.write_text(good.replace("95%", "96%"), "utf-8")
    mended = await in_force(store, directory, CLINIC, NOW + timedelta(hours=4))
    assert (mended.problem, mended.rules.digest == first.rules.digest) == ("", False)
    assert await kinds(store) == ["rules.loaded", "rules.rejected", "rules.loaded"]


@pytest.mark.parametrize("gone", ["the file", "the directory"])
async def test_what_disappears_from_disk_stays_in_force(store: Store, directory: RuleDirectory, gone: str) -> None:
    first = await in_force(store, directory, CLINIC, NOW)
    if gone == "the file":
        (directory.path / f"{CLINIC}.yaml").unlink()
    else:
        shutil.rmtree(directory.path)
    kept = await in_force(store, directory, CLINIC, NOW)
    assert kept.rules == first.rules
    assert kept.problem
    assert CLINIC in await governed(store, directory)


async def test_without_any_good_revision_what_is_wrong_is_raised(store: Store, directory: RuleDirectory) -> None:
    (directory.path / f"{CLINIC}.yaml").write_text("version: 1\n", "utf-8")
    with pytest.raises(RuleFileError):
        await in_force(store, directory, CLINIC, NOW)
    with pytest.raises(NotFoundError):
        await in_force(store, directory, "no-such-clinic", NOW)
    shutil.rmtree(directory.path)
    with pytest.raises(InputError):
        await governed(store, directory)


async def test_a_file_saved_half_way_never_takes_effect_although_it_would_load(store: Store, directory: RuleDirectory) -> None:
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    await in_force(store, directory, CLINIC, NOW)
    whole, rules = good.replace("95%", "96%"), good.index("rules:") + len("rules:")
    half = whole[: whole.index("  - name: Cancellation cluster", rules)]
    assert len(check(half, f"{CLINIC}.yaml").rules) == 1

    async def save() -> None:
        file.write_text(half, "utf-8")
        await asyncio.sleep(0.5)
        file.write_text(whole, "utf-8")

    saving = asyncio.create_task(save())
    await asyncio.sleep(0.1)
    found = await in_force(store, directory, CLINIC, NOW)
    await saving
    assert (found.problem, found.text) == ("", (await in_force(store, directory, CLINIC, NOW)).text)
    assert len(found.rules.rules) > 1
    assert await kinds(store) == ["rules.loaded", "rules.loaded"]


async def test_a_file_that_is_written_to_without_end_leaves_the_rules_as_they_were(
    store: Store, directory: RuleDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await in_force(store, directory, CLINIC, NOW)
    file = directory.path / f"{CLINIC}.yaml"
    file.write_text(file.read_text("utf-8").replace("95%", "96%"), "utf-8")
    monkeypatch.setattr(revisions, "SETTLED", 3600.0)
    monkeypatch.setattr(revisions, "PATIENCE", 0)
    kept = await in_force(store, directory, CLINIC, NOW)
    assert (kept.rules, "being written to" in kept.problem) == (first.rules, True)

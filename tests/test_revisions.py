"""The last good revision of a rule file stays in force, whatever happens to the file."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service import revisions
from service.core.errors import InputError, NotFoundError, RuleFileError
from service.revisions import governed, in_force, look_over
from service.rulefiles.directory import LoadedFile, RuleDirectory
from service.rulefiles.source import Source, check
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
    return RuleDirectory(tmp_path / "rules", timedelta(0))


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


# --- half of a file -------------------------------------------------------------------------------------------------------

SETTLE = timedelta(seconds=0.2)


def half_of(text: str) -> str:
    """A good file with a rule or two of all."""
    return text[: text.index("  - name: Ladder", text.index("rules:") + len("rules:"))]


@pytest.fixture
def slow(directory: RuleDirectory) -> RuleDirectory:
    """The directory as a service sees it that waits for files to be saved."""
    return RuleDirectory(directory.path, SETTLE)


def write(file: Path, text: str, ahead: float) -> None:
    """Write a file on a file server whose clock is so many seconds ahead of ours."""
    file.write_text(text, "utf-8")
    os.utime(file, (time.time() + ahead,) * 2)


async def saved_in_two_writes(file: Path, text: str, ahead: float) -> None:
    """As by an editor that pauses in the middle."""
    write(file, half_of(text), ahead)
    await asyncio.sleep(SETTLE.total_seconds() / 2)
    write(file, text, ahead)


@pytest.mark.parametrize("ahead", [0, 3600, -3600], ids=["right", "ahead", "behind"])
@pytest.mark.parametrize("first", [True, False], ids=["the first file ever", "an edit"])
@pytest.mark.sampled(2)
async def test_a_file_saved_half_way_never_takes_effect_although_it_would_load(
    store: Store, slow: RuleDirectory, ahead: float, first: bool
) -> None:
    file = slow.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    assert len(check(half_of(good), f"{CLINIC}.yaml").rules) < len(check(good, f"{CLINIC}.yaml").rules)
    if not first:
        await in_force(store, slow, CLINIC, NOW)
    whole = good.replace("95%", "96%")
    saving = asyncio.create_task(saved_in_two_writes(file, whole, ahead))
    await asyncio.sleep(0.01)
    found = await in_force(store, slow, CLINIC, NOW)
    await saving
    assert (found.problem, found.text) == ("", whole)
    assert await kinds(store) == ["rules.loaded"] * (1 if first else 2)


async def test_what_was_looked_at_twice_is_what_takes_effect(store: Store, slow: RuleDirectory) -> None:
    """Somebody begins to write just as the file has been read for the second time."""
    file = slow.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")

    class Overtaken(RuleDirectory):
        def loaded(self, source: Source) -> LoadedFile:
            file.write_text(half_of(good), "utf-8")
            return super().loaded(source)

    assert (await in_force(store, Overtaken(slow.path, SETTLE), CLINIC, NOW)).text == good


async def test_half_of_the_file_in_force_is_refused_however_long_it_stands(store: Store, directory: RuleDirectory) -> None:
    """A disk is full, or an editor was killed: nobody will write the other half."""
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    first = await in_force(store, directory, CLINIC, NOW)
    file.write_text(half_of(good), "utf-8")
    for hour in range(3):
        kept = await in_force(store, directory, CLINIC, NOW + timedelta(hours=hour))
        assert kept.rules == first.rules
    assert f"{CLINIC}.yaml:{len(half_of(good).splitlines())}: the file breaks off here" in kept.problem
    assert await kinds(store) == ["rules.loaded", "rules.rejected"]
    file.write_text("# physio has no ladder any more\n" + half_of(good), "utf-8")
    meant = await in_force(store, directory, CLINIC, NOW + timedelta(hours=4))
    assert (meant.problem, len(meant.rules.rules) < len(first.rules.rules)) == ("", True)


async def test_half_of_a_pack_in_force_is_refused_too(store: Store, directory: RuleDirectory) -> None:
    file, pack = directory.path / f"{CLINIC}.yaml", directory.path / "packs" / "full-diary.yaml"
    file.write_text(file.read_text("utf-8").replace("\nservices:", "\npacks: [full-diary]\n\nservices:"), "utf-8")
    first = await in_force(store, directory, CLINIC, NOW)
    whole = pack.read_text("utf-8")
    pack.write_text(whole[: whole.index("  - name: Nearly full")], "utf-8")
    kept = await in_force(store, directory, CLINIC, NOW)
    assert (kept.rules, "full-diary.yaml:" in kept.problem) == (first.rules, True)
    assert "goes on with “- name: Nearly full”" in kept.problem


async def test_blanks_and_comments_at_the_end_may_go(store: Store, directory: RuleDirectory) -> None:
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8").rstrip("\n")
    file.write_text(f"{good}\n\n# to do: a rule for Christmas\n", "utf-8")
    await in_force(store, directory, CLINIC, NOW)
    file.write_text(good, "utf-8")
    found = await in_force(store, directory, CLINIC, NOW)
    assert (found.problem, found.text) == ("", good)


async def test_a_file_that_is_written_to_without_end_leaves_the_rules_as_they_were(
    store: Store, directory: RuleDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "PATIENCE", 3)
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    first = await in_force(store, directory, CLINIC, NOW)

    class Restless(RuleDirectory):
        def look(self, clinic: str) -> tuple[Source, timedelta]:
            file.write_text(f"{good}# {time.monotonic()}\n", "utf-8")
            return super().look(clinic)

    kept = await in_force(store, Restless(directory.path, timedelta(milliseconds=1)), CLINIC, NOW)
    assert (kept.rules, "being written to" in kept.problem) == (first.rules, True)


async def test_a_file_that_is_taken_back_while_another_process_puts_it_in_force_is_recorded_again(
    store: Store, directory: RuleDirectory, slow: RuleDirectory
) -> None:
    file = directory.path / f"{CLINIC}.yaml"
    good = file.read_text("utf-8")
    first = await in_force(store, directory, CLINIC, NOW)
    file.write_text(good.replace("95%", "96%"), "utf-8")
    here = asyncio.create_task(in_force(store, slow, CLINIC, NOW))  # it waits until the file has stood for a while
    await asyncio.sleep(SETTLE.total_seconds() / 3)
    await in_force(store, directory, CLINIC, NOW)
    file.write_text(good, "utf-8")
    assert (await here).rules == first.rules
    kept = await store.rules.rules_in_force(CLINIC)
    assert kept is not None
    assert kept.rules == first.rules
    assert await kinds(store) == ["rules.loaded"] * 3


async def test_many_new_files_are_waited_for_together(slow: RuleDirectory) -> None:
    text = (slow.path / f"{CLINIC}.yaml").read_text("utf-8")
    clinics = [f"clinic-{n}" for n in range(6)]
    for clinic in clinics:
        (slow.path / f"{clinic}.yaml").write_text(text.replace(f"clinic: {CLINIC}", f"clinic: {clinic}"), "utf-8")
    look_over(slow, [*clinics, "gone"])
    await asyncio.sleep(SETTLE.total_seconds())
    assert [clinic for clinic in clinics if slow.look(clinic)[1] < slow.settle] == []

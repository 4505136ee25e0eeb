"""`rules check` against the stored state: what an edit would do to the clinic as its newest run saw it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.rules import rules
from service.core.decide.model import RunInputs, RunOutcome
from service.rulefiles.directory import RuleDirectory
from service.sandbox.scene import HARBOUR
from service.store.leases import TERM
from service.store.store import Store
from tests.core.decide.test_left import paused
from tests.support import RULES


@pytest.fixture(scope="module")
def history() -> list[tuple[RunInputs, RunOutcome]]:
    """Runs after which both physiotherapy campaigns are paused by a latched rule, and one more."""
    clinic = paused()
    clinic.run()
    return clinic.outcomes


async def keep(url: str, history: list[tuple[RunInputs, RunOutcome]]) -> None:
    store = Store.open(url)
    await store.migrate()
    in_force = RuleDirectory(RULES).load(HARBOUR)
    await store.rules.save_rules(HARBOUR, in_force.digest, in_force.text, in_force.rules, history[0][0].now)
    for inputs, outcome in history:
        fence = await store.leases.acquire(HARBOUR, "test", TERM, inputs.now)
        assert fence is not None
        await store.runs.begin(inputs.run, HARBOUR, inputs.now)
        await store.runs.record(inputs, outcome, fence)
        await store.runs.finish(inputs.run, "finished", {}, inputs.now)
        await store.leases.release(HARBOUR, fence)
    for name, standing in history[-1][1].standings.items():
        await store.memory.set_standing(HARBOUR, name, standing)
    await store.aclose()


@pytest.fixture
def folder(tmp_path: Path, history: list[tuple[RunInputs, RunOutcome]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped rule files and the database of those runs."""
    shutil.copytree(RULES, tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOVERNOR_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}")
    asyncio.run(keep(f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}", history))
    return tmp_path


def edit(folder: Path, old: str, new: str) -> None:
    file = folder / "rules" / f"{HARBOUR}.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ["check", *arguments], catch_exceptions=False)


@pytest.mark.usefixtures("folder")
def test_the_file_in_force_changes_nothing() -> None:
    result = check()
    assert (result.exit_code, result.stderr) == (0, "")
    assert all(": fine." in line for line in result.stdout.splitlines())


def test_half_of_the_file_in_force_is_warned_of(folder: Path) -> None:
    file = folder / "rules" / f"{HARBOUR}.yaml"
    text = file.read_text("utf-8")
    half = text[: text.index("  - name: Fill podiatry")]
    file.write_text(half, "utf-8")
    file.with_name(f"{HARBOUR}.test.yaml").unlink()
    result = check(f"rules/{HARBOUR}.yaml")
    assert result.exit_code == 0
    assert f"warning: rules/harbour-physio.yaml:{len(half.splitlines())}: the file breaks off here" in result.stderr


def test_an_edit_says_what_it_resumes_and_what_is_forgotten(folder: Path) -> None:
    edit(folder, "when: {utilisation: {at_least: 95%}, days", "when: {utilisation: {at_least: 101%}, days")
    assert check().exit_code == 2
    edit(folder, "{at_least: 101%}", "{at_least: 100%}")
    edit(folder, "- name: Booked solid", "- name: Sold out")
    result = check(f"rules/{HARBOUR}.yaml")
    assert "harbour-physio: forgets that “Booked solid” is on for physio since " in result.stdout


def test_a_name_that_cliniko_does_not_have_is_a_warning_at_its_line(folder: Path) -> None:
    edit(folder, "[Initial podiatry consultation]", "[Initial podiatri consultation]")
    result = check()
    line = (
        "warning: rules/harbour-physio.yaml:22: Cliniko has no appointment type `Initial podiatri consultation`; did you mean"
    )
    assert result.exit_code == 0
    assert line in result.stderr


def test_offline_looks_at_the_files_alone(folder: Path) -> None:
    edit(folder, "- name: Booked solid", "- name: Sold out")
    assert "forgets" in check().stdout
    assert "forgets" not in check("--offline").stdout


def test_a_database_that_cannot_be_read_is_no_fault_of_a_file(folder: Path) -> None:
    (folder / "governor.db").write_bytes(b"nonsense" * 1000)
    result = check()
    assert result.exit_code == 0
    assert "what the files would change is not known: the database refused" in result.stderr


def test_without_a_database_nothing_is_made(folder: Path) -> None:
    for file in folder.glob("governor.db*"):
        file.unlink()
    assert check().exit_code == 0
    assert not list(folder.glob("governor.db*"))

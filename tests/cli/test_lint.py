"""`governor rules lint` as a manager meets it: what is found, at which file and line, and the exit status."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.rules import rules
from service.sandbox.scene import HARBOUR, scene
from tests.support import RULES, Governed, shipped
from tests.test_rehearsing import keep

FILE = f"rules/{HARBOUR}.yaml"
PACK = "rules/packs/full-diary.yaml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped rule files, and no database yet."""
    shutil.copytree(RULES, tmp_path / "rules")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOVERNOR_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}")
    return tmp_path


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(rules, ["lint", *arguments], catch_exceptions=False)


def edit(file: str, old: str, new: str) -> int:
    """Replace something in a file; the line it was on."""
    text = Path(file).read_text("utf-8")
    assert text.count(old) == 1
    Path(file).write_text(text.replace(old, new), "utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.usefixtures("folder")
def test_nothing_is_found_in_the_shipped_files() -> None:
    result = lint()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{PACK}: nothing found in 2 rules",
        f"{FILE}: nothing found in 5 rules for 4 campaigns",
        "rules/northside-allied.yaml: nothing found in 2 rules for 2 campaigns",
    ]


@pytest.mark.usefixtures("folder")
def test_what_is_found_is_told_at_its_line_and_the_exit_status_is_1() -> None:
    edit(FILE, "{below: 73%}", "{below: 50%}")
    line = edit(FILE, "when: {utilisation: {above: 85%}}", "when: {utilisation: {above: 55%}}")
    result = lint(FILE)
    found = (
        f"{FILE}:{line - 2}: opposite-wishes: “Podiatry nearly full” wants 60% of base and “Fill podiatry” (line {line - 8}), "
        "which stands above it and goes by the same measures, wants 130% of base: their conditions overlap; move the "
        "thresholds apart, so that no situation satisfies both"
    )
    assert (result.exit_code, result.stdout.splitlines()) == (1, [found])


@pytest.mark.usefixtures("folder")
def test_findings_are_in_the_order_of_files_and_lines() -> None:
    lines = [edit(FILE, "within: 14d, margin: 20%", "within: 14d"), edit(FILE, "{below: 60%}", "{below: 0%}")]
    result = lint()
    assert [line.split(": ")[:2] for line in result.stdout.splitlines() if line.startswith(f"{FILE}:")] == [
        [f"{FILE}:{lines[0]}", "margin-within-swing"],
        [f"{FILE}:{lines[1]}", "when-never-holds"],
    ]


@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_read_is_2_and_the_others_are_looked_at_all_the_same() -> None:
    line = edit("rules/northside-allied.yaml", "at_least: 97%", "at_least: 97")
    edit(FILE, "{below: 60%}", "{below: 0%}")
    result = lint()
    assert result.exit_code == 2
    assert f"rules/northside-allied.yaml:{line}: utilisation is a percentage; write 97%" in result.stderr
    assert "when-never-holds" in result.stdout


# --- packs --------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_what_is_wrong_with_a_pack_is_told_once_at_its_own_line() -> None:
    edit(FILE, "notify: [marketing]  ", "packs: [full-diary]\nnotify: [marketing]  ")
    line = edit(PACK, "within: 14d, margin: 16%", "within: 14d, margin: 1%")
    found = (
        f"{PACK}:{line}: margin-within-swing: the ladder of “Nearly full” has a margin of 1%, and utilisation over 14 days "
        "must be expected to move by 5% within a day; write margin: 5%, or more"
    )
    result = lint()
    assert result.exit_code == 1
    assert [text for text in result.stdout.splitlines() if "margin-within-swing" in text] == [found]


@pytest.mark.usefixtures("folder")
def test_an_own_rule_in_the_way_of_a_packs_is_told_in_the_clinics_file() -> None:
    edit(FILE, "notify: [marketing]  ", "packs: [full-diary]\nnotify: [marketing]  ")
    Path(FILE).write_text(Path(FILE).read_text("utf-8").partition("rules:\n")[0] + OWN, "utf-8")
    last = len(Path(FILE).read_text("utf-8").splitlines())
    found = lint(FILE).stdout.splitlines()
    assert [line.split("”")[0] for line in found] == [
        f"{FILE}:{last}: raise-above-pause: “Booked solid",
        f"{FILE}:{last}: never-reached: “Nearly full",
    ]
    assert found[0].endswith("always matches and may raise; give “Worth” a `when` that excludes it")
    assert found[1].endswith("give the file's rule the name “Nearly full” to put it in the pack's place, or narrow “Worth”")


OWN = """\
rules:
  - {name: Worth, then: {budget: {cost_per_booking: 45.00}}}
"""


# --- what the database knows --------------------------------------------------------------------------------------------


def limited(folder: Path) -> None:
    """A database with one run of Harbour, whose account shows one start at a time."""
    clinic = Governed(scene(), shipped(HARBOUR))
    clinic.world.clinics[HARBOUR].settings.segment_cap = 1
    clinic.run()
    asyncio.run(keep(f"sqlite+aiosqlite:///{folder / 'governor.db'}", clinic.outcomes))


def test_what_booking_limits_hide_is_told_where_the_database_knows_the_clinic(folder: Path) -> None:
    limited(folder)
    line = Path(FILE).read_text("utf-8").partition("when: {utilisation: {below: 60%}}")[0].count("\n") + 1
    result = lint()
    assert result.exit_code == 1
    assert (
        f"{FILE}:{line}: unprovable: the booking limits put `when` of “Fill podiatry” out of reach for podiatry"
        in result.stdout
    )
    assert lint("--offline").exit_code == 0


def test_a_database_that_cannot_be_read_is_no_fault_of_a_file(folder: Path) -> None:
    (folder / "governor.db").write_bytes(b"nonsense" * 1000)
    result = lint()
    assert result.exit_code == 0
    assert "what was observed of the clinics is not known: the database refused" in result.stderr


def test_without_a_database_nothing_is_made(folder: Path) -> None:
    assert lint().exit_code == 0
    assert not list(folder.glob("governor.db*"))

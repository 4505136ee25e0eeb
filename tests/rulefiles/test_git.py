"""A rule file in a git work tree carries the commit it is of; everywhere else it has none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from service.rulefiles.directory import RuleDirectory
from tests.rulefiles.mistakes import RULES
from tests.rulefiles.test_packs import FIRST, listing

CLINIC = "harbour-physio"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Mo", "-c", "user.email=mo@clinic.example", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout.strip()  # noqa: S603 - fixed words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A work tree with the shipped rule files, committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    shutil.copytree(RULES, tmp_path / "rules")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "first")
    return tmp_path / "rules"


def commit(folder: Path, message: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def revision(folder: Path) -> str:
    return RuleDirectory(folder).load(CLINIC).rules.revision


def test_it_is_the_newest_commit_that_changed_the_file(folder: Path) -> None:
    first = git(folder, "rev-parse", "HEAD")
    (folder / "northside-allied.yaml").write_text("other", "utf-8")
    assert commit(folder, "another clinic") != first
    assert revision(folder) == first


def test_an_edit_that_is_not_committed_has_none_until_it_is(folder: Path) -> None:
    file = folder / f"{CLINIC}.yaml"
    file.write_text(file.read_text("utf-8") + "# edited\n", "utf-8")
    directory = RuleDirectory(folder)
    assert directory.load(CLINIC).rules.revision == ""
    second = commit(folder, "an edit")
    assert directory.load(CLINIC).rules.revision == second


def test_a_pack_is_part_of_it(folder: Path) -> None:
    (folder / "packs" / "first.yaml").write_text(FIRST, "utf-8")
    (folder / f"{CLINIC}.yaml").write_text(listing("first"), "utf-8")
    commit(folder, "a pack")
    (folder / "packs" / "first.yaml").write_text(FIRST.replace("20%", "25%"), "utf-8")
    assert revision(folder) == ""
    assert revision(folder) != commit(folder, "the pack edited") == revision(folder)


def test_outside_of_git_there_is_none(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    assert revision(tmp_path / "rules") == ""


def test_without_the_command_there_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert revision(folder) == ""

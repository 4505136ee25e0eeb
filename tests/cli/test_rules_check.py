"""`governor rules check` as a manager meets it: what it says besides what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.rules import rules
from service.rulefiles.swallowed import swallowed
from tests.support import RULES

FILE, PACK = Path("rules/harbour-physio.yaml"), Path("rules/packs/full-diary.yaml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the shipped rule files, without their tests."""
    shutil.copytree(RULES, tmp_path / "rules", ignore=shutil.ignore_patterns("*.test.yaml"))
    monkeypatch.chdir(tmp_path)


def check(command: str = "check") -> Result:
    return CliRunner().invoke(rules, [command, "--offline"], catch_exceptions=False)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_a_file_that_nobody_reads_is_told() -> None:
    FILE.with_name("quay.yml").write_text("version: 1\n", "utf-8")
    PACK.with_suffix(".yml").write_text("version: 1\n", "utf-8")
    result = check()
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "warning: rules/packs/full-diary.yml is never read: rule files end in .yaml; rename it to full-diary.yaml",
        "warning: rules/quay.yml is never read: rule files end in .yaml; rename it to quay.yaml",
    ]


def test_a_name_that_a_comment_cuts_short_is_told() -> None:
    edit(FILE, "name: Booked solid", "name: Booked #solid")
    result = check()
    assert result.exit_code == 0
    assert '`#solid` is a comment, so the name is `Booked`; write "Booked #solid"' in result.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [("  - name: Booked #solid", True), ("name: Harbour  #1", True), ("  - name: Booked solid  # a comment", False),
     ('  - name: "Booked #solid"', False), ("  - name: Booked#solid", False), ("    notify: marketing #now", False)],
)  # fmt: skip
def test_only_what_may_be_part_of_a_name_is_told(line: str, *, told: bool) -> None:
    assert [problem.line for problem in swallowed(f"\n{line}\n", "x.yaml")] == [2] * told


@pytest.mark.parametrize("command", ["check", "lint"])
def test_what_is_wrong_with_a_pack_is_told_once_however_many_list_it(command: str) -> None:
    for file in (FILE, FILE.with_name("northside-allied.yaml")):
        edit(file, "notify: [marketing]", "notify: [marketing]\npacks: [full-diary]")
    edit(PACK, "utilisation: {at_least", "utilization: {at_least")
    result = check(command)
    assert result.exit_code == 2
    assert result.stderr.count("there is no metric `utilization`") == 1

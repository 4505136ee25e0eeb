"""`governor rules test` as a manager meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.rulefiles.directory import RuleDirectory
from tests.cli.called import governor
from tests.cli.test_cli import HARBOUR
from tests.support import RULES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RULES, tmp_path / "rules")
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


def test_the_shipped_files_pass_their_tests_which_try_every_branch() -> None:
    result = governor("rules", "test", "--cover", "100", "--json", cwd=RULES.parent)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["files"]
    assert [Path(each["file"]).stem for each in found] == ["harbour-physio", "northside-allied", "full-diary"]
    assert [(each["coverage"]["percent"], each["coverage"]["rules_without_test"]) for each in found] == [(100, [])] * 3
    assert all(result["passed"] and (result["checks"] or result["notices"]) for each in found for result in each["results"])


def test_a_changed_rule_fails_with_what_was_expected_what_came_and_why(folder: Path) -> None:
    edit(folder / "rules" / "harbour-physio.yaml", "when: {utilisation: {at_least: 95%}", "when: {utilisation: {at_least: 96%}")
    result = governor("rules", "test", "rules/harbour-physio.yaml", cwd=folder)
    assert (result.returncode, result.stderr) == (1, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    first = lines.index("FAIL  Physio is paused from 95% on, if the next opening is three days off (line 19)")
    assert lines[first + 2] == "expected  physio-search: pause, by “Booked solid”"
    assert lines[first + 3] == "got       physio-search: budget floor, 10.00 AUD, by “Ladder”, reason rule"
    assert "utilisation over 14 days               95%  at least 96%  false" in lines
    assert "6 of 26 fail; 31 of 38 branches covered (81%)" in result.stdout


def test_a_failure_is_data_too(folder: Path) -> None:
    edit(
        folder / "rules" / "harbour-physio.test.yaml",
        "{budget: 60%, rule: Podiatry nearly full}",
        "{budget: 50%, rule: Ladder}",
    )
    result = governor("rules", "test", "rules/harbour-physio.test.yaml", "--json", cwd=folder)
    assert result.returncode == 1
    (report,) = json.loads(result.stdout)["files"]
    (failed,) = [each for each in report["results"] if not each["passed"]]
    check = failed["checks"][0]
    assert (failed["name"], check["campaign"], check["wrong"]) == (
        "Podiatry spends less above 85%", "podiatry-search", ["budget", "rule"],
    )  # fmt: skip
    assert (check["expected"], check["got"]) == (
        "budget 50%, 15.00 AUD, by “Ladder”", "budget 60%, 18.00 AUD, by “Podiatry nearly full”, reason rule",
    )  # fmt: skip


def test_what_is_not_tried_is_listed_and_fails_where_more_is_asked_for(folder: Path) -> None:
    tests = folder / "rules" / "northside-allied.test.yaml"
    tests.write_text(tests.read_text("utf-8").partition("  # --- Booked solid ---")[0], "utf-8")
    result = governor("rules", "test", "rules/northside-allied.yaml", cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    assert "  not tried: “Booked solid” ends\n" in result.stdout
    assert "  not tried: “Ladder” step above 92%\n" in result.stdout
    asked = governor("rules", "test", "rules/northside-allied.yaml", "--cover", "80", cwd=folder)
    assert (asked.returncode, "its tests cover" in asked.stderr, "not 80%" in asked.stderr) == (1, True, True)


def test_a_rule_that_no_test_is_about_is_named(folder: Path) -> None:
    rules = folder / "rules" / "harbour-physio.yaml"
    edit(rules, "guardrails:\n", "  - {name: Quiet, service: physio, then: {budget: 90%}}\nguardrails:\n")
    result = governor("rules", "test", "rules/harbour-physio.yaml", cwd=folder)
    assert result.returncode == 0
    assert "  no test of “Quiet”: it decides in none\n" in result.stdout


def test_a_file_without_tests_is_named_and_is_no_failure_unless_coverage_is_asked_for(folder: Path) -> None:
    (folder / "rules" / "harbour-physio.test.yaml").unlink()
    result = governor("rules", "test", cwd=folder)
    assert result.returncode == 0
    assert "rules/harbour-physio.yaml: no tests; write them in rules/harbour-physio.test.yaml" in result.stdout
    assert governor("rules", "test", "--cover", "1", cwd=folder).returncode == 1


def test_tests_about_no_file_and_rules_that_do_not_exist_are_refused(folder: Path) -> None:
    (folder / "rules" / "harbour.test.yaml").write_text("clinic: harbour\n")
    for command in (["test"], ["check", "--offline"]):
        stray = governor("rules", *command, cwd=folder)
        assert stray.returncode == 2
        assert "rules/harbour.test.yaml is about harbour.yaml, which does not exist" in stray.stderr
    (folder / "rules" / "harbour.test.yaml").unlink()
    edit(folder / "rules" / "harbour-physio.yaml", "name: Fill podiatry", "name: Fill the feet")
    for command in (["test"], ["check", "--offline"]):
        result = governor("rules", *command, cwd=folder)
        assert result.returncode == 2
        assert "harbour-physio.test.yaml:102: there is no rule `Fill podiatry`; the rules are " in result.stderr, result.stderr
        assert "Traceback" not in result.stderr


def test_problems_of_several_files_are_told_together(folder: Path) -> None:
    edit(folder / "rules" / "harbour-physio.test.yaml", "clinic: harbour-physio", "clinic: harbour")
    edit(folder / "rules" / "northside-allied.yaml", "at_least: 97%", "at_least: 97")
    result = governor("rules", "test", cwd=folder)
    assert result.returncode == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "rules/harbour-physio.test.yaml", "rules/northside-allied.yaml",
    ]  # fmt: skip


def test_a_pack_is_tested_without_a_clinic(folder: Path) -> None:
    result = governor("rules", "test", "rules/packs/full-diary.yaml", cwd=folder)
    assert (result.returncode, "all 11 pass; 18 of 18 branches covered (100%)" in result.stdout) == (0, True)
    edit(folder / "rules" / "packs" / "full-diary.yaml", "budget: 60%", "budget: 70%")
    changed = governor("rules", "test", cwd=folder)
    assert changed.returncode == 1
    assert "expected  any-campaign: budget 60%, 60.00 AUD" in changed.stdout


def test_rules_of_a_pack_count_for_the_pack_and_may_be_tested_with_a_clinic(folder: Path) -> None:
    (folder / "rules" / "packs" / "late.yaml").write_text(
        "version: 1\npack: late\nrules: [{name: Late, when: {slots_opened: {at_least: 9}}, then: pause}]\n"
    )
    edit(folder / "rules" / "northside-allied.yaml", "notify: [marketing]", "notify: [marketing]\npacks: [late]")
    asked = governor("rules", "test", "rules/northside-allied.yaml", cwd=folder)
    assert (asked.returncode, "the rule “Late” asks for slots opened" in asked.stderr) == (2, True)
    edit(folder / "rules" / "northside-allied.test.yaml", "next_opening: 0}", "next_opening: 0, slots_opened: 0}")
    result = governor("rules", "test", "rules/northside-allied.yaml", cwd=folder)
    assert (result.returncode, "all 11 pass; 19 of 19 branches covered" in result.stdout) == (0, True)


def test_test_files_are_neither_clinics_nor_packs(folder: Path) -> None:
    directory = RuleDirectory(folder / "rules")
    assert directory.clinics() == ["harbour-physio", "northside-allied"]
    assert list(directory.packs()) == ["full-diary"]
    assert "rules/harbour-physio.test.yaml: fine. 26 tests" in governor("rules", "check", "--offline", cwd=folder).stdout
    missing = governor("rules", "check", "--offline", "rules/harbour-fysio.test.yaml", cwd=folder)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (2, True)


def test_a_bad_rule_file_is_told_once_by_the_check(folder: Path) -> None:
    (folder / "rules" / "harbour-physio.yaml").write_text(HARBOUR.replace("at_least: 95%", "at_least: 95", 1))
    result = governor("rules", "check", "--offline", cwd=folder)
    assert result.returncode == 2
    assert result.stderr.count("harbour-physio") == 1

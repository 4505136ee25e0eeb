"""`governor rules test`: the tests that lie beside rule files, what fails and why, and what they leave untried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from service.cli.rule_files import every_file
from service.core.canonical import canonical
from service.core.errors import InputError, Problem, RuleFileError
from service.core.rules.trial.coverage import Coverage, coverage
from service.core.rules.trial.difference import difference, expected, got
from service.core.rules.trial.model import Check, Result, TrialFile
from service.core.rules.trial.run import run
from service.core.rules.windows import regions
from service.rulefiles.public_holidays import between
from service.rulefiles.trials import Subject, rule_file_of, strays, subject_of, tests_of


@dataclass(frozen=True, slots=True)
class Report:
    """One file's tests, run; `tested` False: it has none."""

    subject: Subject
    tested: bool
    results: tuple[Result, ...]
    coverage: Coverage

    @property
    def failed(self) -> int:
        """How many tests fail."""
        return sum(not result.passed for result in self.results)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--cover", type=click.IntRange(0, 100), default=0, help="Fail where a file's tests cover fewer % of its branches."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def test(files: tuple[Path, ...], cover: int, *, as_json: bool) -> None:
    """Run the tests of FILES (rule files, packs or their tests; all of the rule directory, if none is named).

    The tests of rules/CLINIC.yaml are in rules/CLINIC.test.yaml: given metrics, what must the rules want?
    """
    reports = _reports(files)
    if as_json:
        click.echo(canonical({"files": [_data(report) for report in reports]}))
    else:
        click.echo("\n\n".join("\n".join(_lines(report)) for report in reports))
    low = [report for report in reports if report.coverage.percent < cover]
    for report in low:
        click.echo(f"{report.subject.file}: its tests cover {report.coverage.percent}% of its branches, not {cover}%", err=True)
    if low or any(report.failed for report in reports):
        raise click.exceptions.Exit(1)


def _reports(files: tuple[Path, ...]) -> list[Report]:
    """What came of every file's tests; `RuleFileError` with the problems of all files where one is bad."""
    found: list[Report] = []
    problems: list[Problem] = []
    named = tuple(dict.fromkeys(map(rule_file_of, files))) or every_file()
    if not files:
        refuse_strays(named[0].parent)
    for file in named:
        try:
            subject = subject_of(file)
            found.append(tried(subject, tests_of(subject)))
        except RuleFileError as error:
            problems += error.problems
    if problems:
        raise RuleFileError(tuple(problems))
    return found


def refuse_strays(directory: Path) -> None:
    """Tests about no file are never run, and nobody would notice: `InputError`."""
    lost = strays(directory)
    if lost:
        listed = "; ".join(f"{file} is about {rule_file_of(file).name}, which does not exist" for file in lost)
        raise InputError(f"{listed}: rename or remove it")


def tried(subject: Subject, tests: TrialFile | None) -> Report:
    """Run a file's tests."""
    trials = () if tests is None else tests.trials
    named = regions(subject.rules)
    results = tuple(run(trial, subject.rules, between(trial.begins, trial.ends, named)) for trial in trials)
    return Report(subject, tests is not None, results, coverage(subject.own, results))


# --- on a terminal ------------------------------------------------------------------------------------------------------


def _lines(report: Report) -> Iterator[str]:
    if not report.tested:
        yield f"{report.subject.file}: no tests; write them in {report.subject.tests}"
        return
    yield f"{report.subject.tests}"
    for result in report.results:
        yield _line(result)
        yield from (f"        {line}" for line in difference(result, report.subject.rules))
    yield _summary(report)
    yield from _untried(report.coverage)


def _line(result: Result) -> str:
    if result.passed:
        return f"  pass  {result.trial.name}"
    return click.style(f"  FAIL  {result.trial.name} (line {result.trial.line})", fg="red", bold=True)


def _summary(report: Report) -> str:
    found, count = report.coverage, len(report.results)
    fails = f"{report.failed} of {count} fail" if report.failed else f"all {count} pass" if count != 1 else "it passes"
    return f"  {fails}; {found.covered} of {len(found.branches)} branches covered ({found.percent}%)"


def _untried(found: Coverage) -> Iterator[str]:
    for name in found.untested:
        yield f"  no test of “{name}”: it decides in none"
    for branch in found.missed:
        if branch.rule not in found.untested:
            yield f"  not tried: “{branch.rule}” {branch.way}"


# --- for programs -------------------------------------------------------------------------------------------------------


def _data(report: Report) -> dict[str, object]:
    found = report.coverage
    return {
        "file": str(report.subject.file),
        "tests": str(report.subject.tests) if report.tested else None,
        "results": [_result(result, report.subject) for result in report.results],
        "coverage": {
            "branches": len(found.branches),
            "covered": found.covered,
            "percent": found.percent,
            "missed": [asdict(branch) for branch in found.missed],
            "rules_without_test": found.untested,
        },
    }


def _result(result: Result, subject: Subject) -> dict[str, object]:
    return {
        "name": result.trial.name,
        "line": result.trial.line,
        "passed": result.passed,
        "checks": [_check(check, subject) for check in result.checks],
        "notices": [
            {"line": each.line, "expected": sorted(each.expected), "got": sorted(each.got), "passed": each.expected == each.got}
            for each in result.notices
        ],
    }


def _check(check: Check, subject: Subject) -> dict[str, object]:
    entry = subject.rules.campaigns[check.expectation.campaign]
    return {
        "campaign": entry.name,
        "stage": check.expectation.stage.value,
        "line": check.expectation.line,
        "after_hours": check.after.total_seconds() / 3600,
        "expected": expected(check.expectation, entry, subject.rules.currency),
        "got": got(check.got, entry, subject.rules.currency),
        "sentence": check.got.sentence,
        "passed": not check.wrong,
        "wrong": check.wrong,
    }

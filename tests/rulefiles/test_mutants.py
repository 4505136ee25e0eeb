"""The tests of the shipped files notice when somebody changes a rule: at least 95% of every small change there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest

from service.core.errors import RuleFileError
from service.core.rules.tree import Node
from service.core.rules.trial.run import run
from service.core.rules.trial.shape import read
from service.rulefiles.source import tree
from service.rulefiles.trials import Subject, subject_of
from tests.rulefiles.mutants import mutants
from tests.support import RULES

SHIPPED = [RULES / "harbour-physio.yaml", RULES / "northside-allied.yaml", RULES / "packs" / "full-diary.yaml"]

REFUSED = "the tests no longer fit"


@dataclass
class Score:
    """What tests noticed: changes made by kind, those for which the tests no longer fit, and those that nobody noticed."""

    made: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def noticed(self) -> float:
        return 1 - len(self.missed) / self.made.total()

    @property
    def failing(self) -> float:
        """The share noticed of those that the tests still fit: only there is a decision checked."""
        return 1 - len(self.missed) / (self.made.total() - self.refused)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.made.most_common())
        return (
            f"{self.noticed:.1%} of {self.made.total()} changes noticed; of {self.refused} the tests say that they do not fit, "
            f"of the others {self.failing:.1%} fail a test\n"
            f"changes: {kinds}\nnot noticed: {'; '.join(self.missed)}"
        )


def noticed(subject: Subject, tests: Node) -> str | None:
    """By what a file's tests notice that it is not as it was: the first one that fails, or that they no longer fit."""
    try:
        trials = read(tests, subject.rules, file=str(subject.tests), pack=subject.pack).trials
    except RuleFileError:
        return REFUSED
    quick = sorted(trials, key=lambda trial: trial.ends - trial.begins)
    return next((trial.name for trial in quick if not run(trial, subject.rules, {}).passed), None)


def scored(files: Iterable[Path], every: int = 1) -> Score:
    """The mutants of some files, or one out of so many of them, against the tests beside them."""
    score = Score()
    for file in files:
        tests, _ = tree(subject_of(file).tests.read_text("utf-8"), file.name)
        assert tests is not None
        for mutant in islice(mutants(file), 0, None, every):
            score.made[mutant.kind] += 1
            by = noticed(mutant.subject, tests)
            score.refused += by is REFUSED
            if by is None:
                score.missed.append(f"{file.stem}, {mutant.kind}: {mutant.what}")
    return score


@pytest.mark.parametrize("every", [pytest.param(4, id="a quarter"), pytest.param(1, id="all", marks=pytest.mark.soak)])
def test_the_tests_of_the_shipped_files_notice_nineteen_changes_in_twenty(every: int) -> None:
    score = scored(SHIPPED, every)
    assert score.noticed >= 0.95, score
    assert score.failing >= 0.95, score


def test_every_kind_of_change_is_made_to_the_shipped_files() -> None:
    made = Counter(mutant.kind for file in SHIPPED for mutant in mutants(file))
    assert made.keys() >= {"threshold", "comparator", "action", "order", "for", "until", "margin", "junction", "condition"}
    assert made.total() > 200

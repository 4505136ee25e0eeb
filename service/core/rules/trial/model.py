"""A test file as types, and what came of its tests. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.core.decide.model import Reading
from service.core.model import Reason, State, Verdict
from service.core.rules.evaluate import Considered
from service.core.rules.language import Amount, Measure, NamedBudget, Percent, Rule
from service.core.rules.trial.words import Outcome, Stage, Start

Budget = Percent | NamedBudget | Amount

Readings = Mapping[str, Mapping[Measure, Reading]]
"""What is given, by service; a service that is not in it is not known about."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a step is given. `unreadable`: Cliniko cannot be read, whatever is given."""

    readings: Readings = field(default_factory=dict)
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one campaign is expected to come to; None: that is not what the test is about."""

    campaign: str
    stage: Stage
    line: int
    then: Outcome | Budget | None = None
    rule: str | None = None
    reason: Reason | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Something given for so long, looked at hourly, and what is expected at the end of it.

    `notices` are the rules that must have told somebody by then, all of them; None: that is not what the step is about.
    """

    given: Given
    lasts: timedelta
    expected: tuple[Expectation, ...]
    notices: frozenset[str] | None
    line: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One test. `begins` is on the clinic's clock, taken for UTC; campaigns that `starts` does not name run at base."""

    name: str
    line: int
    begins: datetime
    starts: Mapping[str, Start | Budget]
    steps: tuple[Step, ...]

    @property
    def ends(self) -> datetime:
        """The last moment that is looked at."""
        gaps = timedelta(hours=len(self.steps) - 1)
        return self.begins + gaps + sum((step.lasts for step in self.steps), timedelta(0))


@dataclass(frozen=True, slots=True)
class TrialFile:
    """A checked test file; `file` is its path for messages."""

    file: str
    trials: tuple[Trial, ...]


# --- what came of it ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Got:
    """What a campaign came to, at one of the two stages; `state` None: nobody can tell, so nothing moves."""

    state: State | None
    rule: str | None
    reason: Reason
    sentence: str
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation held against what came; `after` is the time since the test began, `wrong` names the keys that differ.

    `asked` are the campaign's rules down to the one that decided, each with what it came to.
    """

    expectation: Expectation
    after: timedelta
    got: Got
    wrong: tuple[str, ...]
    asked: tuple[tuple[Rule, Considered], ...]


@dataclass(frozen=True, slots=True)
class NoticeCheck:
    """The rules expected to tell somebody, and those that did."""

    line: int
    after: timedelta
    expected: frozenset[str]
    got: frozenset[str]


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the ways that a rule can go, in words; what each test went is counted by these."""

    rule: str
    way: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test. `went` are the branches that its expectations rest on."""

    trial: Trial
    checks: tuple[Check, ...]
    notices: tuple[NoticeCheck, ...]
    went: frozenset[Branch]

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not any(check.wrong for check in self.checks) and all(each.expected == each.got for each in self.notices)

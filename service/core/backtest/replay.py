"""The period, a moment after the other, for every file at once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service.core.backtest.course import Course
from service.core.backtest.model import Candidate, Comparison, Moment, Report, Setting
from service.core.backtest.seeing import Seeing, asks_what_is_expected
from service.core.backtest.tallies import Stretch
from service.core.decide.model import RunOutcome
from service.core.doubt import LONG
from service.core.engine import clinic_zone
from service.core.memo import Memo
from service.core.metrics import BASELINE_SLACK
from service.core.model import Diaries, Snapshot, Unreadable
from service.core.sighting import Sighting


@dataclass(slots=True, repr=False)  # asyncio asks for the repr of what a task gave, and all readings take minutes to write out
class Replay:
    """Some rule files of one clinic; what is seen is shared by those that ask the same of the same services."""

    candidates: Sequence[Candidate]
    setting: Setting
    runs: int = 0
    unreadable: int = 0
    hours: float = 0.0
    zone: str = "UTC"
    _courses: list[tuple[Course, Seeing]] = field(init=False)
    _seeings: list[Seeing] = field(default_factory=list)
    _past: list[tuple[Sighting, Snapshot]] = field(default_factory=list)
    _memo: Memo = field(default_factory=Memo)
    _last: datetime | None = None
    _unreadable_since: datetime | None = None
    _apart: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self._courses = [(Course(each.rules, self.setting), self._seeing(each)) for each in self.candidates]

    def recall(self, moment: Moment) -> None:
        """Take in a reading from before the period: it is there to be compared with, and nothing is decided on it."""
        self._remember(moment, self._sighting(moment))

    def see(self, moment: Moment) -> tuple[RunOutcome, ...]:
        """Take in a moment of the period, later than all before; the outcome of each file's run."""
        if self._last is not None:
            self._pass(Stretch.between(self._last, moment.at, self.setting))
        self._last, self.runs = moment.at, self.runs + 1
        self.unreadable += isinstance(moment.diaries, Unreadable)
        present = self._sighting(moment)
        for seeing in self._seeings:
            seeing.look(moment.at, present, [sighting for sighting, _ in self._past])
        outcomes = tuple(self._run(course, seeing, moment) for course, seeing in self._courses)
        self._remember(moment, present)
        return outcomes

    def reports(self) -> tuple[Report, ...]:
        """What each file would have done, up to the last moment seen."""
        return tuple(course.report(self.zone, self.runs, self.unreadable, self.hours) for course, _ in self._courses)

    def comparison(self) -> Comparison:
        """The first two files, side by side."""
        this, that = self.reports()[:2]
        common = [name for name in this.campaigns if name in that.campaigns]
        return Comparison(this, that, {name: round(self._apart[name], 2) for name in common})

    def _seeing(self, candidate: Candidate) -> Seeing:
        """Files that ask the same of the same services share what is seen."""
        found = next((seeing for seeing in self._seeings if seeing.serves(candidate.rules)), None)
        if found is None:
            found = Seeing.of(candidate.rules)
            self._seeings.append(found)
        if asks_what_is_expected(candidate.rules):
            found.expect(candidate.looks)
        return found

    def _run(self, course: Course, seeing: Seeing, moment: Moment) -> RunOutcome:
        past = [snapshot for _, snapshot in reversed(self._past)]
        self.zone = clinic_zone((Snapshot(course.rules.clinic, moment.at, moment.diaries, {}), *past))
        if seeing.now is None:
            raise ValueError("a file's services are seen before it decides")
        return course.run(moment, seeing.now, tuple(past), self._unreadable_since)

    def _pass(self, stretch: Stretch) -> None:
        self.hours += stretch.hours
        for course, _ in self._courses:
            course.passed(stretch)
        if len(self._courses) > 1:
            this, that = (course.campaigns for course, _ in self._courses[:2])
            for name, campaign in this.items():
                if name in that and that[name].state != campaign.state:
                    self._apart[name] += stretch.hours

    # --- what is remembered ---------------------------------------------------------------------------------------------

    def _sighting(self, moment: Moment) -> Sighting | None:
        self._memo.trim()
        return Sighting(moment.at, moment.diaries, self._memo) if isinstance(moment.diaries, Diaries) else None

    def _remember(self, moment: Moment, seen: Sighting | None) -> None:
        """Keep what later runs may compare with, and the newest reading whatever its age."""
        if seen is None:
            self._unreadable_since = self._unreadable_since or moment.at
            return
        self._unreadable_since = None
        oldest = moment.at - max(back for seeing in self._seeings for back in seeing.backs) - BASELINE_SLACK - LONG
        clinic = self.candidates[0].rules.clinic
        before = [each for each in self._past if each[0].at < oldest]
        self._past = [*before[-1:], *self._past[len(before) :], (seen, Snapshot(clinic, moment.at, seen.diaries, {}))]

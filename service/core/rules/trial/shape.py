"""From a positioned tree to the tests it states, for the rule set that they are about.

Accepted whole or refused whole, as rule files are: with everything that is wrong, where, and what to write instead. A metric
that a rule asks for and a test does not give is such a mistake, because nobody could say what the test means. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.core.errors import Problem
from service.core.rules.currencies import DECIMALS
from service.core.rules.fields import Fields, FlawError, Parse, Problems, absent, did_you_mean, items, near
from service.core.rules.language import Measure, RuleSet
from service.core.rules.limits import DURATIONS
from service.core.rules.tree import Mapping, Node, quoted
from service.core.rules.trial.expected import Names, expectations, starts
from service.core.rules.trial.given import Asked, given, written_as
from service.core.rules.trial.model import Expectation, Given, Step, Trial, TrialFile
from service.core.rules.trial.words import FILE, PACK_FILE, STAGES, STEP, TEST, Stage
from service.core.rules.values import DAY, duration, listed, scalar, slug, text
from service.core.rules.vocabulary import DAYS
from service.core.rules.wording import measure as said

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
"""The week of tests that name only a weekday: one without a public holiday in it anywhere that matters."""

MORNING = MONDAY + timedelta(hours=9)

SERIES = ("given", "for", *STAGES)


@dataclass(frozen=True, slots=True)
class _About:
    """What the tests are about."""

    names: Names
    asked: Asked
    problems: Problems


def read(tree: Node, rules: RuleSet, *, file: str, known: Sequence[Problem] = (), pack: str | None = None) -> TrialFile:
    """The tests that a file states for `rules`, those of a clinic or of `pack`; `RuleFileError` with every problem."""
    problems = Problems(file, known)
    if not isinstance(tree, Mapping):
        message = "the file is empty" if absent(tree) else "a test file is a mapping of keys"
        problems.add(tree.line, message, "start with `clinic:` and `tests:`; rules/README.md shows a whole file")
        problems.refuse_if_any()
    about = _About(Names(rules, DECIMALS.get(rules.currency, 2)), Asked.by(rules), problems)
    fields = Fields(tree, FILE if pack is None else PACK_FILE, problems)
    head, subject = ("clinic", rules.clinic) if pack is None else ("pack", pack)
    fields.read(head, _same(subject), "")
    ordinary = _given(fields, Given(), about)
    example = "`- name: ...` and its keys below it"
    listed_tests = fields.node("tests")
    nodes = () if listed_tests is None else problems.attempt(lambda n, w: items(n, w, example), listed_tests, "`tests`", ())
    trials = tuple(_trial(node, ordinary, about) for node in nodes)
    _check_names(trials, problems)
    if not problems.found:
        _check_given(trials, about)
    problems.refuse_if_any()
    return TrialFile(file, trials)


def _same(subject: str) -> Parse[str]:
    def parse(node: Node, what: str) -> str:
        value = slug(node, what)
        if value != subject:
            raise FlawError(node, f"{what} is {quoted(value)} in the tests of {subject}", f"write {subject}")
        return value

    return parse


def _check_names(trials: Sequence[Trial], problems: Problems) -> None:
    first: dict[str, int] = {}
    for trial in trials:
        line = first.setdefault(trial.name.casefold(), trial.line)
        if trial.name and line != trial.line:
            problems.add(
                trial.line, f"two tests are named {quoted(trial.name)}, the first on line {line}", "rename one of them"
            )


# --- one test -----------------------------------------------------------------------------------------------------------


def _trial(node: Node, ordinary: Given, about: _About) -> Trial:
    fields = Fields(node, TEST, about.problems)
    begun = fields.node("campaigns")
    return Trial(
        name=fields.read("name", text, "", "a test's name"),
        line=node.line,
        begins=fields.read("at", moment, MORNING),
        starts=starts(begun, about.names, about.problems) if begun else {},
        steps=_steps(node, fields, ordinary, about),
    )


def _steps(node: Node, fields: Fields, ordinary: Given, about: _About) -> tuple[Step, ...]:
    series, wrong = fields.node("series"), len(about.problems.found)
    if series is None:
        steps = [_step(node.line, fields, ordinary, about)]
    else:
        for key in SERIES:
            if key in fields and key != "given":
                fields.flaw(key, f"`{key}` cannot go with `series`", "write it in a step of the series")
        steps = [*_series(series, _given(fields, ordinary, about), about)]
    if len(about.problems.found) == wrong and not any(step.expected or step.notices is not None for step in steps):
        about.problems.add(node.line, "this test expects nothing", "add `expect:`")
    return tuple(steps)


def _series(node: Node, before: Given, about: _About) -> Iterator[Step]:
    example = "`- given: ...` and its keys below it"
    for item in about.problems.attempt(lambda value, what: items(value, what, example), node, "`series`", ()):
        step = _step(item.line, Fields(item, STEP, about.problems), before, about)
        before = step.given
        yield step


def _step(line: int, fields: Fields, before: Given, about: _About) -> Step:
    names = listed(about.names.rule, "[Booked solid]")
    told = fields.node("notices")
    nobody = told is not None and not getattr(told, "items", True)
    return Step(
        given=_given(fields, before, about),
        lasts=fields.read("for", duration(*DURATIONS["a test's for"]), timedelta(0)),
        expected=tuple(_expected(fields, about)),
        notices=frozenset() if nobody else fields.read("notices", lambda n, w: frozenset(names(n, w)), None),
        line=line,
    )


def _given(fields: Fields, before: Given, about: _About) -> Given:
    node = fields.node("given")
    return before if node is None else given(node, before, about.asked, about.problems)


def _expected(fields: Fields, about: _About) -> Iterator[Expectation]:
    for stage in Stage:
        node = fields.node(stage.value)
        if node is not None:
            yield from expectations(node, stage, about.names, about.problems)


def moment(node: Node, what: str) -> datetime:
    """`mon 09:00`, or `2026-12-25 09:00`: a moment on the clinic's clock."""
    value = scalar(node, what, "mon 09:00")
    day, _, clock = value.partition(" ")
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", clock):
        raise FlawError(node, f"{what} cannot be {quoted(value)}", "write mon 09:00, or 2026-12-25 09:00")
    hour, minute = int(clock[:2]), int(clock[3:])
    return _day(node, what, day) + timedelta(hours=hour, minutes=minute)


def _day(node: Node, what: str, day: str) -> datetime:
    if day in DAYS:
        return MONDAY + DAYS.index(day) * DAY
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        guess = near(day[:3], DAYS)
        advice = did_you_mean(guess) if guess else "write mon 09:00, or 2026-12-25 09:00"
        raise FlawError(node, f"{what} has no day {quoted(day)}", advice) from None


# --- what the rules ask and nobody gives --------------------------------------------------------------------------------


def _check_given(trials: Sequence[Trial], about: _About) -> None:
    """Each metric that a test leaves open is told once, at the first test that does."""
    told: set[tuple[str, Measure]] = set()
    for trial in trials:
        for step in trial.steps:
            for service, measure in _open(step, about):
                if (service, measure) not in told:
                    told.add((service, measure))
                    rule = about.asked.services[service][measure]
                    message = f"the rule “{rule}” asks for {said(measure)} of {service}, and nothing is given"
                    about.problems.add(step.line, message, f"write {written_as(measure)}, or {measure.metric}: missing")


def _open(step: Step, about: _About) -> Iterator[tuple[str, Measure]]:
    """What must be known of the services that are given, and of those that something is expected of."""
    campaigns = about.names.rules.campaigns
    concerned = dict.fromkeys([*step.given.readings, *(campaigns[each.campaign].service for each in step.expected)])
    if step.given.unreadable:
        return
    for service in concerned:
        for measure in about.asked.services[service]:
            if measure not in step.given.readings.get(service, {}):
                yield service, measure

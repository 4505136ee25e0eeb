"""What a rule comes to over several runs: for, until, bands, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from service.core.decide.model import Reading, RuleState
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason
from service.core.rules.evaluate import Considered, consider
from service.core.rules.language import (
    Action,
    Bands,
    Compare,
    Measure,
    Metric,
    Named,
    NamedBudget,
    Op,
    Pause,
    Percent,
    Rule,
    Step,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
UTILISATION = Measure(Metric.UTILISATION)
FULL = Compare(UTILISATION, Op.AT_LEAST, Decimal(95))
ENDED = Compare(UTILISATION, Op.BELOW, Decimal(88))
Value = float | tuple[float, float] | None
"""Exact, within bounds, or without a value because the clinic is closed."""

YES, NO, MAYBE = ["pause"], ["no match"], ["pause", "no match"]


def reading(value: Value) -> Reading:
    if value is None:
        return Reading(UNBOUNDED, Reason.CLOSED)
    low, high = value if isinstance(value, tuple) else (value, value)
    return Reading(Bounds(None, low, high), None if low == high else Reason.DATA_INCOMPLETE)


def named(action: Action | None) -> str:
    match action:
        case None:
            return "no match"
        case Percent(percent=percent):
            return f"{percent}%"
        case NamedBudget(which=which):
            return which.value
        case _:
            return action.kind


def driven(rule: Rule, values: list[tuple[float, Value]]) -> list[Considered]:
    """The rule at each (hour, utilisation), remembering as it goes."""
    state, found = RuleState(), []
    for hour, value in values:
        found.append(consider(rule, lambda _, seen=value: reading(seen), state, START + hour * HOUR))  # type: ignore[misc] # bound early
        state = found[-1].state
    return found


def outcomes(rule: Rule, values: list[tuple[float, Value]]) -> list[list[str]]:
    return [[named(action) for action in result.outcomes] for result in driven(rule, values)]


def hourly(*values: Value) -> list[tuple[float, Value]]:
    return [(float(hour), value) for hour, value in enumerate(values)]


PLAIN = Rule("Full", (), when=FULL, then=Pause())
WAITS = Rule("Full", (), when=FULL, hold_for=2 * HOUR, then=Pause())
LATCH = Rule("Full", (), when=FULL, until=ENDED, then=Pause())
BOTH = Rule("Full", (), when=FULL, hold_for=2 * HOUR, until=ENDED, then=Pause())
UNSURE = (80.0, 99.0)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        pytest.param(PLAIN, hourly(94, 95, UNSURE), [NO, YES, MAYBE], id="a condition alone"),
        pytest.param(WAITS, hourly(96, 96, 96, 96), [NO, NO, YES, YES], id="for: it must have held this long"),
        pytest.param(WAITS, hourly(96, 94, 96, 96, 96), [NO, NO, NO, NO, YES], id="for: begins again after a break"),
        pytest.param(
            WAITS, [(0, 96), (1, 96), (4.5, 96), (5.5, 96), (6.5, 96)], [NO, NO, MAYBE, MAYBE, YES],
            id="for: begins again after a gap, in which it may have held",
        ),
        pytest.param(WAITS, [(0, 96), (3, 96)], [NO, YES], id="for: three hours are no gap"),
        pytest.param(WAITS, hourly(96, UNSURE, 96, 96, 96), [NO, NO, MAYBE, MAYBE, YES], id="for: an unknown hour may count"),
        pytest.param(WAITS, hourly(UNSURE, UNSURE, UNSURE), [NO, NO, MAYBE], id="for: possibly for two hours"),
        pytest.param(WAITS, hourly(UNSURE, 94, UNSURE, UNSURE), [NO, NO, NO, NO], id="for: not possibly"),
        pytest.param(LATCH, hourly(96, 90, 88, 87, 90), [YES, YES, YES, NO, NO], id="until: stays on until it ends"),
        pytest.param(LATCH, hourly(96, UNSURE, 90, UNSURE), [YES, MAYBE, MAYBE, MAYBE], id="until: it may have ended unseen"),
        pytest.param(LATCH, hourly(96, UNSURE, 90, 96, 90), [YES, MAYBE, MAYBE, YES, YES], id="until: surely on again"),
        pytest.param(LATCH, hourly(96, UNSURE, 90, 80, 90), [YES, MAYBE, MAYBE, NO, NO], id="until: surely ended by now"),
        pytest.param(LATCH, hourly(UNSURE, 90, 87), [MAYBE, MAYBE, NO], id="until: it may have gone on unseen"),
        pytest.param(LATCH, hourly((80.0, 94.0), 90), [NO, NO], id="until: it cannot have gone on"),
        pytest.param(LATCH, hourly(96, (89.0, 99.0), 90), [YES, YES, YES], id="until: it cannot have ended"),
        pytest.param(LATCH, hourly(96, None, 90), [YES, MAYBE, YES], id="until: what has no value turns nothing"),
        pytest.param(BOTH, hourly(UNSURE, UNSURE, UNSURE, 90), [NO, NO, MAYBE, MAYBE], id="for and until: possibly on"),
        pytest.param(BOTH, hourly(UNSURE, UNSURE, 94, 90), [NO, NO, NO, NO], id="for and until: it cannot have lasted"),
        pytest.param(LATCH, [(0, 96), (30, 90)], [YES, YES], id="until: a latch outlasts a gap"),
        pytest.param(BOTH, hourly(96, 96, 96, 90, 87, 96, 96, 96), [NO, NO, YES, YES, NO, NO, NO, YES], id="for and until"),
    ],
)  # fmt: skip
def test_a_rule_over_time(rule: Rule, values: list[tuple[float, Value]], expected: list[list[str]]) -> None:
    assert outcomes(rule, values) == expected


def test_an_unsure_rule_says_why_and_a_latched_one_that_it_is() -> None:
    unsure, latched = driven(LATCH, hourly(UNSURE))[0], driven(LATCH, hourly(96, 90))[1]
    assert (unsure.cause, unsure.latched) == (Reason.DATA_INCOMPLETE, False)
    assert (latched.cause, latched.latched) == (None, True)
    assert latched.state.on_since == START


def test_a_rule_without_a_condition_always_matches() -> None:
    assert outcomes(Rule("Always", (), then=Pause()), hourly(10)) == [YES]


TELL = Rule("Tell", (), when=FULL, notify="marketing")


def test_a_rule_that_only_notifies_never_decides() -> None:
    assert outcomes(TELL, hourly(99)) == [NO]


@pytest.mark.parametrize(
    ("rule", "values", "turned"),
    [
        pytest.param(TELL, hourly(94, 96, 97, 90, 96), [0, 1, 0, 0, 1], id="each time anew"),
        pytest.param(TELL, hourly(96, UNSURE, 96, UNSURE, 90, 96), [1, 0, 0, 0, 0, 1], id="not for what nobody can tell"),
        pytest.param(WAITS, hourly(96, 96, 96, 96), [0, 0, 1, 0], id="once it has held long enough"),
        pytest.param(LATCH, hourly(96, 90, 87, 96), [1, 0, 0, 1], id="not while its latch is on"),
        pytest.param(replace(TELL, until=ENDED), hourly(96, 90, 96, 87, 96), [1, 0, 0, 0, 1], id="a latch that only notifies"),
        pytest.param(replace(TELL, hold_for=HOUR), hourly(96, 96, 96), [0, 1, 0], id="a notice that waits"),
    ],
)
def test_a_rule_turns_true_when_it_matches_and_did_not_before(
    rule: Rule, values: list[tuple[float, Value]], turned: list[int]
) -> None:
    assert [result.turned for result in driven(rule, values)] == [bool(each) for each in turned]


# --- active --------------------------------------------------------------------------------------------------------------


def asleep(rule: Rule, state: RuleState) -> Considered:
    return consider(rule, lambda _: reading(99), state, START + HOUR, awake=False)


@pytest.mark.parametrize(
    "rule", [PLAIN, WAITS, Rule("Always", (), then=Pause()), TELL], ids=["when", "for", "always", "notify"]
)
def test_a_rule_that_is_not_looked_at_does_not_match_and_nothing_lasts(rule: Rule) -> None:
    found = asleep(rule, RuleState(true_since=START, maybe_since=START, seen_at=START, matched=True))
    remembered = RuleState(seen_at=START, matched=True)
    assert (found.outcomes, found.state, found.looks, found.turned) == ((None,), remembered, (), False)


def test_a_latch_that_is_not_looked_at_stays_on() -> None:
    on = RuleState(on_since=START, seen_at=START, matched=True)
    found = asleep(LATCH, on)
    assert (found.outcomes, found.state, found.latched) == ((Pause(),), on, True)


def test_taking_until_out_of_the_file_ends_the_latch() -> None:
    state = driven(LATCH, hourly(96))[0].state
    assert consider(PLAIN, lambda _: reading(90), state, START + HOUR).outcomes == (None,)


# --- bands --------------------------------------------------------------------------------------------------------------

LADDER = Rule(
    "Ladder",
    (),
    bands=Bands(
        UTILISATION,
        Decimal(8),
        (
            Step(Op.AT_LEAST, Decimal(90), NamedBudget(Named.FLOOR)),
            Step(Op.AT_LEAST, Decimal(80), Percent(Decimal(60))),
            Step(Op.AT_LEAST, Decimal(55), Percent(Decimal(100))),
            Step(None, None, Percent(Decimal(130))),
        ),
    ),
)
LOW = Rule("Low", (), bands=Bands(UTILISATION, Decimal(5), (Step(Op.BELOW, Decimal(50), Percent(Decimal(130))),)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([91, 83, 82, 81], ["floor", "floor", "floor", "60%"], id="left only when passed by the margin"),
        pytest.param([81, 89, 90], ["60%", "60%", "floor"], id="a higher step is taken at once"),
        pytest.param([40, 54, 55, 47, 46], ["130%", "130%", "100%", "100%", "130%"], id="the last step and back"),
        pytest.param([91, 60], ["floor", "100%"], id="several steps at once"),
    ],
)
def test_a_ladder_takes_the_first_step_that_holds(values: list[Value], expected: list[str]) -> None:
    assert outcomes(LADDER, hourly(*values)) == [[one] for one in expected]


@pytest.mark.parametrize(
    ("value", "possible"),
    [
        ((79.0, 92.0), ["floor", "60%", "100%"]),
        ((81.0, 92.0), ["floor", "60%"]),
        ((0.0, 100.0), ["floor", "60%", "100%", "130%"]),
        ((56.0, 70.0), ["100%"]),
    ],
)
def test_a_ladder_may_be_on_any_step_the_unobserved_admits(value: Value, possible: list[str]) -> None:
    assert outcomes(LADDER, [(0, value)]) == [possible]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(
            [91, (70.0, 95.0), 83], [["floor"], ["floor", "60%", "100%"], ["floor", "60%"]], id="it may be on any since"
        ),
        pytest.param([91, (70.0, 95.0), 83, 91, 83], [*([],) * 3, ["floor"], ["floor"]], id="until a value settles it"),
        pytest.param([91, (70.0, 95.0), 70], [*([],) * 2, ["100%"]], id="or another"),
        pytest.param([91, (84.0, 95.0), 83], [["floor"]] * 3, id="it cannot have left its step"),
        pytest.param([91, None, 83], [["floor"], [], ["floor"]], id="what has no value turns nothing"),
    ],
)
def test_a_ladder_of_which_nobody_saw_where_it_went_may_be_anywhere_it_can_have_gone(
    values: list[Value], expected: list[list[str]]
) -> None:
    found = outcomes(LADDER, hourly(*values))
    assert [steps for steps, wanted in zip(found, expected, strict=True) if wanted] == [each for each in expected if each]


def test_a_ladder_without_otherwise_may_not_match_and_its_margin_works_upwards_too() -> None:
    assert outcomes(LOW, hourly(60, 49, 54, 55)) == [["no match"], ["130%"], ["130%"], ["no match"]]
    assert outcomes(LOW, hourly((49.0, 60.0))) == [["130%", "no match"]]


def test_the_trace_of_a_ladder_shows_the_files_threshold_and_the_margin_that_held() -> None:
    looks = driven(LADDER, hourly(91, 83))[1].looks
    assert [(look.compare.threshold, look.margin) for look in looks] == [(Decimal(90), Decimal(8))]


def test_a_ladder_remembers_its_step_by_what_it_says_not_by_its_place() -> None:
    """An edit that moves the thresholds must not lend the old step's margin to whatever stands in its place now."""
    before = driven(LADDER, hourly(83))[-1]
    assert before.state.band == "at_least 80"
    bands = LADDER.bands
    assert bands is not None
    steps = (Step(Op.AT_LEAST, Decimal(95), bands.steps[0].action), Step(Op.AT_LEAST, Decimal(85), bands.steps[1].action))
    edited = replace(LADDER, bands=replace(bands, steps=(*steps, *bands.steps[2:])))
    after = consider(edited, lambda _: reading(83), before.state, START + HOUR)
    assert after.outcomes == (bands.steps[2].action,)


def test_what_has_to_last_begins_anew_each_time_the_rule_is_looked_at_again() -> None:
    state, found = RuleState(), []
    for hour in (0, 1, 2, 3, 24, 25, 26):
        if hour == 3:
            state = consider(WAITS, lambda _: reading(99), state, START + hour * HOUR, awake=False).state
            continue
        result = consider(WAITS, lambda _: reading(99), state, START + hour * HOUR)
        state = result.state
        found.append([named(action) for action in result.outcomes])
    assert found == [["no match"], ["no match"], ["pause"], ["no match"], ["no match"], ["pause"]]

"""A tipping point is where the rules, asked again by a whole run, want something else; a step short of it they do not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.core.decide.model import Reading
from service.core.logic import Bounds
from service.core.rules.language import Measure
from service.core.why.model import TippingPoint
from service.core.why.moves import asked, grain, movable, moved, span
from service.core.why.question import HOUR
from service.core.why.tipping import tipping
from tests.core.why.made import ONE, Made, exact_at, made, value_of


def at(run: Made, measure: Measure, change: Decimal) -> Made:
    """The run with one metric `change` higher; an exact reading is made anew, without the code under test."""
    before, room = run.readings[measure], span(measure, lambda asked: run.readings.get(asked, Reading(Bounds.exactly(0))))
    value = value_of(measure, before)
    if value is None:
        return run.reading(measure, moved(measure, before, change, room))
    then = min(max(Decimal(repr(float(value))) + change, Decimal(0)), Decimal(repr(room.high)))
    return run.reading(measure, exact_at(measure, then))


def short_of(point: TippingPoint) -> Decimal:
    return point.change - grain(point.measure).copy_sign(point.change)


def holds_at_and_not_short_of(run: Made, point: TippingPoint) -> None:
    now, hours = run.wish(), point.lasting // HOUR
    there, short = at(run, point.measure, point.change), at(run, point.measure, short_of(point))
    assert there.wish(hours) == (point.target or run.in_force) != now
    assert [short.wish(hour) for hour in range(hours + 1)] == [now] * (hours + 1)
    assert [there.wish(hour) for hour in range(hours)] == [now] * hours


@given(run=made())
def test_at_every_tipping_point_the_rules_want_something_else_and_a_step_short_of_it_they_do_not(run: Made) -> None:
    found = tipping(run.inputs, run.outlook(), ONE)
    assert found is not None
    for point in found.points:
        holds_at_and_not_short_of(run, point)
    if found.in_time is not None:
        hours = found.in_time.after // HOUR
        assert [run.wish(hour) for hour in range(hours)] == [run.wish()] * hours
        assert run.wish(hours) == (found.in_time.target or run.in_force) != run.wish()


@settings(max_examples=15)
@given(run=made(), data=st.data())
def test_no_smaller_change_of_a_metric_turns_what_the_rules_want(run: Made, data: st.DataObject) -> None:
    nothing_nearer(run, data, 300)


@pytest.mark.soak
@settings(max_examples=200)
@given(run=made(), data=st.data())
def test_no_smaller_change_of_many_metrics_turns_what_the_rules_want(run: Made, data: st.DataObject) -> None:
    nothing_nearer(run, data, 1200)


def nothing_nearer(run: Made, data: st.DataObject, most: int) -> None:
    """Every step of one metric in one direction, up to the point that was found or to `most` steps."""
    rules = [rule for rule in run.inputs.rules.rules if ONE in rule.campaigns]
    room = {each: span(each, lambda asked: run.readings.get(asked, Reading(Bounds.exactly(0)))) for each in asked(rules)}
    levers = [each for each in room if movable(run.readings[each], room[each])]
    assume(levers)
    measure, sign = data.draw(st.sampled_from(levers)), data.draw(st.sampled_from([-1, 1]))
    points = (tipping(run.inputs, run.outlook(), ONE) or pytest.fail("no answer")).points
    nearest = next((p for p in points if p.measure == measure and p.change * sign > 0), None)
    step, now = grain(measure), run.wish()
    steps = most if nearest is None else int(abs(nearest.change) / step)
    for n in range(1, min(steps, most)):
        assert at(run, measure, sign * n * step).wish() == now


@given(run=made(), data=st.data())
def test_a_metric_that_would_decide_once_known_does_whatever_it_is(run: Made, data: st.DataObject) -> None:
    found = tipping(run.inputs, run.outlook(), ONE)
    assert found is not None
    for known in found.once_known:
        room = span(known.measure, lambda asked: run.readings.get(asked, Reading(Bounds.exactly(0))))
        bounds = known.reading.bounds
        low, high = max(bounds.low, room.low), min(bounds.high, room.high, bounds.low + 300 if bounds.low >= 0 else 300)
        steps = data.draw(st.integers(0, int((Decimal(repr(high)) - Decimal(repr(low))) / grain(known.measure))))
        value = Decimal(repr(low)) + steps * grain(known.measure)
        assert run.proposal().target is None
        assert run.reading(known.measure, exact_at(known.measure, value)).proposal().target in known.targets

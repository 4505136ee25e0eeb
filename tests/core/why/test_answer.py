"""What is behind a stored decision, from its run's inputs alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.core.decide.model import Decision, Reading, RunInputs
from service.core.engine import decide
from service.core.metrics import Ask
from service.core.model import State
from service.core.outlook import outlook
from service.core.rules.language import Measure
from service.core.why.answer import answered
from service.core.why.model import Part
from service.core.why.question import HOUR
from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from tests.support import Governed, shipped


@pytest.fixture(scope="module", params=[HARBOUR, NORTHSIDE])
def lived(request: pytest.FixtureRequest) -> list[tuple[RunInputs, tuple[Decision, ...]]]:
    """Thirty hours of a shipped file on the demonstration's world, sold out after six of them."""
    clinic = Governed(scene(), shipped(request.param))
    for hour in range(30):
        if hour == 6:
            clinic.world.book_out(request.param, list(clinic.world.clinics[request.param].types), days=14)
        clinic.run()
        clinic.world.advance(HOUR)
    return [(inputs, outcome.decisions) for inputs, outcome in clinic.outcomes[::3]]


def reads(known: Ask, measure: Measure, value: Reading) -> Ask:
    return lambda asked: value if asked == measure else known(asked)


Lived = list[tuple[RunInputs, tuple[Decision, ...]]]


def test_one_rule_decides_as_the_decision_says_and_those_it_overruled_are_named(lived: Lived) -> None:
    for inputs, decisions in lived:
        for decision in decisions:
            answer = answered(inputs, decision)
            assert answer is not None
            parts = {part: [each.rule for each in answer.rules if each.part is part] for part in Part}
            assert parts[Part.DECIDES] == ([decision.rule] if decision.rule else [])
            assert parts[Part.OVERRULED] == list(decision.overruled)


def test_the_tipping_points_of_the_shipped_files_are_there_and_turn_what_the_whole_clinic_is_proposed(lived: Lived) -> None:
    found = 0
    for inputs, decisions in lived[1::2]:
        view = outlook(inputs)
        for decision in decisions:
            answer = answered(inputs, decision)
            assert answer is not None
            here = decision.before
            for point in answer.tipping.points:
                asks = {**view.asks, decision.service: reads(view.asks[decision.service], point.measure, point.after)}
                proposal = decide(inputs, replace(view, asks=asks)).proposals[decision.campaign]
                assert point.lasting or (proposal.target or here) == (point.target or here) != (decision.desired or here)
                found += 1
    assert found > 10


def test_a_decision_that_this_version_would_not_propose_is_not_spoken_for(lived: Lived) -> None:
    inputs, decisions = lived[0]
    other = replace(decisions[0], desired=State(running=True, budget=Decimal("1.23")))
    assert answered(inputs, other) is None

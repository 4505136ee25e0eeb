"""The governor's own budgets move the demand it forecasts: the forecast must not chase its own tail.

Held against the same world in which budgets are only written down and advertising stays at base. Feedback may not make
budgets swing wider or turn much more often, the second four weeks may not swing wider than the first, no day may be answered
by its opposite some days later, and the forecast may not be worse for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from statistics import fmean

import pytest

from tests.benchmarks.demand import AHEAD, World
from tests.benchmarks.kinds import steady
from tests.benchmarks.loop import HISTORY, RUNS_A_DAY, Course, course, reversals, swing, wape

WEEKS = 8
LAGS = range(3, 22)


def world(seed: int, *, season: float) -> World:
    """A small clinic of which half the demand answers to advertising."""
    chance = Random(f"loop/{seed}")  # noqa: S311 - a simulation
    lines = tuple(replace(line, pull=0.5, masked=0) for line in steady(chance).lines[:2])
    phase, days = chance.uniform(0, math.tau), HISTORY + 7 * WEEKS + AHEAD
    mood = tuple(1 + season * math.sin(phase + math.tau * day / 70) for day in range(days))
    return World("answering", seed, lines, mood)


def echo(courses: Sequence[Course]) -> float:
    """The most negative mean correlation of a day's budget with one three to twenty-one days later."""
    found: list[list[float]] = [[] for _ in LAGS]
    for budgets in (each[RUNS_A_DAY - 1 :: RUNS_A_DAY] for one in courses for each in one.budgets.values()):
        mean, whole = fmean(budgets), swing(budgets) * len(budgets)
        for n, lag in enumerate(LAGS):
            pairs = zip(budgets, budgets[lag:], strict=False)
            found[n].append(sum((a - mean) * (b - mean) for a, b in pairs) / whole if whole else 0.0)
    return min(fmean(each) for each in found)


def swings(courses: Sequence[Course], part: slice = slice(None)) -> float:
    """The mean square swing of all budgets over a part of the eight weeks."""
    return fmean(swing(budgets[part]) for one in courses for budgets in one.budgets.values())


def turns(courses: Sequence[Course]) -> float:
    """How often a budget turns in a week."""
    return fmean(reversals(budgets) / WEEKS for one in courses for budgets in one.budgets.values())


def error(courses: Sequence[Course]) -> float:
    """The WAPE of all forecasts."""
    return wape([pair for one in courses for pair in one.forecasts])


def figures(courses: Sequence[Course]) -> str:
    half = RUNS_A_DAY * 7 * WEEKS // 2
    halves = f"{swings(courses, slice(half)):8.4f} {swings(courses, slice(half, None)):8.4f}"
    return f"{halves} {turns(courses):8.2f} {echo(courses):8.2f} {error(courses):8.3f}"


@pytest.mark.parametrize(
    ("clinics", "season", "slack"),
    [
        pytest.param(2, 0.0, 1.4, id="short"),
        pytest.param(24, 0.0, 1.1, id="long", marks=pytest.mark.soak),
        pytest.param(24, 0.4, 1.1, id="long-seasonal", marks=pytest.mark.soak),
    ],
)
def test_the_forecast_does_not_chase_its_own_tail(clinics: int, season: float, slack: float) -> None:
    worlds = [world(seed, season=season) for seed in range(500, 500 + clinics)]
    fixed = [course(each, answered=False) for each in worlds]
    loop = [course(each, answered=True) for each in worlds]
    head = f"{clinics} clinics: swing of weeks 1-4, 5-8, turns a week, echo, WAPE"
    print("", head, f"at base  {figures(fixed)}", f"answered {figures(loop)}", sep="\n")
    half = RUNS_A_DAY * 7 * WEEKS // 2
    assert swings(loop) <= slack * swings(fixed)
    assert swings(loop, slice(half, None)) <= 1.25 * slack * swings(loop, slice(half))
    assert turns(loop) <= 1.25 * slack * turns(fixed)
    assert echo(loop) >= -0.35 * slack
    assert error(loop) <= 1.1 * slack * error(fixed)


@pytest.mark.soak
def test_a_governor_that_answers_a_week_late_and_too_much_is_found_out() -> None:
    worlds = [world(seed, season=0.0) for seed in range(500, 502)]
    fixed = [course(each, answered=False, haste=8, late=7) for each in worlds]
    loop = [course(each, answered=True, haste=8, late=7) for each in worlds]
    print("", f"at base  {figures(fixed)}", f"too late {figures(loop)}", sep="\n")
    assert echo(loop) < -0.35 or swings(loop) > 1.1 * swings(fixed)

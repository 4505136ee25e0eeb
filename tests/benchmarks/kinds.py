"""Kinds of simulated clinics, each unlike what the booking-pace model assumes in a way of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tests.benchmarks.demand import AHEAD, Line, World

DAYS = 90
PROFILE = tuple(0.25 + math.exp(-lead / 4) for lead in range(AHEAD))


def _line(chance: Random, service: str, location: str) -> Line:
    size = chance.choice([5, 8, 10, 14, 18])
    saturday = chance.choice([0, 0, size // 3])
    places = tuple([max(size + chance.randint(-1, 1), 1) for _ in range(5)] + [saturday, 0])
    weights = [chance.uniform(0.6, 2.5) for _ in range(AHEAD)]
    lead = [a * b for a, b in zip(PROFILE, weights, strict=True)]
    pressure = chance.uniform(0.35, 0.85)
    return Line(
        service,
        location,
        places,
        demand=tuple(n * pressure * chance.uniform(0.8, 1.25) for n in places),
        lead=tuple(share / sum(lead) for share in lead),
        asking=tuple(7 * share / 6.0 for share in (1.3, 1.15, 1.0, 0.95, 0.8, 0.5, 0.3)),
        early=chance.uniform(0.05, 0.35),
        cancelling=chance.choice([0.005, 0.01, 0.02, 0.03]),
        burst=chance.choice([1.0, 1.0, 1.3]),
        masked=chance.choice([0, 0, 0, 0, 1, 2]),
    )


def _clinic(chance: Random) -> tuple[Line, ...]:
    services = ["physio", "podiatry", "massage", "pilates"][: chance.randint(2, 4)]
    locations = ["city", "beach"][: chance.randint(1, 2)]
    return tuple(_line(chance, service, location) for service in services for location in locations)


def steady(chance: Random) -> World:
    """Nothing changes but chance."""
    return World("steady", 0, _clinic(chance), (1.0,) * DAYS)


def weekdays(chance: Random) -> World:
    """Some weekdays are wanted three times as much as others, and whole weekdays pass without a request."""
    lines = [
        replace(
            line,
            demand=tuple(n * chance.choice([0.3, 0.6, 0.9, 1.3]) for n in line.places),
            asking=(2.0, 1.6, 1.3, 1.1, 0.9, 0.1, 0.0),
        )
        for line in _clinic(chance)
    ]
    return World("weekdays", 0, tuple(lines), (1.0,) * DAYS)


def seasonal(chance: Random) -> World:
    """Demand swings by up to a half and back over a season."""
    depth, length, phase = chance.uniform(0.2, 0.5), chance.uniform(60, 120), chance.uniform(0, math.tau)
    mood = tuple(1 + depth * math.sin(phase + math.tau * day / length) for day in range(DAYS))
    return World("seasonal", 0, _clinic(chance), mood)


def holidays(chance: Random) -> World:
    """Public holidays, a week closed, practitioners on leave on known days, and quiet weeks around."""
    lines = _clinic(chance)
    shut = chance.randrange(10, 40)
    closed = {chance.randrange(5, DAYS) for _ in range(4)} | set(range(shut, shut + 5))
    mood = tuple(0.7 if shut - 5 <= day < shut + 8 else 1.0 for day in range(DAYS))
    away = {
        (n, day): max(max(line.places) // 3, 1)
        for n, line in enumerate(lines)
        for start in [chance.randrange(DAYS - 5)]
        for day in range(start, start + 5)
    }
    return World("holidays", 0, lines, mood, frozenset(closed), away)


def steps(chance: Random) -> World:
    """Demand jumps or falls from one day to the next, or somebody starts: at the latest a fortnight before day 56."""
    at, factor = chance.randrange(20, 43), chance.choice([0.5, 0.65, 1.5, 1.8])
    lines = _clinic(chance)
    if chance.random() < 0.3:
        staffed = {n: (at, max(max(line.places) // 3, 1)) for n, line in enumerate(lines)}
        return World("steps", 0, lines, (1.0,) * DAYS, staffed=staffed)
    return World("steps", 0, lines, tuple(1.0 if day < at else factor for day in range(DAYS)))


def advertised(chance: Random) -> World:
    """Campaigns that somebody else runs: for one to two weeks at a time, 30% to 80% more demand."""
    mood, factor = list[float](), 1.0
    while len(mood) < DAYS:
        mood += [factor] * chance.randrange(7, 15)
        factor = chance.uniform(1.3, 1.8) if factor == 1.0 else 1.0
    return World("advertised", 0, _clinic(chance), tuple(mood[:DAYS]))


def sparse(chance: Random) -> World:
    """One to three places a day, on some weekdays only."""
    lines = []
    for line in _clinic(chance):
        places = (*(chance.choice([0, 1, 2, 3]) for _ in range(6)), 0)
        lines.append(replace(line, places=places, demand=tuple(n * chance.uniform(0.3, 0.8) for n in places)))
    return World("sparse", 0, tuple(lines), (1.0,) * DAYS)


def gappy(chance: Random) -> World:
    """Looks are missing: single days, and once nine days in a row."""
    start = chance.randrange(10, 45)
    missed = {day for day in range(DAYS) if chance.random() < 0.15} | set(range(start, start + 9))
    return World("gappy", 0, _clinic(chance), (1.0,) * DAYS, missed=frozenset(missed))


def booked_out(chance: Random) -> World:
    """More is asked for than there is; what opens is cancelled appointments."""
    lines = [replace(line, demand=tuple(1.7 * n for n in line.demand), early=0.4, cancelling=0.03) for line in _clinic(chance)]
    return World("booked out", 0, tuple(lines), (1.0,) * DAYS)


def quiet(chance: Random) -> World:
    """Hardly more is booked than cancelled: openings very nearly stay as they are."""
    lines = [
        replace(line, demand=tuple(n * chance.uniform(0.05, 0.2) for n in line.places), cancelling=0.02)
        for line in _clinic(chance)
    ]
    return World("quiet", 0, tuple(lines), (1.0,) * DAYS)


KINDS = (steady, weekdays, seasonal, holidays, steps, advertised, sparse, gappy, booked_out, quiet)


def worlds(count: int, seed: int) -> Iterator[World]:
    """`count` worlds, every kind in turn."""
    for n in range(count):
        chance = Random(f"{seed}/{n}")  # noqa: S311 - a simulation
        yield replace(KINDS[n % len(KINDS)](chance), seed=seed * 100_003 + n)

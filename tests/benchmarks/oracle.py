"""An oracle: it knows how likely every booking and cancellation of a simulated clinic is, those to come included."""

from __future__ import annotations

import math
from itertools import accumulate
from operator import mul

from tests.benchmarks.demand import AHEAD, World


def _masses(mean: float, burst: float, most: int) -> list[float]:
    """The chances of 0 .. `most` - 1 requests, and of `most` or more."""
    if burst > 1 and mean > 0:
        size, share = mean / (burst - 1), 1 - 1 / burst
        steps = [share * (size + n) / (n + 1) for n in range(most - 1)]
        first = burst**-size
    else:
        steps, first = [mean / (n + 1) for n in range(most - 1)], math.exp(-mean)
    exact = list(accumulate(steps, mul, initial=first))
    return [*exact, max(1 - sum(exact), 0.0)]


def _binomials(trials: int, share: float) -> list[float]:
    steps = [(trials - n) / (n + 1) * share / (1 - share) for n in range(trials)]
    return list(accumulate(steps, mul, initial=(1 - share) ** trials))


def oracle(world: World, line: int, day: int) -> list[list[float]]:
    """What `day` will have open when it comes, knowing every rate: [days ahead][openings then] -> expected openings.

    Exact: each local day's cancellations and requests are convolved, from the day itself backwards.
    """
    one, places = world.lines[line], world.places(line, day)
    freed = [_binomials(places - free, one.cancelling) for free in range(places + 1)]
    values, known = [float(n) for n in range(places + 1)], []
    for lead in range(AHEAD):
        if lead > one.masked:
            values = _backwards(values, world.rate(line, day, lead), one.burst, freed)
        known.append(values)
    return known


def _backwards(values: list[float], rate: float, burst: float, freed: list[list[float]]) -> list[float]:
    after = []
    for free in range(len(values)):
        masses = _masses(rate, burst, free) if free else [1.0]
        after.append(sum(map(mul, masses, values[free::-1])))
    return [sum(map(mul, chances, after[free:])) for free, chances in enumerate(freed)]

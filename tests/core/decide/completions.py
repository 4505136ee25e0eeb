"""An hour of which not everything can be seen, and ways in which the truth about it may turn out.

A completion gives every metric one value that its bounds allow: an end, a number at which something changes, one just beside
it, or any. What is known exactly stays, and what has no value (closed, all within the lead time, not sold) has none in truth.
"""

from __future__ import annotations

import math
from random import Random

from service.core.decide.model import Reading
from service.core.logic import UNBOUNDED, Bounds
from service.core.rules.conditions import UNDEFINED
from service.core.rules.language import Measure
from tests.core.decide.hops import A_BIT, Hour, Thresholds, most

MOST_WORTH = 500.0


def completed(seen: Hour, at: Thresholds, chance: Random) -> Hour:
    """One way in which the hour may turn out; often all metrics lean one way, so that extremes meet."""
    lean = chance.choice(["low", "high", "any", "any", "any"])
    readings = {
        service: {measure: _truth(found, measure, at[measure], chance, lean) for measure, found in known.items()}
        for service, known in seen.readings.items()
    }
    return Hour(readings, {name: _worth(found, chance, lean) for name, found in seen.worth.items()})


def _truth(found: Reading, measure: Measure, at: tuple[float, ...], chance: Random, lean: str) -> Reading:
    if found.bounds == UNBOUNDED and found.cause in UNDEFINED:
        return found
    low, high = max(found.bounds.low, 0.0), min(found.bounds.high, max(most(measure), found.bounds.low))
    value = _within(low, high, [mark + by for mark in at for by in (-A_BIT, 0.0, A_BIT)], chance, lean)
    if found.lower is None or found.upper is None:
        return Reading(Bounds.exactly(value))
    down, up = (0.0 if math.isinf(each.low) else each.low - found.bounds.low for each in (found.lower, found.upper))
    return Reading(Bounds.exactly(value), None, Bounds.exactly(value + down), Bounds.exactly(value + up))


def _worth(found: Reading, chance: Random, lean: str) -> Reading:
    if found.cause in UNDEFINED:
        return found
    return Reading(Bounds.exactly(_within(found.bounds.low, min(found.bounds.high, MOST_WORTH), [], chance, lean)))


def _within(low: float, high: float, marks: list[float], chance: Random, lean: str) -> float:
    inside = [mark for mark in marks if low <= mark <= high]
    return {"low": low, "high": high}.get(lean, chance.choice([low, high, chance.uniform(low, high), *inside]))

"""The same conditions for several engines: ours out of a rule file, and as text for engines of plain numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from service.core.decide.model import Reading
from service.core.logic import Bounds
from service.core.rules.language import All, Any, Compare, Condition, Measure, Op, RuleSet
from service.core.rules.walk import measures
from service.rulefiles.source import check

WHENS: dict[str, object] = {
    "Booked solid": {"utilisation": {"at_least": "95%"}, "days_to_next_opening": {"at_least": 3}},
    "Room again": {
        "any": [{"utilisation": {"below": "88%"}}, {"days_to_next_opening": {"at_most": 1}}, {"slots_opened": {"at_least": 5}}]
    },
    "Cancellation cluster": {
        "all": [
            {"slots_opened": {"at_least": 5}},
            {"open_slots": {"at_least": 5, "within": "7d"}},
            {"not": {"full_days": {"above": 6}}},
        ]
    },
    "Slack": {
        "all": [
            {"open_slots": {"at_least": 40}},
            {"any": [{"utilisation": {"below": "60%"}}, {"open_hours": {"above": "50h"}}]},
        ]
    },
    "Quiet, and well seen": {
        "all": [
            {"coverage": {"at_least": "90%"}},
            {"not": {"any": [{"utilisation": {"at_least": "80%"}}, {"full_days": {"at_least": 3}}]}},
        ]
    },
    "Full days": {
        "any": [
            {"all": [{"full_days": {"at_least": 8}}, {"open_slots": {"at_most": 6}}]},
            {"all": [{"days_to_next_opening": {"above": 4}}, {"coverage": {"above": "75%"}}]},
        ]
    },
    "As usual": {"utilisation": {"between": ["55%", "80%"]}, "open_slots": {"above": 3, "within": "7d"}},
    "Not yet empty": {
        "all": [
            {"not": {"coverage": {"below": "50%"}}},
            {"any": [{"not": {"open_hours": {"at_most": "4h"}}}, {"slots_opened": {"above": 2}}]},
        ]
    },
}
"""Eight rules over eight metrics, nested as people nest them."""

SIGNS = {Op.AT_LEAST: ">=", Op.AT_MOST: "<=", Op.ABOVE: ">", Op.BELOW: "<"}


def rules() -> RuleSet:
    """The rule file."""
    campaign = {"platform": "google", "id": "1", "service": "physio", "base_budget": 60, "floor": 10, "ceiling": 120}
    whole = {
        "version": 1,
        "clinic": "riverside",
        "name": "Riverside",
        "currency": "AUD",
        "google_ads": {"customer_id": "345-678-9012"},
        "services": {"physio": {"appointment_types": ["Initial physiotherapy consultation"]}},
        "campaigns": {"physio-search": campaign},
        "rules": [{"name": name, "service": "physio", "when": when, "then": "pause"} for name, when in WHENS.items()],
    }
    return check(json.dumps(whole), "riverside.yaml")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a language of plain numbers writes and, or, not."""

    both: str
    either: str
    no: str

    def written(self, condition: Condition | None) -> str:
        """A condition in that language."""
        match condition:
            case Compare():
                return self._compared(condition)
            case All() | Any():
                sign = self.both if isinstance(condition, All) else self.either
                return "(" + f" {sign} ".join(map(self.written, condition.terms)) + ")"
            case None:
                return "true"
            case _:
                return f"{self.no}({self.written(condition.term)})"

    def _compared(self, condition: Compare) -> str:
        name, low = name_of(condition.measure), float(condition.threshold)
        if condition.upper is None:
            return f"{name} {SIGNS[condition.op]} {low}"
        return f"({name} >= {low} {self.both} {name} <= {float(condition.upper)})"


def name_of(measure: Measure) -> str:
    """A metric with its parameters as the name of a variable."""
    return f"{measure.metric}_{measure.within}"


Numbers = Mapping[str, float]
Readings = Mapping[Measure, Reading]


def observations(file: RuleSet, count: int) -> list[tuple[Readings, Numbers]]:
    """Fully observed metrics around the thresholds, for us and for the others."""
    chance, asked = Random(20261123), list(dict.fromkeys(measures(file)))  # noqa: S311 - a seeded world
    found: list[tuple[Readings, Numbers]] = []
    for _ in range(count):
        values = {each: _value(each, chance) for each in asked}
        numbers = {name_of(each): value for each, value in values.items()}
        found.append(({each: Reading(Bounds.exactly(value)) for each, value in values.items()}, numbers))
    return found


def _value(measure: Measure, chance: Random) -> float:
    most = {"utilisation": 100, "coverage": 100, "open_hours": 80, "open_slots": 60}.get(measure.metric, 12)
    return float(chance.randint(0, most))

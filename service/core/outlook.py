"""From one run's readings to what its rules may ask: the first half of a run's thinking.

    Diaries + history -> capacity -> expectation -> metrics (`Ask`), a forecast per service, what filling it is worth

The second half, `core.engine`, needs no more than an `Outlook`; so rules can be tried on metrics that somebody made up. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial

from service.core.capacity import capacity
from service.core.caveats import caveats
from service.core.decide.model import Caveat, Reading, RunInputs, ServiceForecast
from service.core.decide.proposals import Worth, share_of
from service.core.doubt import RECENT, believed, doubted
from service.core.expectation import expectation, looks, shared
from service.core.logic import Bounds
from service.core.metrics import Ask, Earlier, Seen, asking, forecast
from service.core.model import Diaries, Reason, Unreadable
from service.core.observation import Observation
from service.core.pace import Look, Pace
from service.core.roster import DayNumbers, day_numbers
from service.core.rules.conditions import UNDEFINED
from service.core.rules.language import CampaignEntry, CostPerBooking, Measure, Metric, RuleSet, Service


@dataclass(frozen=True, slots=True)
class Outlook:
    """What rules may ask in one run, by service; what filling a service is worth; and what the readings teach."""

    asks: Mapping[str, Ask]
    worth: Worth
    forecasts: dict[str, ServiceForecast]
    looks: tuple[Look, ...] = ()


def outlook(inputs: RunInputs) -> Outlook:
    """The forecast of every service of the clinic."""
    present, earlier = _observed(inputs)
    views = {name: _seen(service, present, earlier, inputs.pace) for name, service in inputs.rules.services.items()}
    asks = {name: asking(view) for name, view in views.items()}
    worth = _Pricing(inputs.rules, views, asks)
    return Outlook(asks, worth, _forecasts(inputs, present, views, asks), tuple(_looks(inputs, present, views)))


def _observed(inputs: RunInputs) -> tuple[Observation | None, tuple[Observation, ...]]:
    """What this run saw of Cliniko (None: nothing), and what earlier runs did, newest first.

    How days are numbered is settled by all of them together, because a full diary shows no start that would tell.
    """
    earlier = [(each.taken_at, each.diaries) for each in inputs.baselines if isinstance(each.diaries, Diaries)]
    present = inputs.snapshot.diaries
    if isinstance(present, Unreadable):
        return None, tuple(_observations(earlier))
    last = next((diaries for at, diaries in earlier if at >= inputs.now - RECENT), None)
    found = _observations([(inputs.now, believed(present, inputs.now, last)), *earlier])
    return replace(found[0], kept=doubted(present, found[0].diaries)), tuple(found[1:])


def _observations(readings: Sequence[tuple[datetime, Diaries]]) -> list[Observation]:
    numbers = sum((day_numbers(diaries) for _, diaries in readings), DayNumbers())
    return [Observation.of(diaries, at, numbers) for at, diaries in readings]


def _seen(service: Service, present: Observation | None, earlier: tuple[Observation, ...], pace: Pace) -> Seen | Reason:
    if present is None:
        return Reason.CLINIKO_UNREADABLE
    before = (Earlier(each.now, cache(partial(capacity, each, service))) for each in earlier)
    found = capacity(present, service)
    return Seen(present.now, found, expectation(present, found, pace), tuple(before))


def _looks(inputs: RunInputs, present: Observation | None, views: Mapping[str, Seen | Reason]) -> Iterator[Look]:
    """What today's first whole look has to teach."""
    for view in views.values():
        if present is not None and isinstance(view, Seen):
            yield from looks(present, view.capacity, view.expects, inputs.looked)


def _forecasts(
    inputs: RunInputs, present: Observation | None, views: Mapping[str, Seen | Reason], asks: Mapping[str, Ask]
) -> dict[str, ServiceForecast]:
    return {
        name: forecast(view, name, asks[name], _caveats(present, inputs.rules.services[name], view))
        for name, view in views.items()
    }


def _caveats(present: Observation | None, service: Service, view: Seen | Reason) -> tuple[Caveat, ...]:
    return () if present is None or isinstance(view, Reason) else caveats(present, service, view.capacity)


@dataclass(frozen=True, slots=True)
class _Pricing:
    """What filling expected unfilled openings is worth to a campaign, per day."""

    rules: RuleSet
    views: Mapping[str, Seen | Reason]
    asks: Mapping[str, Ask]

    def __call__(self, entry: CampaignEntry, action: CostPerBooking) -> Reading:
        view, expected = self.views[entry.service], self.asks[entry.service](Measure(Metric.EXPECTED_OPEN_SLOTS, action.within))
        if isinstance(view, Reason) or expected.cause in UNDEFINED:
            return Reading(Bounds(None, 0, float("inf")), expected.cause)
        sharing: dict[str, int] = {}
        for other in self.views.values():
            for diary in () if isinstance(other, Reason) else other.capacity.diaries:
                sharing[diary.practitioner] = sharing.get(diary.practitioner, 0) + 1
        slots = shared(view.expects.unfilled(action.within).openings, view.capacity, action.within, sharing)
        price = float(action.cost * share_of(self.rules.campaigns, entry)) / action.within
        estimate = None if slots.estimate is None else slots.estimate * price
        return Reading(Bounds(estimate, slots.low * price, slots.high * price), expected.cause)

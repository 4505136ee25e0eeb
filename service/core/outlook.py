"""From one run's readings to what its rules may ask: the first half of a run's thinking.

    Diaries + history -> capacity -> expectation -> metrics (`Ask`), a forecast per service, what filling it is worth

The second half, `core.engine`, needs no more than an `Outlook`; so rules can be tried on metrics that somebody made up. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from service.core.capacity import Capacity
from service.core.caveats import caveats
from service.core.decide.model import Caveat, Reading, RunInputs, ServiceForecast
from service.core.decide.proposals import Worth, worth_of
from service.core.decide.sharing import counted_once
from service.core.doubt import doubted
from service.core.expectation import NOTHING_EXPECTED, expectation, looks, shared
from service.core.known_names import Names, learnt, recalled
from service.core.logic import Bounds
from service.core.memo import Memo
from service.core.metrics import Ask, Earlier, Seen, asking, forecast
from service.core.model import Diaries, Reason, Unreadable
from service.core.observation import Observation
from service.core.pace import Look, Pace
from service.core.roster import NO_NUMBERS, DayNumbers
from service.core.rules.conditions import UNDEFINED
from service.core.rules.language import CampaignEntry, CostPerBooking, Measure, Metric, RuleSet, Service
from service.core.sighting import Sighting


@dataclass(frozen=True, slots=True)
class Outlook:
    """What rules may ask in one run, by service; what filling a service is worth; and what the readings teach.

    `names` is what to remember of the names in the rule file, `numbers` what was seen of how days are numbered.
    `capacities` are what the services can sell, of those of which anything could be read.
    """

    asks: Mapping[str, Ask]
    worth: Worth
    forecasts: dict[str, ServiceForecast]
    looks: tuple[Look, ...] = ()
    names: Names = field(default_factory=dict)
    numbers: DayNumbers = NO_NUMBERS
    capacities: Mapping[str, Capacity] = field(default_factory=dict)


def outlook(inputs: RunInputs) -> Outlook:
    """The forecast of every service of the clinic."""
    services = recalled(inputs.rules.services, inputs.names)
    found = _prospect(inputs, services)
    return replace(
        found.outlook(_purses(inputs)),
        forecasts=_forecasts(services, found),
        looks=tuple(found.looks(inputs.looked)),
        names=inputs.names if found.present is None else learnt(services.values(), found.present.diaries, inputs.names),
        numbers=inputs.numbers if found.present is None else found.present.roster.numbers,
        capacities={name: view.capacity for name, view in found.views.items() if isinstance(view, Seen)},
    )


def asked_again(inputs: RunInputs) -> Outlook:
    """What a run's rules could ask, for who asks again: without forecasts for people, and without looks."""
    return _prospect(inputs, recalled(inputs.rules.services, inputs.names)).outlook(_purses(inputs))


def seen_by(inputs: RunInputs) -> Prospect:
    """The services of a run as it saw them, without what is expected of them."""
    return prospect(recalled(inputs.rules.services, inputs.names), _sights(inputs), None)


def _purses(inputs: RunInputs) -> RuleSet:
    """The rules with each shared budget once: what filling a service is worth is split between budgets."""
    return replace(inputs.rules, campaigns=counted_once(inputs.rules.campaigns, inputs.snapshot.campaigns))


def _prospect(inputs: RunInputs, services: Mapping[str, Service]) -> Prospect:
    return prospect(services, _sights(inputs), inputs.pace)


# --- what is seen -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sights:
    """What a run saw of Cliniko, as far as it is believed (None: nothing), and what earlier runs did, newest first.

    `numbers` is how days are numbered: settled by all of them together, because a full diary shows no start that would tell.
    `kept` are the lists in which something was suddenly gone and that are as they were before.
    """

    present: Sighting | None
    earlier: tuple[Sighting, ...]
    numbers: DayNumbers
    kept: tuple[str, ...] = ()

    def then(self, number: int, service: Service) -> Capacity:
        """What a service could sell by an earlier reading, as far as that is believed by those before it."""
        return self.earlier[number].counted(self.earlier[number + 1 :]).capacity(service, self.numbers)

    def observation(self) -> Observation | None:
        """What this run saw, indexed."""
        if self.present is None:
            return None
        found = self.present.observation(self.numbers)
        return replace(found, kept=self.kept) if self.kept else found


def sights(present: Sighting | None, earlier: Sequence[Sighting], numbers: DayNumbers = NO_NUMBERS) -> Sights:
    """What a run goes by, from its own reading (None: it had none) and those of earlier runs, newest first.

    `numbers` is what runs before those saw of how days are numbered.
    """
    if present is None:
        return Sights(None, tuple(earlier), _numbers(earlier, numbers))
    known = present.counted(earlier)
    return Sights(known, tuple(earlier), _numbers([known, *earlier], numbers), doubted(present.diaries, known.diaries))


def _sights(inputs: RunInputs) -> Sights:
    memo = Memo()
    earlier = [Sighting(each.taken_at, each.diaries, memo) for each in inputs.baselines if isinstance(each.diaries, Diaries)]
    present = inputs.snapshot.diaries
    return sights(None if isinstance(present, Unreadable) else Sighting(inputs.now, present, memo), earlier, inputs.numbers)


def _numbers(seen: Iterable[Sighting], known: DayNumbers) -> DayNumbers:
    return sum((each.numbers for each in seen), known)


# --- what it comes to ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prospect:
    """The services of one run as they are seen: what may be asked of each is computed once, for whoever asks."""

    present: Observation | None
    views: Mapping[str, Seen | Reason]
    asks: Mapping[str, Ask]

    def outlook(self, rules: RuleSet) -> Outlook:
        """What `rules`, which have these services, may ask; without forecasts for people, and without looks."""
        return Outlook(self.asks, _Pricing(rules, self.views, self.asks), {})

    def looks(self, looked: Mapping[str, date]) -> Iterator[Look]:
        """What today's first whole look has to teach; `looked` as in `RunInputs`."""
        for view in self.views.values():
            if self.present is not None and isinstance(view, Seen):
                yield from looks(self.present, view.capacity, view.expects, looked)


def prospect(services: Mapping[str, Service], seen: Sights, pace: Pace | None) -> Prospect:
    """The services of a clinic by what was seen; `pace` None: nobody is going to ask what is expected, nor to learn."""
    present = seen.observation()
    views = {name: _seen(service, seen, pace) for name, service in services.items()}
    return Prospect(present, views, {name: asking(view) for name, view in views.items()})


def _seen(service: Service, seen: Sights, pace: Pace | None) -> Seen | Reason:
    if seen.present is None:
        return Reason.CLINIKO_UNREADABLE
    before = (Earlier(each.at, partial(seen.then, n, service)) for n, each in enumerate(seen.earlier))
    found = seen.present.capacity(service, seen.numbers)
    expects = NOTHING_EXPECTED if pace is None else expectation(seen.present.observation(seen.numbers), found, pace)
    return Seen(seen.present.at, found, expects, tuple(before))


def _forecasts(services: Mapping[str, Service], found: Prospect) -> dict[str, ServiceForecast]:
    return {
        name: forecast(view, name, found.asks[name], _caveats(found.present, services[name], view))
        for name, view in found.views.items()
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
        return worth_of(Reading(slots, expected.cause), self.rules.campaigns, entry, action)

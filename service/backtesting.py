"""A clinic's stored readings put through rule files: between the store and `core.backtest`. Read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from service.core.backtest import Candidate, Replay, Setting, asks_what_is_expected
from service.core.decide.people import identity
from service.core.errors import NotFoundError
from service.core.metrics import BASELINE_SLACK
from service.core.model import Campaign
from service.core.pace import Look
from service.core.rules.language import LONGEST_LOOK_BACK, RuleSet, Service
from service.core.rules.windows import regions
from service.learning import MEMORY
from service.rulefiles.public_holidays import between
from service.store.store import Store

Tell = Callable[[int, int], None]
"""Who is told how far it is: readings done, and readings in all."""

WARM_UP = LONGEST_LOOK_BACK + BASELINE_SLACK + timedelta(hours=1)
"""How far before the period readings are fetched that its first runs compare with."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A finished backtest, and the services whose booking pace had nothing from before the period to be learnt from."""

    replay: Replay
    unlearnt: tuple[str, ...]


async def backtest(store: Store, files: Sequence[RuleSet], first: datetime, last: datetime, tell: Tell) -> Tried:
    """Put what is stored of the files' clinic from `first` to `last` through each of them.

    Raises NotFoundError where nothing is stored of that time, StoreError.
    """
    clinic = files[0].clinic
    span = await store.history.span(clinic, first, last)
    if span is None:
        raise NotFoundError(f"no reading of {clinic} is kept since {first:%Y-%m-%d %H:%M} UTC; --sandbox invents a clinic")
    known = await store.rules.rules_in_force(clinic)
    looks = await store.looks.before(clinic, span.first, span.first.date() - MEMORY)
    asked = {region for rules in files for region in regions(rules)}
    setting = Setting(span.first, span.last, await _units(store, clinic), between(span.first, span.last, asked))
    services = known.rules.services if known else {}
    replay = Replay([Candidate(rules, _own(rules, services, looks)) for rules in files], setting)
    async for moment in store.history.moments(clinic, span.first - WARM_UP, span.last):
        if moment.at < span.first:
            replay.recall(moment)
        else:
            replay.see(moment)
            tell(replay.runs, span.count)
    new = tuple(name for name in files[0].services if not _same(name, files[0], services))
    return Tried(replay, new if asks_what_is_expected(files[0]) else ())


def _own(rules: RuleSet, services: Mapping[str, Service], looks: Sequence[Look]) -> tuple[Look, ...]:
    """The looks at services that are what they were when looked at: one that sells something else starts anew."""
    return tuple(look for look in looks if _same(look.service, rules, services))


def _same(name: str, rules: RuleSet, services: Mapping[str, Service]) -> bool:
    """Whether a file has a service just as the file in force does."""
    return name in rules.services and services.get(name) == rules.services[name]


async def _units(store: Store, clinic: str) -> dict[str, Decimal]:
    """The smallest step of each campaign's budget, as its platform last said."""
    latest = await store.snapshots.latest_readable(clinic)
    seen = latest.campaigns.values() if latest else ()
    return {identity(each.platform, each.id): each.unit for each in seen if isinstance(each, Campaign)}

"""A healthy clinic as the doctor observes it, made from the sandbox's world without sockets, for tests to break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from service.core.doctor.examination import examine
from service.core.doctor.model import Finding, Key, Observed, Severity, Unread
from service.core.model import Campaign, Platform, State, Survey
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from service.sandbox.reading import diaries
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.world import World
from tests.support import CENT, RULES

HARBOUR_FILE = (RULES / "harbour-physio.yaml").read_text("utf-8")
CITY, QUAY = "1443966599630431801", "1443966599630431802"
ANA, BEN, EVA, POD = (f"144396659738228430{n}" for n in (1, 2, 5, 6))
INITIAL, STANDARD, PODIATRY, CLASS = (f"144396659919422390{n}" for n in range(1, 5))
NOT_READ = "could not be read"

Break = Callable[[World], None]


def file_with(good: str, other: str) -> RuleSet:
    """Harbour's rules after an edit."""
    assert good in HARBOUR_FILE
    return check(HARBOUR_FILE.replace(good, other), "harbour-physio.yaml")


def surveys(world: World) -> dict[Platform, Survey | Unread]:
    """Harbour's ad accounts as a faultless reading shows them."""
    google, meta = world.google["1234567890"], world.meta["act_1029384756"]
    searched = tuple(
        _campaign(
            Platform.GOOGLE, each.id, each.name, each.status == "ENABLED", micros=google.budgets[each.budget].amount_micros
        )
        for each in google.campaigns.values()
    )
    social = tuple(
        _campaign(Platform.META, each.id, each.name, each.status == "ACTIVE", micros=(each.daily_budget or 0) * 10_000)
        for each in meta.campaigns.values()
    )
    return {
        Platform.GOOGLE: Survey(Platform.GOOGLE, google.customer_id, google.currency, google.zone, searched),
        Platform.META: Survey(Platform.META, meta.id, meta.currency, meta.zone, social),
    }


def _campaign(platform: Platform, id_: str, name: str, running: bool, micros: int) -> Campaign:
    budget = (Decimal(micros) / 1_000_000).quantize(CENT)
    return Campaign(platform, id_, name, State(running, budget), "AUD", CENT)


def healthy(broken: Break = lambda _: None, rules: RuleSet | None = None) -> Observed:
    """What the doctor sees of Harbour after `broken` has happened to it."""
    world = scene()
    broken(world)
    file = rules or file_with("mode: enforce", "mode: watch")
    return Observed(
        clinic=HARBOUR,
        now=world.now,
        contact_email=True,
        kill_switch=False,
        requests_per_minute=180,
        key=Key("au4", suffixed=True),
        diaries=diaries(world.clinics[HARBOUR], tuple(file.services.values()), world.now),
        accounts=surveys(world),
        rules=file,
    )


def found(seen: Observed, name: str) -> list[Finding]:
    """The findings of one check that are not fine."""
    return [each for each in examine(seen) if each.check == name and each.severity is not Severity.FINE]


def on(platform: Platform, seen: Observed, **changes: object) -> Observed:
    """With the first campaign of a platform changed."""
    survey = seen.accounts[platform]
    assert isinstance(survey, Survey)
    first, *rest = survey.campaigns
    edited = replace(survey, campaigns=(replace(first, **changes), *rest))  # type: ignore[arg-type] # fields of Campaign
    return replace(seen, accounts={**seen.accounts, platform: edited})

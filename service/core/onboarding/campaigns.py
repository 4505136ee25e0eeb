"""From the campaigns of ad accounts to entries of a rule file: a name, the service it sells, and three budgets. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from service.core.decide.sharing import without_a_word
from service.core.model import Campaign, Platform, Survey
from service.core.onboarding.services import DraftService
from service.core.onboarding.vocabulary import GENERIC, alike, slug, unused, words
from service.core.rules.currencies import DECIMALS

FLOOR_SHARE = Decimal("0.25")
CEILING_SHARE = Decimal(2)
LARGEST = Decimal(999_999_999)
"""The largest amount a rule file can state."""

WHOLE_FROM = 8
"""From so many units of the currency on, a floor or ceiling is a whole number of them."""


@dataclass(frozen=True, slots=True)
class DraftCampaign:
    """A campaign to be governed; amounts are per day. `guessed`: nothing in its name says which service it sells."""

    name: str
    platform: Platform
    id: str
    title: str
    service: str
    base: Decimal
    floor: Decimal
    ceiling: Decimal
    running: bool = True
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A campaign that cannot be governed, and why."""

    platform: Platform
    id: str
    title: str
    reason: str


def draft_campaigns(
    surveys: Iterable[Survey], services: Sequence[DraftService], currency: str
) -> tuple[tuple[DraftCampaign, ...], tuple[LeftOut, ...]]:
    """Every campaign of the accounts, drafted or left out; `services` are the biggest first."""
    drafted: list[DraftCampaign] = []
    left: list[LeftOut] = []
    taken: set[str] = set()
    for survey in surveys:
        for campaign in survey.campaigns:
            reason = _why_not(campaign, survey, services, currency)
            if reason:
                left.append(LeftOut(campaign.platform, campaign.id, campaign.name, reason))
            else:
                drafted.append(_drafted(campaign, services, currency, taken))
    return tuple(drafted), tuple(left)


def _why_not(campaign: Campaign, survey: Survey, services: Sequence[DraftService], currency: str) -> str:
    if unfit := campaign.ineligible or without_a_word(campaign):
        return unfit
    if survey.currency != currency:
        return f"its account is in {survey.currency} and this file in {currency}; both accounts must share one currency"
    if not services:
        return "no service can be booked online yet"
    base = _written(campaign.state.budget or Decimal(0), _cent(currency))
    if not 0 < base <= LARGEST:
        return f"a rule file cannot state its daily budget of {campaign.state.budget} {currency}"
    return ""


def _drafted(campaign: Campaign, services: Sequence[DraftService], currency: str, taken: set[str]) -> DraftCampaign:
    base = _written(campaign.state.budget or Decimal(0), _cent(currency))
    service, guessed = _sells(campaign.name, services)
    floor, ceiling = limits(base, currency)
    return DraftCampaign(
        name=unused(slug(campaign.name) or f"campaign-{campaign.id}", taken),
        platform=campaign.platform,
        id=campaign.id,
        title=campaign.name,
        service=service.name,
        base=base,
        floor=floor,
        ceiling=ceiling,
        running=campaign.state.running,
        guessed=guessed,
    )


def limits(base: Decimal, currency: str) -> tuple[Decimal, Decimal]:
    """A first floor and ceiling: a quarter of base and twice it, in whole units where base is no handful of them."""
    cent = _cent(currency)
    step = Decimal(1) if base >= WHOLE_FROM else cent
    floor, ceiling = _written(base * FLOOR_SHARE, step), _written(base * CEILING_SHARE, step)
    return min(max(floor, cent), base).quantize(cent), min(ceiling, LARGEST).quantize(cent)


def _cent(currency: str) -> Decimal:
    """The smallest amount a rule file can state in a currency."""
    return Decimal(1).scaleb(-DECIMALS[currency])


def _written(amount: Decimal, step: Decimal) -> Decimal:
    return amount.quantize(step, ROUND_DOWN)


def _sells(title: str, services: Sequence[DraftService]) -> tuple[DraftService, bool]:
    """The service whose words the campaign's name has most of; the biggest, as a guess, where it has none."""
    told = [word for word in words(title) if word not in GENERIC]
    scores = [sum(any(alike(word, about) for about in service.subjects) for word in told) for service in services]
    best = max(scores)
    return services[scores.index(best)], best == 0 and len(services) > 1

"""Handing a campaign that somebody changed back to the rules, as it stands on its platform now."""

from __future__ import annotations

from service.core.decide.people import adopt, identity, recall
from service.core.decide.settling import shown
from service.core.decide.sharing import judged
from service.core.errors import InputError, OutsideError
from service.core.ledger import Kind
from service.core.model import Campaign, Unreadable
from service.core.rules.language import RuleSet
from service.governor import Governor
from service.observe import observe_campaigns
from service.revisions import in_force
from service.store.ledger import Entry


async def readopt(governor: Governor, clinic: str, campaign: str, by: str) -> str:
    """Take a campaign on as it reads now and say so in a sentence.

    The clinic is had for oneself meanwhile: what a run writes between the look and the memory of it would be forgotten.
    Raises `InputError` for an unknown or ineligible campaign, `OutsideError` if its platform cannot be read, and
    `LeaseLostError` while a run is under way.
    """
    rules = (await in_force(governor.store, governor.directory, clinic, governor.clock())).rules
    if campaign not in rules.campaigns:
        raise InputError(f"{clinic} has no campaign {campaign!r}; it has {', '.join(rules.campaigns)}")
    async with governor.lease(clinic) as fence:
        seen = await _seen(governor, rules, campaign)
        chosen, now = rules.campaigns[campaign], governor.clock()
        standings = await governor.store.memory.standings(clinic)
        standing = recall(standings, campaign, identity(chosen.platform, chosen.id))
        entry = Entry(Kind.READOPT, {"campaign": campaign, "by": by, "state": seen.state}, now)
        await governor.store.memory.set_standing(clinic, campaign, adopt(standing, seen.state, now), entry, fence=fence)
    return f"{campaign} is the rules' again, taken on {shown(seen.state)}"


async def _seen(governor: Governor, rules: RuleSet, campaign: str) -> Campaign:
    seen = judged(await observe_campaigns(governor.outside(rules), rules), rules.campaigns)[campaign]
    if isinstance(seen, Unreadable):
        raise OutsideError(seen.system, f"{campaign} cannot be handed back now: {seen.message}")
    if seen.ineligible:
        raise InputError(f"{campaign} cannot be governed: {seen.ineligible}")
    return seen

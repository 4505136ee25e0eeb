"""Placing a hold: a person's word to leave something alone, refused where it would not hold what its author thinks."""

from __future__ import annotations

from dataclasses import replace

from service.core.decide.model import Hold
from service.core.decide.people import identity
from service.core.errors import InputError
from service.governor import Governor
from service.revisions import governed, in_force


async def place(governor: Governor, hold: Hold) -> None:
    """Put a hold in force, also where the clinic's rule file is bad or gone: it must work when it is needed.

    Raises `InputError` for a hold that has no reason, has ended already, covers two things at once, or covers nothing.
    """
    if not hold.reason.strip():
        raise InputError("give a reason: it is what people read who find the hold")
    if hold.until is not None and hold.until <= hold.made_at:
        raise InputError(f"`until` has passed: it is {hold.made_at:%Y-%m-%dT%H:%M:%SZ} now")
    if hold.campaign is not None and hold.service is not None:
        raise InputError("name a campaign or a service, not both; without either the whole clinic is held")
    await governor.store.holds.hold(await _known(governor, hold))


async def _known(governor: Governor, hold: Hold) -> Hold:
    """The hold with the campaign that it is on; one on a name that nothing has would be kept, and hold nothing."""
    part = hold.service if hold.campaign is None else hold.campaign
    if hold.clinic is None:
        if part is not None:
            raise InputError("a hold on everything names no campaign or service: those belong to one clinic")
        return hold
    if hold.clinic not in await governed(governor.store, governor.directory):
        raise InputError(f"there is no clinic {hold.clinic!r}")
    if part is None:
        return hold
    rules = (await in_force(governor.store, governor.directory, hold.clinic, hold.made_at, record=False)).rules
    kind, names = ("campaign", list(rules.campaigns)) if hold.campaign is not None else ("service", list(rules.services))
    if part not in names:
        raise InputError(f"{hold.clinic} has no {kind} {part!r}; it has {', '.join(names) or 'none'}")
    entry = rules.campaigns[part] if hold.campaign is not None else None
    return replace(hold, of=identity(entry.platform, entry.id)) if entry else hold

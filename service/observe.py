"""What one run sees: the diaries and the campaigns, read at the same time, in one snapshot.

A system that cannot be read becomes an `Unreadable` in its place. It never blocks the others, and never counts as empty. Why it
could not be read is kept for good, so that secrets are taken out here once more, whatever an adapter has made of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from service.core.decide import histories
from service.core.decide.model import Standing
from service.core.errors import OutsideError, SettingsError
from service.core.model import Campaign, Diaries, History, Platform, Snapshot, Unreadable
from service.core.ports import AdAccount, DiarySource
from service.core.rules.language import RuleSet
from service.logs import redacted

Campaigns = dict[str, Campaign | Unreadable]


@dataclass(frozen=True, slots=True)
class Missing:
    """An outside system that is not set up; `message` names the setting that would."""

    message: str


@dataclass(frozen=True, slots=True)
class Outside:
    """One clinic's outside systems."""

    diaries: DiarySource | Missing
    accounts: Mapping[Platform, AdAccount | Missing]


async def observe(outside: Outside, rules: RuleSet, now: datetime) -> Snapshot:
    """Read everything a run of `rules` needs."""
    diaries, campaigns = await asyncio.gather(_diaries(outside.diaries, rules), observe_campaigns(outside, rules))
    return Snapshot(rules.clinic, now, diaries, campaigns)


async def observe_campaigns(outside: Outside, rules: RuleSet) -> Campaigns:
    """Read every campaign of the rule file, by its name there."""
    found = await asyncio.gather(*(_campaigns(outside.accounts.get(platform), rules, platform) for platform in Platform))
    return {name: campaign for each in found for name, campaign in each.items()}


async def _diaries(source: DiarySource | Missing, rules: RuleSet) -> Diaries | Unreadable:
    if isinstance(source, Missing):
        return Unreadable("cliniko", source.message)
    try:
        return await source.read(tuple(rules.services.values()))
    except (OutsideError, SettingsError) as error:
        return Unreadable("cliniko", redacted(str(error)))


async def _campaigns(account: AdAccount | Missing | None, rules: RuleSet, platform: Platform) -> Campaigns:
    entries = [entry for entry in rules.campaigns.values() if entry.platform is platform]
    if not entries:
        return {}
    if account is None or isinstance(account, Missing):
        why = account.message if account else f"the rule file names no {platform} account"
        return {entry.name: Unreadable(platform, why) for entry in entries}
    try:
        seen = await account.read([entry.id for entry in entries])
    except (OutsideError, SettingsError) as error:
        return {entry.name: Unreadable(platform, redacted(str(error))) for entry in entries}
    return {entry.name: seen[entry.id] for entry in entries}


async def read_histories(
    outside: Outside, snapshot: Snapshot, standings: Mapping[str, Standing], names: Collection[str]
) -> dict[str, History | Unreadable]:
    """The change histories of these campaigns, by name, from when each was last known; in one question per platform.

    One that would have to begin before a platform's memory is not asked about, and does not keep the others from being told.
    """
    found: dict[str, History | Unreadable] = {}
    for platform in Platform:
        shown = {name: each for name in sorted(names) if isinstance(each := snapshot.campaigns.get(name), Campaign)}
        there = {name: each for name, each in shown.items() if each.platform is platform}
        begins = {name: histories.since(standings[name], snapshot.taken_at) for name in there}
        lost = {name for name in there if begins[name] < snapshot.taken_at - histories.FURTHEST}
        found |= {name: Unreadable(platform, f"{_LOST} {begins[name]:%Y-%m-%d}") for name in lost}
        account, asked = outside.accounts.get(platform), {name: there[name] for name in there if name not in lost}
        if asked and account is not None and not isinstance(account, Missing):
            found |= await _histories(account, asked, min(begins[name] for name in asked), snapshot.taken_at)
    return found


_LOST = f"change histories are asked for the last {histories.FURTHEST.days} days, and this one would have to begin on"


async def _histories(
    account: AdAccount, seen: Mapping[str, Campaign], first: datetime, now: datetime
) -> dict[str, History | Unreadable]:
    platform = next(iter(seen.values())).platform
    try:
        logged = await account.history(list(seen.values()), first, now)
    except (OutsideError, SettingsError) as error:
        return {name: Unreadable(platform, redacted(str(error))) for name in seen}
    return {name: logged[each.id] for name, each in seen.items()}

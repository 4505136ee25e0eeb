"""Whose hand is on a campaign: what the governor remembers of it against what its platform shows.

People win. A campaign that was paused or off its base budget when first seen, or that changed since our last write, is
left alone until somebody says `readopt`. A platform may go on showing the old value for some minutes after a write: that
is propagation, not a person. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from service.core.decide.model import Change, PastProposal, Span, Standing, StoodDown, TooLow
from service.core.decide.significance import past_change
from service.core.model import Platform, Reason, State
from service.core.rules.evaluate import GAP
from service.core.rules.language import CampaignEntry
from service.core.spending import day_ends

PROPAGATION = timedelta(minutes=15)
"""How long after our write a platform may still show the value from before it."""

UNKNOWN = Standing()
"""What is remembered of a campaign that was never met."""

NEVER = datetime.min.replace(tzinfo=UTC)

BASE_TOLERANCE = Decimal("0.05")
"""How far, as a share of base, a budget may be off the file's base at first sight."""

REMEMBERED = timedelta(days=61)
"""How long changes are kept: longer than any period an edit budget may span."""


def meet(standing: Standing, seen: State, entry: CampaignEntry, now: datetime) -> Standing:
    """Compare what is remembered with what is shown, and remember the result."""
    if standing.stood_down is not None:
        return _waited(standing, standing.stood_down, seen, entry, now)
    if standing.expected is None:
        return _first_sight(standing, seen, entry, now)
    if seen == standing.expected or propagating(standing, seen, now):
        return standing
    return replace(standing, stood_down=StoodDown(Reason.DRIFT, now, seen, seen.running != standing.expected.running))


def identity(platform: Platform, id_: str) -> str:
    """What a campaign is, whatever the file calls it."""
    return f"{platform}/{id_}"


def recall(standings: Mapping[str, Standing], name: str, me: str) -> Standing:
    """What is remembered of the campaign `me`, under whichever name it was governed last; a new one has nothing to its name."""
    named = standings.get(name, UNKNOWN)
    mine = [standing for standing in standings.values() if standing.of == me]
    if not named.of:
        mine.insert(0, replace(named, of=me))
    return max(mine, key=lambda standing: standing.since or NEVER) if mine else Standing(of=me)


def displaced(standings: Mapping[str, Standing], entry: CampaignEntry) -> dict[str, Standing]:
    """What was remembered under a name that the file has given to another campaign, to be kept under what it is."""
    named = standings.get(entry.name, UNKNOWN)
    return {named.of: named} if named.of not in {"", identity(entry.platform, entry.id)} else {}


def propagating(standing: Standing, seen: State, now: datetime) -> bool:
    """Whether `seen` is the value from before our last write, and that write is recent."""
    recent = standing.since is not None and now - standing.since <= PROPAGATION
    return recent and seen == standing.previous != standing.expected


def _first_sight(standing: Standing, seen: State, entry: CampaignEntry, now: datetime) -> Standing:
    if not seen.running:
        return replace(standing, stood_down=StoodDown(Reason.PAUSED_BY_PERSON, now, seen))
    if seen.budget is None or abs(seen.budget - entry.base) > entry.base * BASE_TOLERANCE:
        return replace(standing, stood_down=StoodDown(Reason.BASE_MISMATCH, now, seen))
    return replace(standing, expected=seen, since=now)


def _waited(standing: Standing, down: StoodDown, seen: State, entry: CampaignEntry, now: datetime) -> Standing:
    """A foreign budget is accepted once it has stood for a while; a foreign pause or resume never is."""
    if down.reason is not Reason.DRIFT:
        return standing
    if seen != down.seen:
        touched = down.status or seen.running != down.seen.running
        return replace(standing, stood_down=StoodDown(Reason.DRIFT, now, seen, touched))
    if not down.status and now - down.since >= entry.guardrails.drift_expires:
        return adopt(standing, seen, now)
    return standing


def adopt(standing: Standing, seen: State, now: datetime) -> Standing:
    """Take a campaign on as it stands; a pause in force becomes ours to end."""
    return replace(
        standing, expected=seen, previous=None, since=now, stood_down=None, paused_by_us=not seen.running, by_rule=None
    )


def changed(
    standing: Standing, change: Change, readback: State, rule: str | None, now: datetime, made: Span | None = None
) -> Standing:
    """Remember a confirmed write that the platform may date anywhere in `made` (None: `now`)."""
    past = replace(past_change(standing.changes, now, change.before, readback), made=made)
    return replace(
        standing,
        expected=readback,
        previous=change.before,
        since=now,
        paused_by_us=not readback.running,
        caused_by=change.decision or None,
        by_rule=rule,
        changes=(*(c for c in standing.changes if now - c.at <= REMEMBERED), past),
    )


def refused_for_spend(standing: Standing, change: Change, zone: str, now: datetime) -> Standing:
    """Remember that a platform took the budget of `change` for too low today: until the account's midnight in `zone`."""
    if change.after.budget is None:
        return standing
    return replace(standing, too_low=TooLow(change.after.budget, day_ends(now, zone)))


def wanted(standing: Standing, target: State, window: timedelta, now: datetime) -> Standing:
    """Remember what the rules wanted at this run, as far back as stabilising may look: over `window`."""
    oldest = now - window - GAP
    recent = [past for past in standing.proposals if past.at >= oldest]
    return replace(standing, proposals=(*recent, PastProposal(now, target)))

"""Whose hands are on what: the holds in force, and the campaigns that somebody has changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from service.app import App
from service.cli.tables import state
from service.core.decide.admission import counted
from service.core.decide.model import Hold, Standing, StoodDown
from service.core.errors import NotFoundError
from service.revisions import governed


async def chosen(app: App, clinics: Collection[str]) -> tuple[str, ...]:
    """These clinics, or all where none is named. Raises NotFoundError for one that there is not."""
    known = await governed(app.store, app.directory)
    if unknown := [clinic for clinic in clinics if clinic not in known]:
        raise NotFoundError(f"there is no clinic {unknown[0]!r}; there are {', '.join(known) or 'none'}")
    return tuple(clinics or known)


async def holds(app: App, clinics: Collection[str]) -> list[Hold]:
    """The holds in force for clinics, and on everything, each once; what one on a name that is gone means is in its reason."""
    now, found = app.clock(), {hold.id: hold for hold in await app.store.holds.holds(None, app.clock())}
    for clinic in await chosen(app, clinics):
        revision = await app.store.rules.rules_in_force(clinic)
        for hold in await app.store.holds.holds(clinic, now):
            reason = counted(hold, revision.rules).reason if revision else hold.reason
            found.setdefault(hold.id, _said(hold, reason))
    return list(found.values())


def _said(hold: Hold, reason: str) -> Hold:
    return Hold(hold.id, hold.clinic, hold.until, reason, hold.by, hold.made_at, hold.campaign, hold.service, hold.of)


def holds_table(found: Collection[Hold]) -> Table:
    """The holds, a row each."""
    table = _table("id", "on", "until (UTC)", "by", "since (UTC)", "reason")
    for hold in found:
        part = f": {hold.campaign or hold.service}" if hold.campaign or hold.service else ""
        until = _at(hold.until) if hold.until else f"`governor unhold {hold.id}`"
        table.add_row(hold.id, f"{hold.clinic or 'everything'}{part}", until, hold.by, _at(hold.made_at), escape(hold.reason))
    return table


async def stood_down(app: App, clinics: Collection[str]) -> list[tuple[str, str, Standing, StoodDown]]:
    """The campaigns of clinics that somebody has changed, and that are left alone therefore: clinic, name, what is known."""
    found = []
    for clinic in await chosen(app, clinics):
        for campaign, standing in (await app.store.memory.standings(clinic)).items():
            if standing.stood_down is not None:
                found.append((clinic, campaign, standing, standing.stood_down))
    return found


def stood_down_table(found: Collection[tuple[str, str, Standing, StoodDown]]) -> Table:
    """The campaigns that are left alone, a row each."""
    table = _table("clinic", "campaign", "reason", "who", "when (UTC)", "it is", "we had left it")
    for clinic, campaign, standing, down in found:
        who = f"{down.by or 'not known'}{f' by way of {down.via}' if down.via else ''}"
        when = _at(down.logged_at) if down.logged_at else f"seen {_at(down.since)}"
        left = state(standing.expected) if standing.expected else "-"
        table.add_row(clinic, campaign, down.reason.value, escape(who), when, state(down.seen), left)
    return table


def _table(*headings: str) -> Table:
    table = Table(show_lines=True)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _at(instant: datetime) -> str:
    return f"{instant:%a %d %b %Y %H:%M}"

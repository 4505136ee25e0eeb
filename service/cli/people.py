"""`governor hold`, `unhold`, `readopt` and `restore`: a person's word, recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

from service.app import App
from service.cli.caller import caller
from service.cli.hands import holds, holds_table, stood_down, stood_down_table
from service.cli.running import with_app
from service.cli.tables import change_line, console
from service.core.decide.model import Hold
from service.core.errors import InputError
from service.holding import place
from service.readopting import readopt as hand_back
from service.restoring import Restored, acts_again
from service.restoring import restore as put_back


@click.command()
@click.argument("clinic", required=False)
@click.option("--everything", is_flag=True, help="Hold every clinic: the operational kill switch.")
@click.option("--campaign", help="Only this campaign of the clinic, by its name in the rule file.")
@click.option("--service", help="Only the campaigns of this service.")
@click.option("--until", help="YYYY-MM-DDTHH:MM in --zone; without it the hold lasts until `governor unhold`.")
@click.option("--zone", default="UTC", show_default=True, help="The IANA time zone of --until.")
@click.option("--reason", default="", help="For those who find it; a hold needs one.")
@click.option("--list", "listing", is_flag=True, help="Say what is held (in CLINIC, or at all), by whom and why.")
def hold(
    clinic: str | None,
    *,
    everything: bool,
    until: str | None,
    zone: str,
    reason: str,
    listing: bool,
    **part: str | None,
) -> None:
    """Leave CLINIC, or part of it, alone until further notice."""
    if listing:
        _list_holds(clinic)
        return
    if everything == (clinic is not None):
        raise InputError("name one clinic, or give --everything")
    end = _instant(until, zone) if until else None

    async def work(app: App) -> Hold:
        made = Hold(app.governor.new_id(), clinic, end, reason.strip(), caller(), app.clock(), **part)
        await place(app.governor, made)
        return made

    click.echo(f"held; `governor unhold {with_app(work).id}` ends it")


def _list_holds(clinic: str | None) -> None:
    found = with_app(lambda app: holds(app, [clinic] if clinic else []))
    if not found:
        click.echo("nothing is held")
        return
    console().print(holds_table(found))


def _instant(text: str, zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, KeyError, OSError):
        raise InputError(
            f"cannot read {text!r} in {zone!r}: write for instance 2026-12-24T18:00 and Australia/Sydney"
        ) from None


@click.command()
@click.argument("id_", metavar="HOLD")
def unhold(id_: str) -> None:
    """End HOLD (its id is in the sentence of every decision it made)."""
    with_app(lambda app: app.store.holds.unhold(id_, caller(), app.clock()))
    click.echo("ended; the rules decide again from the next run on")


@click.command()
@click.argument("clinic", required=False)
@click.argument("campaign", required=False)
@click.option("--list", "listing", is_flag=True, help="Say what somebody has changed (in CLINIC, or at all).")
def readopt(clinic: str | None, campaign: str | None, *, listing: bool) -> None:
    """Hand CAMPAIGN of CLINIC back to the rules, as it stands on its platform now."""
    if listing:
        _list_stood_down(clinic)
        return
    if clinic is None or campaign is None:
        raise InputError("name a clinic and a campaign of it; `governor readopt --list` says which somebody has changed")
    click.echo(with_app(lambda app: hand_back(app.governor, clinic, campaign, caller())))


def _list_stood_down(clinic: str | None) -> None:
    found = with_app(lambda app: stood_down(app, [clinic] if clinic else []))
    if not found:
        click.echo("nobody has changed a campaign since the rules had it last")
        return
    console().print(stood_down_table(found))
    click.echo("`governor readopt CLINIC CAMPAIGN` hands one back to the rules as it is")


@click.command()
@click.argument("clinic")
@click.option("--unlogged", is_flag=True, help="End our pauses also where the platform cannot tell who changed it since.")
def restore(clinic: str, *, unlogged: bool) -> None:
    """Put CLINIC's campaigns back: base budgets, and an end to our own pauses, wherever our last write is in force."""

    async def work(app: App) -> tuple[Restored, bool]:
        found = await put_back(app.governor, clinic, caller(), unlogged=unlogged)
        return found, await acts_again(app.governor, clinic)

    done, again = with_app(work)
    for change in done.changes:
        click.echo(change_line(change) + (f" ({change.detail})" if change.ending != "applied" else ""))
    for campaign, why in done.left_alone.items():
        click.echo(f"{campaign}: left as it is: {why}", err=True)
    if not done.changes and not done.left_alone:
        click.echo("nothing carries a change of ours")
    if again:
        click.echo("the next run will apply the rules again: set `mode: watch` in the rule file, or `governor hold` the clinic")
    if done.left_alone or any(change.ending != "applied" for change in done.changes):
        raise click.exceptions.Exit(1)

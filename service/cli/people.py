"""`governor hold`, `unhold` and `readopt`: a person's word, recorded."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from ulid import ULID

from service.app import App
from service.cli.running import with_app
from service.core.decide.model import Hold
from service.core.errors import InputError
from service.readopting import readopt as hand_back
from service.revisions import governed, in_force


@click.command()
@click.argument("clinic", required=False)
@click.option("--everything", is_flag=True, help="Hold every clinic: the operational kill switch.")
@click.option("--campaign", help="Only this campaign of the clinic, by its name in the rule file.")
@click.option("--service", help="Only the campaigns of this service.")
@click.option("--until", help="YYYY-MM-DDTHH:MM in --zone; without it the hold lasts until `governor unhold`.")
@click.option("--zone", default="UTC", show_default=True, help="The IANA time zone of --until.")
@click.option("--reason", required=True, help="For those who find it.")
def hold(
    clinic: str | None,
    *,
    everything: bool,
    campaign: str | None,
    service: str | None,
    until: str | None,
    zone: str,
    reason: str,
) -> None:
    """Leave CLINIC, or part of it, alone until further notice."""
    if everything == (clinic is not None):
        raise InputError("name one clinic, or give --everything")
    if sum(map(bool, (everything, campaign, service))) > 1:
        raise InputError("give one of --everything, --campaign and --service")
    if not reason.strip():
        raise InputError("say why in --reason: it is what people read who find the hold")
    end = _instant(until, zone) if until else None

    async def work(app: App) -> Hold:
        if clinic is not None:
            await _known(app, clinic, campaign, service)
        if end is not None and end <= app.clock():
            raise InputError(f"{until} ({zone}) has passed: give a later --until, or none")
        made = Hold(str(ULID()), clinic, end, reason, getpass.getuser(), app.clock(), campaign, service)
        await app.store.holds.hold(made)
        return made

    click.echo(f"held; `governor unhold {with_app(work).id}` ends it")


async def _known(app: App, clinic: str, campaign: str | None, service: str | None) -> None:
    """Also where the file is bad or gone: a hold must work when it is needed."""
    if clinic not in await governed(app.store, app.directory):
        raise InputError(f"there is no clinic {clinic!r}")
    if campaign is None and service is None:
        return
    rules = (await in_force(app.store, app.directory, clinic, app.clock(), record=False)).rules
    for kind, name, known in (("campaign", campaign, rules.campaigns), ("service", service, rules.services)):
        if name is not None and name not in known:
            raise InputError(f"{clinic} has no {kind} {name!r}; it has {', '.join(known)}")


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
    with_app(lambda app: app.store.holds.unhold(id_, getpass.getuser(), app.clock()))
    click.echo("ended; the rules decide again from the next run on")


@click.command()
@click.argument("clinic")
@click.argument("campaign")
def readopt(clinic: str, campaign: str) -> None:
    """Hand CAMPAIGN of CLINIC back to the rules, as it stands on its platform now."""
    click.echo(with_app(lambda app: hand_back(app.governor, clinic, campaign, getpass.getuser())))

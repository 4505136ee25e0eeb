"""`governor keys`: API keys, shown once and stored hashed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import click

from service.app import App
from service.cli.caller import caller
from service.cli.running import with_app
from service.core.errors import InputError
from service.keys import EVERY_CLINIC, new_key
from service.revisions import governed
from service.store.keys import Key, Role


@click.group()
def keys() -> None:
    """API keys: create, list, revoke."""


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.VIEWER.value, show_default=True)
@click.option("--clinic", "clinics", multiple=True, help="A clinic the key opens; may be given again.")
@click.option("--every-clinic", is_flag=True, help="The key opens every clinic, now and later.")
@click.option("--days", type=click.IntRange(1, 3650), help="The key expires after so many days.")
def create(name: str, *, role: str, clinics: tuple[str, ...], every_clinic: bool, days: int | None) -> None:
    """Make a key called NAME (who or what holds it) and show its secret, once."""
    if every_clinic == bool(clinics):
        raise click.UsageError("say which clinics the key opens: --clinic (once or more), or --every-clinic")
    opens = (EVERY_CLINIC,) if every_clinic else clinics

    async def work(app: App) -> tuple[str, Key]:
        now = app.clock()
        with suppress(InputError):  # no rules here yet: the clinics come later
            if unknown := set(clinics) - set(await governed(app.store, app.directory)):
                click.echo(f"note: no clinic {', '.join(sorted(unknown))} yet; the key opens it once there is", err=True)
        end = now + timedelta(days=days) if days else None
        return await new_key(app.store.keys, name, Role(role), opens, now, end, by=caller())

    secret, key = with_app(work)
    click.echo(secret)
    click.echo(f"{key.id}: this secret is not stored and cannot be shown again; send it as `Authorization: Bearer`", err=True)


@keys.command("list")
def list_() -> None:
    """Every key there ever was, oldest first."""
    for key in with_app(lambda app: app.store.keys.keys()):
        state = "revoked" if key.revoked_at else f"expires {key.expires_at:%Y-%m-%d}" if key.expires_at else "no expiry"
        used = f"last used {key.used_at:%Y-%m-%d %H:%M}Z" if key.used_at else "never used"
        click.echo(f"{key.id}  {key.role}  {', '.join(key.clinics)}  {key.name}  {state}, {used}")


@keys.command()
@click.argument("key")
def revoke(key: str) -> None:
    """Make KEY (its id) worthless from now on."""
    with_app(lambda app: app.store.keys.revoke_key(key, app.clock(), by=caller()))
    click.echo(f"{key} is revoked")

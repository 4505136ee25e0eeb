"""`governor audit`: the ledger, shown and verified."""

from __future__ import annotations

import click

from service.app import App
from service.cli.running import with_app
from service.core.errors import InputError
from service.core.ledger import Verification


@click.group()
def audit() -> None:
    """Show and verify the ledger."""


@audit.command()
@click.option("--chain", help="A clinic, or `_system`.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def show(chain: str | None, limit: int) -> None:
    """Print the newest records, newest first, as they are stored."""
    page = with_app(lambda app: app.store.ledger.records(chains=[chain] if chain else None, limit=limit))
    for record in page.items:
        click.echo(f"{record.chain} {record.seq} {record.hash[:12]} {record.text}")


@audit.command()
@click.option("--chain", help="A clinic, or `_system`; all, if not given.")
def verify(chain: str | None) -> None:
    """Check every record against the hash of the one before it, and name the first that does not hold."""

    async def work(app: App) -> dict[str, Verification]:
        known = await app.store.ledger.chains()
        if chain and chain not in known:
            raise InputError(f"there is no chain {chain!r}; there are {', '.join(known) or 'none yet'}")
        return {name: await app.store.ledger.verify(name) for name in ((chain,) if chain else known)}

    found = with_app(work)
    if not found:
        click.echo("the ledger is empty: nothing has been recorded in this database")
    for name, verification in found.items():
        click.echo(f"{name}: {verification}")
    if any(verification.broken for verification in found.values()):
        raise click.exceptions.Exit(1)

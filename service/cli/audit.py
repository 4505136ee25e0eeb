"""`governor audit`: the ledger, shown and verified."""

from __future__ import annotations

import click

from service.app import App
from service.cli.running import with_app
from service.core.errors import InputError
from service.core.ledger import Record, Verification, export_line
from service.store.pages import Page

PAGE = 1000


@click.group()
def audit() -> None:
    """Show, verify and export the ledger."""


@audit.command()
@click.option("--chain", help="A clinic, or `_system`.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def show(chain: str | None, limit: int) -> None:
    """Print the newest records, newest first, as they are stored."""

    async def work(app: App) -> Page[Record]:
        return await app.store.ledger.records(chains=await _demand(app, chain), limit=limit)

    for record in with_app(work).items:
        click.echo(f"{record.chain} {record.seq} {record.hash[:12]} {record.text}")


@audit.command()
@click.option("--chain", help="A clinic, or `_system`; all, if not given.")
def export(chain: str | None) -> None:
    """Print every record, oldest first, a line each (NDJSON), as `tools/verify_ledger.py` reads it."""

    async def work(app: App) -> None:
        await _demand(app, chain)
        cursor, more = None, True
        while more:
            page = await app.store.ledger.records(
                chains=[chain] if chain else None, cursor=cursor, limit=PAGE, newest_first=False
            )
            for record in page.items:
                click.echo(export_line(record))
            cursor, more = page.cursor, page.more

    with_app(work)


async def _demand(app: App, chain: str | None) -> list[str]:
    """The chains there are; raises `InputError` for one that is not among them."""
    known = list(await app.store.ledger.chains())
    if chain and chain not in known:
        raise InputError(f"there is no chain {chain!r}; there are {', '.join(known) or 'none yet'}")
    return [chain] if chain else known


@audit.command()
@click.option("--chain", help="A clinic, or `_system`; all, if not given.")
def verify(chain: str | None) -> None:
    """Check every record against the hash of the one before it, and name the first that does not hold."""

    async def work(app: App) -> dict[str, Verification]:
        return {name: await app.store.ledger.verify(name) for name in await _demand(app, chain)}

    found = with_app(work)
    if not found:
        click.echo("the ledger is empty: nothing has been recorded in this database")
    for name, verification in found.items():
        click.echo(f"{name}: {verification}")
    if any(verification.broken for verification in found.values()):
        raise click.exceptions.Exit(1)

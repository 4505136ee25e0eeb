"""`governor audit`: the ledger, shown, verified, exported, its heads noted, its oldest records archived."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from service.app import App
from service.archiving import Archived
from service.archiving import archive as take_out
from service.cli.caller import caller
from service.cli.running import with_app
from service.core.canonical import canonical
from service.core.errors import InputError, SettingsError
from service.core.exports import Format, beginning, lines
from service.core.ledger import Head, Record
from service.core.verification import Verification
from service.files import new_file
from service.jobs.notices import collect
from service.settings import load, variable
from service.signing import SignedHead
from service.store.ledger import Wanted
from service.store.pages import Page

F = TypeVar("F", bound=Callable[..., Any])

ONE = click.option("--chain", help="A clinic, or `_system`; all, if not given.")
DAY = "YYYY-MM-DD"


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if len(text) == len(DAY) else found
        return found.astimezone(UTC) if found.tzinfo else _refuse(text)
    except (ValueError, OverflowError):
        return _refuse(text)


def _refuse(text: str) -> datetime:
    raise click.BadParameter(f"{text!r} is no date, and no instant with its UTC offset such as 2026-01-01T08:00:00+10:00")


def when(name: str, help_: str, *, required: bool = False) -> Callable[[F], F]:
    """An option that takes an instant."""
    said = f"{help_} (a date is its beginning in UTC; or an instant with its offset)."
    return click.option(name, type=_instant, metavar=f"{DAY}[THH:MM...]", required=required, help=said)


@click.group()
def audit() -> None:
    """Show, verify, export and archive the ledger."""


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
@ONE
@click.option("--format", "form", type=click.Choice([each.value for each in Format]), default="ndjson", show_default=True)
@when("--since", "Only records from then on")
@when("--before", "Only records from before then")
@click.option("--output", type=click.Path(path_type=Path), help="A new file, there once it is whole; else standard output.")
def export(chain: str | None, form: str, since: datetime | None, before: datetime | None, output: Path | None) -> None:
    """Print every record, oldest first, a line each: NDJSON, as `tools/verify_ledger.py` reads it, or CSV."""
    of = (chain,) if chain else None
    wanted = Wanted(of, since=since, before=before)

    async def work(app: App) -> None:
        await _demand(app, chain)
        with _destination(output) as file:
            file.write(beginning(Format(form)))
            async for some in await app.store.ledger.export(wanted):
                file.write(lines(Format(form), some))

    with_app(work)


@contextmanager
def _destination(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        return
    with new_file(output) as file:
        yield file


async def _demand(app: App, chain: str | None) -> list[str]:
    """The chains there are; raises `InputError` for one that is not among them."""
    known = list(await app.store.ledger.chains())
    if chain and chain not in known:
        raise InputError(f"there is no chain {chain!r}; there are {', '.join(known) or 'none yet'}")
    return [chain] if chain else known


@audit.command()
@ONE
def verify(chain: str | None) -> None:
    """Check every record against the hash of the one before it, and name the first that does not hold."""

    async def work(app: App) -> dict[str, Verification]:
        return await app.store.ledger.verify_each(await _demand(app, chain))

    found = with_app(work)
    if not found:
        click.echo("the ledger is empty: nothing has been recorded in this database")
    for name, verification in found.items():
        click.echo(f"{name}: {verification}")
    if any(verification.broken for verification in found.values()):
        raise click.exceptions.Exit(1)


# --- heads --------------------------------------------------------------------------------------------------------------


@audit.command()
@ONE
@click.option("--json", "as_json", is_flag=True, help="As `GET /v1/audit/head` answers, with signatures.")
def head(chain: str | None, *, as_json: bool) -> None:
    """Print the newest record of each chain, as `--head` of `tools/verify_ledger.py` takes it: note it down elsewhere."""

    async def work(app: App) -> list[tuple[str, Head, SignedHead | None]]:
        heads = {name: await app.store.ledger.head(name) for name in await _demand(app, chain)}
        signer, now = app.settings.signer, app.clock()
        return [(name, found, signer.sign(name, found, now) if signer else None) for name, found in heads.items()]

    ends = with_app(work)
    if as_json:
        items = [{"chain": name, "seq": found.seq, "hash": found.hash, "signed": signed} for name, found, signed in ends]
        click.echo(canonical({"items": items}))
        return
    for name, found, _ in ends:
        click.echo(_noted(name, found))


def _noted(chain: str, found: Head) -> str:
    return f"{chain}={found.seq}:{found.hash}"


@audit.command()
def key() -> None:
    """Print the public key that heads are signed with, to hand it over; its id on standard error."""
    signer = load().signer
    if signer is None:
        raise SettingsError(f"heads are not signed: set {variable('audit_signing_key')} (`openssl genpkey -algorithm ed25519`)")
    click.echo(signer.public_key, nl=False)
    click.echo(f"key id: {signer.key_id}", err=True)


# --- retention ----------------------------------------------------------------------------------------------------------


@audit.command()
@ONE
@when("--before", "Take out records from before then", required=True)
@click.option("--to", "file", required=True, type=click.Path(path_type=Path), help="A new file (NDJSON).")
def archive(chain: str | None, before: datetime, file: Path) -> None:
    """Move the oldest records of each chain into a file, and leave a checkpoint that the rest is verified from.

    The newest record of a chain always stays. If it is interrupted, call it again just so: it goes on where it stopped.
    """

    async def work(app: App) -> Archived:
        chains = await _demand(app, chain)
        await collect(app)  # what is taken out is told to people by nobody any more
        return await take_out(app.store, chains, before, file, by=caller(), now=app.clock())

    done = with_app(work)
    if not done.checkpoints:
        click.echo(f"nothing to archive: no chain has a record from before {before:%Y-%m-%d %H:%M}Z besides its newest")
        return
    if done.earlier:
        click.echo(f"{file} is a finished archive; to take out more, name a new file. It holds:")
    for each in done.checkpoints:
        taken = f"records {each.first:,} to {each.seq:,} are in {file}"
        click.echo(f"{each.chain}: {taken}; the rest follows {_noted(each.chain, each.head)}")
    click.echo(f"SHA-256: {done.checkpoints[0].sha256}; keep the file where a loss of this machine does not reach")

"""`governor migrate`: the database, brought up to this version before anything is started on it."""

from __future__ import annotations

import logging

import click

from service.cli.stoppable import run
from service.logs import configure
from service.settings import load
from service.store.migrate import Migrated
from service.store.store import Store


@click.command()
def migrate() -> None:
    """Bring the database up to this version, and say from which revision to which.

    Every command that needs the database does so by itself. This is for whoever wants it done, and to see that it went well,
    before the new version is started: on a machine of its own, or with a role of its own that may alter tables. Exit status 1
    where the database cannot be reached, or a later version has been at work on it.
    """
    configure(logging.ERROR)  # what goes wrong is said below
    click.echo(_told(run(_migrated(load().database_url))))


async def _migrated(url: str) -> Migrated:
    store = Store.open(url)
    try:
        return await store.migrate()
    finally:
        await store.aclose()


def _told(found: Migrated) -> str:
    if found.before == found.now:
        return f"the database is up to date: revision {found.now}"
    return f"the database went from {f'revision {found.before}' if found.before else 'empty'} to revision {found.now}"

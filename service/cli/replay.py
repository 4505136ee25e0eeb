"""`governor replay`: a stored run, computed again from its stored inputs."""

from __future__ import annotations

from os.path import commonprefix

import click

import service
from service.app import App
from service.cli.running import with_app
from service.core.canonical import canonical
from service.core.engine import conclude


@click.command()
@click.argument("run")
def replay(run: str) -> None:
    """Compute RUN again from its stored inputs and compare the outcome with the stored one, byte for byte."""

    async def work(app: App) -> tuple[str, str, str]:
        inputs = await app.store.runs.load_inputs(run)
        return inputs.engine, await app.store.runs.outcome_text(run), canonical(conclude(inputs))

    engine, stored, computed = with_app(work)
    if stored == computed:
        click.echo(f"{run}: the same {len(stored.encode()):,} bytes (engine {engine})")
        return
    click.echo(f"{run}: differs (recorded by engine {engine}, this is {service.__version__})", err=True)
    click.echo(_first_difference(stored, computed), err=True)
    raise click.exceptions.Exit(1)


def _first_difference(stored: str, computed: str) -> str:
    at = len(commonprefix([stored, computed]))  # noqa: RUF071 - character by character is what is wanted
    around = slice(max(0, at - 60), at + 60)
    return f"stored:   …{stored[around]}…\ncomputed: …{computed[around]}…"

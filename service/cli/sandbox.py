"""`governor sandbox`: the outside world on loopback ports, for trying things out."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

import click

from service.cli.folder import claim, write_environment


@click.command()
@click.option(
    "--directory", default="sandbox", show_default=True, type=click.Path(path_type=Path), help="Certificate, key, .env."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same diaries.")
def sandbox(directory: Path, seed: int) -> None:
    """Serve Cliniko, Google Ads and Meta over one world of two clinics, until interrupted."""
    from service.sandbox.scene import scene  # noqa: PLC0415 - the gRPC server is heavy
    from service.sandbox.stage import staged  # noqa: PLC0415

    claim(directory)
    world = scene(seed, datetime.now(UTC))
    world.tick()
    with staged(world, directory.resolve()) as stage:
        environment = {**stage.environment, "GOVERNOR_RULES_DIR": str(Path("rules").resolve())}
        write_environment(directory / ".env", environment)
        click.echo("Settings that reach it, for another shell (two of them are read by the gRPC library itself):\n")
        click.echo(f"  set -a; . {directory.resolve()}/.env; set +a\n")
        for name, value in environment.items():
            click.echo(f"{name}={value}")
        click.echo(f"\nControls: {stage.controls}/state  (cancel, book-out, google, meta, fail, heal, advance: POST)")
        click.echo("Interrupt to stop.")
        signal.sigwait({signal.SIGINT, signal.SIGTERM})

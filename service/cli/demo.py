"""`governor demo`: the main job, end to end, against a sandbox of two clinics.

The service is put together exactly as `governor serve` would, from settings; only its clock is the sandbox world's. It
watches from Sunday morning, acts on Monday at 08:00, sees a cancellation cluster at 08:30, and shows the plan at 17:00.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from service.app import App, bootstrap
from service.cli.folder import claim, write_environment
from service.cli.tables import change_line, console, forecast_table, metrics_line, plan_table
from service.core.canonical import canonical
from service.core.errors import GovernorError, InputError
from service.governor import Report
from service.jobs.passes import Failure, evaluate_all
from service.keys import EVERY_CLINIC, new_key
from service.logs import configure
from service.settings import load
from service.store.keys import Role

if TYPE_CHECKING:
    from service.sandbox.world import World

HOUR = timedelta(hours=1)
CANCELLED = 14


@click.command()
@click.option("--once", is_flag=True, help="Exit at the end of the story instead of serving the API.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Where the API is served.")
@click.option("--directory", default="demo", show_default=True, type=click.Path(path_type=Path), help="Made anew each time.")
def demo(*, once: bool, port: int, directory: Path) -> None:
    """The main job against a sandbox of two clinics, from forecast to applied changes and a verified ledger."""
    from service.sandbox.scene import CLINICS, scene  # noqa: PLC0415 - the gRPC server is heavy
    from service.sandbox.stage import staged  # noqa: PLC0415

    rules = load().rules_dir.resolve()
    missing = [clinic for clinic in CLINICS if not (rules / f"{clinic}.yaml").is_file()]
    if missing:
        raise InputError(f"the demonstration needs {', '.join(missing)} in {rules}: run it where the `rules` folder is")
    configure()
    claim(directory)
    world = scene()
    with staged(world, directory.resolve(), requests_per_minute=60_000) as stage:
        own = {
            "GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{directory.resolve() / 'governor.db'}",
            "GOVERNOR_RULES_DIR": str(rules),
        }
        environment = {**stage.environment, **own}
        write_environment(directory / ".env", environment)
        _only(environment)
        asyncio.run(_run(world, directory, port=None if once else port, controls=stage.controls))


def _only(environment: dict[str, str]) -> None:
    """Take the place of every setting of this process: a demonstration must not reach anybody's real accounts."""
    for name in [name for name in os.environ if name.startswith("GOVERNOR_")]:
        del os.environ[name]
    os.environ.update(environment)


async def _run(world: World, directory: Path, *, port: int | None, controls: str) -> None:
    screen = console()
    async with bootstrap(load(env_file=None), world.clock()) as app:
        await _story(app, world, screen)
        _platforms(world, screen)
        (directory / "sandbox.json").write_text(json.dumps(_held(world), indent=2) + "\n")
        await _ledger(app, screen)
        _hint(directory, screen)
        if port is not None:
            await _serve(app, world, screen, port, controls)


# --- the story ----------------------------------------------------------------------------------------------------------


async def _story(app: App, world: World, screen: Console) -> None:
    from service.sandbox.scene import HARBOUR, types_named  # noqa: PLC0415

    physio = types_named(world.clinics[HARBOUR], "Initial physio")
    screen.rule(f"[bold]{_local(world)}: the governor starts watching two clinics")
    await _hours(app, world, screen, 22, "an ordinary Sunday: one pass an hour")

    world.advance(HOUR / 2)
    screen.print(
        f"\n{_local(world)}: {world.book_out(HARBOUR, physio)} physiotherapy appointments are booked; the diary is full.\n"
    )
    world.advance(HOUR / 2)
    await _hours(app, world, screen, 1, "so much gone within an hour is believed at the second look")
    reports = await _pass(app)
    screen.rule(f"[bold]{_local(world)}: the plan, with physiotherapy sold out")
    _show(reports, screen, forecasts=True)

    world.advance(HOUR / 2)
    screen.print(f"\n{_local(world)}: {world.cancel(HARBOUR, physio, CANCELLED)} patients cancel: a cancellation cluster.\n")
    world.advance(HOUR / 2)
    await _hours(app, world, screen, 8, "one pass an hour")
    reports = await _pass(app)
    screen.rule(f"[bold]{_local(world)}: the plan, eight hours after the cancellations")
    _show(reports, screen, forecasts=True)


async def _hours(app: App, world: World, screen: Console, hours: int, what: str) -> None:
    """Let hours pass with a run in each, and say what changed."""
    screen.print(f"{_local(world)}: {what} ...")
    for _ in range(hours):
        for report in await _pass(app):
            for change in report.changes:
                screen.print(f"  {_local(world)}  {change_line(change)}")
        world.advance(HOUR)


async def _pass(app: App) -> list[Report]:
    from service.sandbox.scene import CLINICS  # noqa: PLC0415

    reports = []
    for report in await evaluate_all(app, CLINICS, dry_run=False):
        if isinstance(report, Failure):
            raise GovernorError(f"{report.clinic}: {report.error}")
        reports.append(report)
    return reports


def _show(reports: list[Report], screen: Console, *, forecasts: bool) -> None:
    for report in reports:
        if forecasts:
            for forecast in report.outcome.forecasts.values():
                screen.print(forecast_table(forecast))
                screen.print(f"{metrics_line(forecast)}\n")
        screen.print(plan_table(f"{report.clinic}: run {report.run}, {report.status}", report.decisions))
        for change in report.changes:
            screen.print(f"  {change_line(change)}")
        screen.print()


def _local(world: World) -> str:
    return f"{world.now.astimezone(ZoneInfo('Australia/Sydney')):%a %d %b %H:%M}"


# --- the end ------------------------------------------------------------------------------------------------------------


def _held(world: World) -> dict[str, object]:
    from service.sandbox.controls import as_held  # noqa: PLC0415

    return as_held(world)


def _platforms(world: World, screen: Console) -> None:
    """What the platforms themselves hold: the world's state, not our log."""
    table = Table(title="What the platforms hold now, asked of the sandbox and not of our ledger", title_justify="left")
    for heading in ("platform", "account", "campaign", "status", "daily budget", "edits"):
        table.add_column(heading)
    held = _held(world)
    for row in held["google"]:  # type: ignore[attr-defined]
        micros = f"{row['amount_micros']:,} micros"
        table.add_row("google", row["account"], row["name"], row["status"], micros, str(row["changes"]))
    for row in held["meta"]:  # type: ignore[attr-defined]
        minor = f"{row['daily_budget']:,} cents"
        table.add_row("meta", row["account"], row["name"], row["status"], minor, str(row["changes"]))
    screen.print(table)
    trips = held["trips"]
    screen.print(f"Requests: {held['requests']}; patient endpoints touched: {trips or 'none'}\n")


async def _ledger(app: App, screen: Console) -> None:
    for chain in await app.store.ledger.chains():
        screen.print(f"ledger {chain}: {await app.store.ledger.verify(chain)}")
    for clinic in ("harbour-physio", "northside-allied"):
        run = await app.store.runs.latest_run(clinic)
        if run is not None:
            from service.core.engine import conclude  # noqa: PLC0415

            again = canonical(conclude(await app.store.runs.load_inputs(run.id)))
            same = again == await app.store.runs.outcome_text(run.id)
            screen.print(f"replay {clinic} {run.id}: {'the same bytes' if same else 'DIFFERS'}")


def _hint(directory: Path, screen: Console) -> None:
    screen.print(f"Everything of this demonstration is in [bold]{directory}/[/]: look with, for instance,")
    screen.print(f"  cd {directory} && {Path(sys.argv[0]).resolve()} audit show --limit 5", soft_wrap=True)


async def _serve(app: App, world: World, screen: Console, port: int, controls: str) -> None:
    from service.cli.serve import listen  # noqa: PLC0415

    secret, _ = await new_key(app.store.keys, "demonstration", Role.OPERATOR, [EVERY_CLINIC], app.clock())
    address = f"http://127.0.0.1:{port}"
    screen.rule("[bold]dashboard and API are up; the world goes on in real time, one run an hour; interrupt to stop")
    screen.print(f"dashboard: [bold]{address}/[/]   sign in with [bold]{secret}[/]", soft_wrap=True)
    screen.print(f"curl -H 'Authorization: Bearer {secret}' '{address}/v1/decisions?changed=true&limit=2'", soft_wrap=True)
    screen.print(
        f"description: {address}/schema   health: {address}/healthz   the sandbox's state and controls: {controls}/state"
    )
    world.tick()
    await listen(app, "127.0.0.1", port, hourly=True)

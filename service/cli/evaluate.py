"""`governor evaluate`: one pass over clinics, now."""

from __future__ import annotations

from datetime import timedelta

import click

from service.app import App
from service.cli.running import with_app
from service.cli.tables import change_line, console, plan_table
from service.core.canonical import canonical
from service.core.errors import GovernorError, InputError, NotFoundError
from service.governor import Report
from service.jobs.keeping import forget_once_a_day
from service.jobs.notices import Told, tell
from service.jobs.passes import Failure, evaluate_all
from service.jobs.pinging import ping
from service.logs import redacted
from service.revisions import governed, look_over


@click.command()
@click.argument("clinics", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Observe and decide; record and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as one JSON object.")
def evaluate(clinics: tuple[str, ...], *, dry_run: bool, as_json: bool) -> None:
    """One pass now over CLINICS (all, if none is named): observe, decide, apply.

    A pass over all is what a schedule calls: once a day it also removes what was kept for long enough.
    """

    async def work(app: App) -> list[Report | Failure]:
        names = clinics or await governed(app.store, app.directory)
        if not names:
            raise InputError(f"no rule files in {app.settings.rules_dir}: write one, or set GOVERNOR_RULES_DIR")
        look_over(app.directory, names)
        reports = await evaluate_all(app, names, dry_run=dry_run)
        _print(reports, as_json=as_json)
        if not dry_run:
            await _notify(app)
        if not dry_run and not clinics:
            await _scheduled(app, reports)
        return reports

    reports = with_app(work)
    if any(isinstance(report, Failure) and isinstance(report.error, InputError | NotFoundError) for report in reports):
        raise click.exceptions.Exit(2)
    if any(isinstance(report, Failure) or report.problems for report in reports):
        raise click.exceptions.Exit(1)


def _print(reports: list[Report | Failure], *, as_json: bool) -> None:
    if as_json:
        click.echo(canonical({"runs": [_json(report) for report in reports]}))
        return
    for report in reports:
        _show(report)


async def _scheduled(app: App, reports: list[Report | Failure]) -> None:
    """What belongs to a pass over all clinics."""
    good = not any(isinstance(report, Failure) for report in reports)
    if good and app.settings.redis_url is None:  # else the workers do
        await ping(app.settings.heartbeat_url)
    await _forget(app)


async def _notify(app: App) -> None:
    """Tell people what there is to tell; that it does not work is no fault of the pass, and is tried again with the next."""
    try:
        told = await tell(app, together=timedelta(0))
    except GovernorError as error:
        told = Told(troubles=(str(error),))
    for trouble in told.troubles:
        click.echo(redacted(f"notices are not sent: {trouble}"), err=True)


async def _forget(app: App) -> None:
    """Nothing is lost by keeping what is old until the next pass, so that it does not work is only said."""
    try:
        await forget_once_a_day(app)
    except GovernorError as error:
        click.echo(redacted(f"what is old is not removed: {error}"), err=True)


def _json(report: Report | Failure) -> dict[str, object]:
    if isinstance(report, Failure):
        return {
            "run": None,
            "clinic": report.clinic,
            "status": "failed",
            "message": redacted(str(report.error)),
            "decisions": [],
        }
    return {
        "run": report.run,
        "clinic": report.clinic,
        "status": report.status,
        "decisions": report.decisions,
        "problems": report.problems,
    }


def _show(report: Report | Failure) -> None:
    if isinstance(report, Failure):
        expected = isinstance(report.error, GovernorError)
        said = f"{report.clinic}: {report.error}" if expected else f"{report.clinic}: {report.error!r}"
        click.echo(redacted(said), err=True)
        return
    console().print(plan_table(f"{report.clinic}: run {report.run}, {report.status}", report.decisions))
    for change in report.changes:
        click.echo(change_line(change))
    for problem in report.problems:
        click.echo(problem, err=True)

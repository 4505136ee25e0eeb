"""`governor forecast`: what a clinic can sell, observed now and neither recorded nor acted upon; and how good that has been."""

from __future__ import annotations

import click

from service.app import App
from service.cli.running import with_app
from service.cli.tables import console, forecast_table, metrics_line, scores_table
from service.core.canonical import canonical
from service.core.decide.model import ServiceForecast
from service.core.errors import NotFoundError
from service.core.pace import Rung, Scores
from service.governor import Report
from service.learning import scores
from service.revisions import governed

RUNGS = {
    Rung.PICKUP: "by how bookings have come in before (pickup)",
    Rung.OPENINGS_NOW: "openings as they are now, because there is too little history for more (openings_now)",
    Rung.UNKNOWN: "unknown",
}
"""What the expected metrics stand on, in words."""


@click.command()
@click.argument("clinic")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--scores", "wants_scores", is_flag=True, help="How good the expectations of the last ten weeks have been.")
def forecast(clinic: str, *, as_json: bool, wants_scores: bool) -> None:
    """What CLINIC can sell in the next 14 days, per service and day, observed now; or how good that has been."""
    if wants_scores:
        _scores(clinic, as_json=as_json)
        return

    async def work(app: App) -> Report:
        return await app.governor.run(clinic, dry_run=True)

    report = with_app(work)
    if as_json:
        click.echo(canonical({"clinic": clinic, "forecasts": report.outcome.forecasts}))
    else:
        _show(report)
    if any(not each.days for each in report.outcome.forecasts.values()):
        raise click.exceptions.Exit(1)


def _scores(clinic: str, *, as_json: bool) -> None:
    """Each expectation is scored when its day comes; nothing is read from Cliniko for this."""

    async def work(app: App) -> Scores:
        if clinic not in await governed(app.store, app.directory):
            raise NotFoundError(f"no rule file, and none kept, for {clinic}")
        return await scores(app.store, clinic, app.clock())

    found = with_app(work)
    if as_json:
        click.echo(canonical({"clinic": clinic, "scores": found.lines}))
    elif not found.lines:
        click.echo("No expectation has been scored yet: each is, when its day comes; the first a day after the first look.")
    else:
        console().print(scores_table(found))
        for line in found.totals:
            click.echo(line.verdict)


def _show(report: Report) -> None:
    for each in report.outcome.forecasts.values():
        if each.days:
            console().print(forecast_table(each))
            click.echo(metrics_line(each))
            click.echo(f"  what is expected: {RUNGS[Rung(each.rung)]}")
        else:
            click.echo(f"{each.service}: nothing is known ({', '.join(sorted(_causes(each)))})")
        for caveat in each.caveats:
            click.echo(f"  note: {caveat.sentence}")
        click.echo()
    for problem in report.problems:
        click.echo(problem, err=True)


def _causes(forecast: ServiceForecast) -> set[str]:
    return {reading.cause for reading in forecast.metrics.values() if reading.cause}

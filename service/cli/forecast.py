"""`governor forecast`: what a clinic can sell, observed now and neither recorded nor acted upon."""

from __future__ import annotations

import click

from service.app import App
from service.cli.running import with_app
from service.cli.tables import console, forecast_table, metrics_line
from service.core.ledger import canonical
from service.governor import Report


@click.command()
@click.argument("clinic")
@click.option("--json", "as_json", is_flag=True, help="Print the forecast as one JSON object.")
def forecast(clinic: str, *, as_json: bool) -> None:
    """What CLINIC can sell in the next 14 days, per service and day, observed now."""

    async def work(app: App) -> Report:
        return await app.governor.run(clinic, dry_run=True)

    report = with_app(work)
    if as_json:
        click.echo(canonical({"clinic": clinic, "forecasts": report.outcome.forecasts}))
    else:
        _show(report)
    if any(not each.days for each in report.outcome.forecasts.values()):
        raise click.exceptions.Exit(1)


def _show(report: Report) -> None:
    for each in report.outcome.forecasts.values():
        if each.days:
            console().print(forecast_table(each))
            click.echo(metrics_line(each))
            for caveat in each.caveats:
                click.echo(f"  note: {caveat.sentence}")
            click.echo()
        else:
            click.echo(f"{each.service}: not readable")
    for problem in report.problems:
        click.echo(problem, err=True)

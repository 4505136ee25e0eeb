"""`governor doctor`: is everything in place to hand a clinic's ad budgets over? Reads everything, changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.app import utc_now
from service.cli.looking import Accounts, checked, look
from service.cli.stoppable import run
from service.cli.tables import console
from service.core.canonical import canonical
from service.core.doctor.examination import examine, to_fix
from service.core.doctor.model import Area, Finding, Severity
from service.core.doctor.names import counted
from service.logs import configure
from service.settings import load

STYLES = {Severity.MUST_FIX: "bold red", Severity.LOOK_AT: "yellow", Severity.FINE: "green"}


@click.command()
@click.argument("clinic")
@click.option("--google", metavar="CUSTOMER_ID", help="The Google Ads account, as long as there is no rule file that names it.")
@click.option("--login-customer-id", metavar="ID", help="The manager account it is reached through, if there is one.")
@click.option("--meta", metavar="ACT_ID", help="The Meta ad account, as long as there is no rule file that names it.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def doctor(clinic: str, *, google: str | None, login_customer_id: str | None, meta: str | None, as_json: bool) -> None:
    """Check everything CLINIC's ad budgets will depend on: accounts, services, diaries, rules. Changes nothing.

    Exit status 0 when ready, 1 when something must be fixed first.
    """
    accounts = Accounts.named(google, login_customer_id, meta)
    configure(logging.ERROR)  # what goes wrong is a finding
    findings = examine(run(look(load(), checked(clinic), utc_now, accounts)))
    if as_json:
        click.echo(canonical({"clinic": clinic, "ready": not to_fix(findings), "findings": findings}))
    else:
        report(clinic, findings, console())
    if to_fix(findings):
        raise click.exceptions.Exit(1)


def report(clinic: str, findings: tuple[Finding, ...], screen: Console) -> None:
    """Every finding by area, then what to fix, numbered, or that nothing is in the way."""
    for area in Area:
        found = [finding for finding in findings if finding.area is area]
        if found:
            screen.print(f"[bold]{area}[/]")
            screen.print(_table(found))
    fixes, looks = to_fix(findings), [finding for finding in findings if finding.severity is Severity.LOOK_AT]
    also = f"{counted(len(looks), 'thing')} to look at above." if looks else "Nothing to look at."
    if not fixes:
        screen.print(f"[bold green]{escape(clinic)}: ready[/]. {also}")
        return
    screen.print(f"[bold red]{escape(clinic)}: not ready.[/] To fix first ({len(fixes)}):")
    screen.print(_numbered(fixes))
    screen.print(also)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 2), pad_edge=True)
    table.add_column(no_wrap=True, min_width=8)
    table.add_column(overflow="fold")
    for finding in findings:
        advice = f"\n[dim]{escape(finding.advice)}[/]" if finding.advice and finding.severity is Severity.LOOK_AT else ""
        table.add_row(f"[{STYLES[finding.severity]}]{finding.severity}[/]", escape(finding.sentence) + advice)
    table.add_row("", "")
    return table


def _numbered(fixes: Sequence[Finding]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for number, finding in enumerate(fixes, 1):
        how = f"\n{escape(finding.advice)}" if finding.advice else ""
        table.add_row(f"{number}.", f"{escape(finding.sentence)}{how}")
    return table

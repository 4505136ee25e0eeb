"""`governor init`: a clinic's first rule file, written from its live services, campaigns and budgets."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import click

from service.app import Clock, utc_now
from service.cli.looking import Accounts, checked, look
from service.core.days import local_date
from service.core.doctor.model import AREAS, Observed, Unread
from service.core.doctor.names import counted
from service.core.errors import GovernorError, InputError, RuleFileError
from service.core.model import Survey
from service.core.onboarding.campaigns import draft_campaigns
from service.core.onboarding.document import Draft, document
from service.core.onboarding.services import draft_services
from service.core.rules.currencies import DECIMALS
from service.core.rules.language import RuleSet
from service.logs import configure
from service.rulefiles.source import check
from service.settings import Settings, load


class AboutAnAccount(click.Command):
    """A command that needs at least one of the two ad accounts."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse a command line without either."""
        rest = super().parse_args(ctx, args)
        if not ctx.params["google"] and not ctx.params["meta"]:
            raise click.UsageError(
                "give --google CUSTOMER_ID or --meta act_... (or both): currency and campaigns come from there"
            )
        return rest


@click.command(cls=AboutAnAccount)
@click.argument("clinic")
@click.option("--google", metavar="CUSTOMER_ID", help="The Google Ads account: the ten digits at the top right of Google Ads.")
@click.option("--login-customer-id", metavar="ID", help="The manager account it is reached through, if there is one.")
@click.option("--meta", metavar="ACT_ID", help="The Meta ad account: act_ and digits.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the file instead of writing it.")
def init(clinic: str, *, google: str | None, login_customer_id: str | None, meta: str | None, to_stdout: bool) -> None:
    """Write CLINIC's first rule file from what Cliniko sells online and what the ad accounts hold.

    Its mode is watch: nothing is changed until a person says so. An existing file is never overwritten.
    """
    accounts = Accounts.named(google, login_customer_id, meta)
    configure(logging.ERROR)
    settings = load()
    file = settings.rules_dir / f"{checked(clinic)}.yaml"
    if not to_stdout:
        _refuse_to_overwrite(file)
    text, rules = asyncio.run(drafted(settings, clinic, accounts))
    if to_stdout:
        click.echo(text, nl=False)
    else:
        _write(file, text)
        click.echo(_summary(file, rules))


async def drafted(settings: Settings, clinic: str, accounts: Accounts, clock: Clock = utc_now) -> tuple[str, RuleSet]:
    """The text of a first rule file and what it states; `GovernorError` says why there can be none."""
    seen = await look(settings, clinic, clock, accounts, ruled=False)
    text = document(draft(seen, accounts))
    try:
        return text, check(text, f"{clinic}.yaml")
    except RuleFileError as error:
        message = "a defect of the governor: the file it drafted would be refused, so it was not written"
        raise GovernorError(f"{message}:\n{error}") from None


def draft(seen: Observed, accounts: Accounts) -> Draft:
    """What the file is to state, from everything that was read."""
    if isinstance(seen.diaries, Unread):
        raise GovernorError(f"Cliniko could not be read: {seen.diaries.message}")
    surveys = [_read(survey, AREAS[platform]) for platform, survey in seen.accounts.items()]
    services = draft_services(seen.diaries)
    if not services:
        raise GovernorError(f"Cliniko sells nothing online that could be governed: `governor doctor {seen.clinic}` says why")
    currency = surveys[0].currency
    if currency not in DECIMALS:
        raise GovernorError(f"the ad account is in {currency or 'no currency'}, which rule files do not know")
    campaigns, left_out = draft_campaigns(surveys, services, currency)
    return Draft(
        clinic=seen.clinic,
        name=seen.clinic.replace("-", " ").title(),
        currency=currency,
        made_on=local_date(seen.now, seen.diaries.locations[0].zone),
        services=services,
        campaigns=campaigns,
        left_out=left_out,
        google=accounts.google,
        meta=accounts.meta,
    )


def _read(survey: Survey | Unread, which: str) -> Survey:
    if isinstance(survey, Unread):
        raise GovernorError(f"{which} could not be read: {survey.message}; to go on without it, leave its option out")
    return survey


def _refuse_to_overwrite(file: Path) -> None:
    if file.exists():
        raise InputError(f"{file} exists and is left as it is; `--stdout` prints what would be written")


def _write(file: Path, text: str) -> None:
    """Write a file that is not there yet, and no other: somebody may have made it in the meantime."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as opened:
            opened.write(text)
    except FileExistsError:
        _refuse_to_overwrite(file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}") from None


def _summary(file: Path, rules: RuleSet) -> str:
    what = f"{counted(len(rules.services), 'service')}, {counted(len(rules.campaigns), 'campaign')}"
    clinic = rules.clinic
    return (
        f"wrote {file}: {what}, mode {rules.mode}. Next: go through it (look for CHECK), then\n"
        f"  governor doctor {clinic}\n  governor evaluate {clinic} --dry-run"
    )

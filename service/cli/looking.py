"""What `governor doctor` and `governor init` read of a clinic's systems: everything once, changing nothing.

No database is opened and no lease taken. One system that cannot be read does not stop the others.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from service.app import Adapters, Clock
from service.cliniko.access import shard_of
from service.cliniko.rate import SlidingWindow
from service.core.doctor.model import Key, Observed, Unread, Why
from service.core.errors import (
    CredentialsError,
    InputError,
    NotFoundError,
    OutsideError,
    RuleFileError,
    SettingsError,
    TransientError,
)
from service.core.model import Campaign, Diaries, Mode, Platform, Survey, Unreadable
from service.core.ports import AdAccount
from service.core.rules.language import GoogleAccount, Guardrails, MetaAccount, RuleSet
from service.core.rules.values import AD_ACCOUNT_ID, CUSTOMER_ID, SLUG
from service.observe import Missing, Outside
from service.rulefiles.directory import RuleDirectory
from service.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ad accounts that somebody named on the command line."""

    google: GoogleAccount | None = None
    meta: MetaAccount | None = None

    @classmethod
    def named(cls, google: str | None, login: str | None, meta: str | None) -> Accounts:
        """Check and read the options `--google`, `--login-customer-id` and `--meta`; `InputError` where one is no id."""
        for option, value in (("--google", google), ("--login-customer-id", login)):
            if value is not None and not re.fullmatch(CUSTOMER_ID, value):
                raise InputError(f"{option} cannot be {value!r}: write ten digits, like 123-456-7890")
        if login is not None and google is None:
            raise InputError("--login-customer-id is the manager account of --google: give both")
        if meta is not None and not re.fullmatch(AD_ACCOUNT_ID, meta):
            raise InputError(f"--meta cannot be {meta!r}: write act_ and digits, like act_1029384756")
        customer = GoogleAccount(_digits(google), _digits(login) if login else None) if google else None
        return cls(customer, MetaAccount(meta) if meta else None)


def _digits(id_: str) -> str:
    return id_.replace("-", "")


def checked(clinic: str) -> str:
    """A clinic's name as given on the command line; `InputError` where it can be none."""
    if len(clinic) > 63 or not re.fullmatch(SLUG, clinic):
        raise InputError(f"{clinic!r} is no clinic's name: use lower-case letters, digits and single hyphens")
    return clinic


async def look(settings: Settings, clinic: str, clock: Clock, accounts: Accounts, *, ruled: bool = True) -> Observed:
    """Read everything there is to see of a clinic. Its rule file says which accounts it has; without one `accounts` do.

    With `ruled` False the rule file is not looked at, nor any diary.
    """
    rules, refused = _rules(settings, clinic) if ruled else (None, "")
    if rules is not None and accounts != Accounts():
        raise InputError(f"the rule file of {clinic} says which ad accounts it has: leave --google and --meta out")
    adapters = Adapters(settings, clock, SlidingWindow(settings.cliniko.requests_per_minute))
    try:
        outside = adapters.outside(rules or _naming(clinic, accounts))
        diaries, surveys = await asyncio.gather(_diaries(outside, rules), _surveys(outside))
        elsewhere = await _elsewhere(outside, rules, surveys)
    finally:
        await adapters.aclose()
    return Observed(
        clinic=clinic,
        now=clock(),
        contact_email=bool(settings.cliniko.contact_email),
        kill_switch=settings.kill_switch,
        requests_per_minute=settings.cliniko.requests_per_minute,
        key=_key(settings, clinic),
        diaries=diaries,
        accounts=surveys,
        elsewhere=elsewhere,
        rules=rules,
        refused=refused,
        unaddressed=tuple(name for name in (rules.notify if rules else ()) if settings.channel(name) is None),
    )


def _rules(settings: Settings, clinic: str) -> tuple[RuleSet | None, str]:
    try:
        return RuleDirectory(settings.rules_dir).load(clinic).rules, ""
    except NotFoundError:
        return None, ""
    except RuleFileError as error:
        return None, "; ".join(map(str, error.problems))
    except InputError as error:
        return None, str(error)


def _naming(clinic: str, accounts: Accounts) -> RuleSet:
    """A rule set that says no more than which accounts there are."""
    return RuleSet(clinic, clinic, "", "", Mode.WATCH, {}, {}, (), Guardrails(), accounts.google, accounts.meta)


def _key(settings: Settings, clinic: str) -> Key | None:
    secret = settings.clinic(clinic).cliniko_api_key
    if secret is None:
        return None
    value = secret.get_secret_value().strip()
    try:
        return Key(shard_of(value), "-" in value, overridden=settings.cliniko.base_url is not None)
    except SettingsError:
        return None


# --- reading ------------------------------------------------------------------------------------------------------------


async def _diaries(outside: Outside, rules: RuleSet | None) -> Diaries | Unread:
    source = outside.diaries
    if isinstance(source, Missing):
        return Unread(Why.NOT_SET_UP, source.message)
    return await _read(source.read(tuple(rules.services.values()) if rules else ()))


async def _surveys(outside: Outside) -> dict[Platform, Survey | Unread]:
    found = await asyncio.gather(*(_survey(account) for account in outside.accounts.values()))
    return dict(zip(outside.accounts, found, strict=True))


async def _survey(account: AdAccount | Missing) -> Survey | Unread:
    if isinstance(account, Missing):
        return Unread(Why.NOT_SET_UP, account.message)
    return await _read(account.survey())


async def _elsewhere(
    outside: Outside, rules: RuleSet | None, surveys: dict[Platform, Survey | Unread]
) -> dict[str, Campaign | Unreadable]:
    """The file's campaigns that their account's survey does not list: asked for by id, which says why."""
    found: dict[str, Campaign | Unreadable] = {}
    for platform, survey in surveys.items():
        account = outside.accounts[platform]
        if rules is None or isinstance(survey, Unread) or isinstance(account, Missing):
            continue
        there = {campaign.id for campaign in survey.campaigns}
        lost = {e.name: e.id for e in rules.campaigns.values() if e.platform is platform and e.id not in there}
        answer = await _read(account.read(list(lost.values()))) if lost else {}
        for name, id_ in lost.items():
            found[name] = Unreadable(platform, answer.message) if isinstance(answer, Unread) else answer[id_]
    return found


async def _read(reading: Awaitable[T]) -> T | Unread:
    try:
        return await reading
    except SettingsError as error:
        return Unread(Why.NOT_SET_UP, str(error))
    except CredentialsError as error:
        return Unread(Why.DENIED, str(error), error.code)
    except TransientError as error:
        return Unread(Why.UNREACHABLE, str(error), error.code)
    except OutsideError as error:
        return Unread(Why.NOT_UNDERSTOOD, str(error), error.code)

"""The composition root: settings in, a governor with everything it needs out.

The one place that knows every adapter. Tests and the demonstration call the same `bootstrap` with a clock of their own.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import TypeVar

from pydantic import SecretStr
from ulid import ULID

import service
from service.channels.sending import Send, ThroughApprise
from service.cliniko.access import Access
from service.cliniko.diaries import ClinikoDiaries
from service.cliniko.progress import Progress
from service.cliniko.rate import RateBudget
from service.core.errors import SettingsError
from service.core.model import Platform
from service.core.ports import AdAccount, Board, DiarySource, NoBoard, NoNotes, Notes
from service.core.rules.language import GoogleAccount, MetaAccount, RuleSet
from service.google_ads.account import GoogleAdsAccount
from service.google_ads.client import GoogleAds
from service.google_ads.credentials import GoogleCredentials
from service.google_ads.rests import Rests
from service.governor import Governor
from service.meta.account import MetaAdAccount
from service.meta.credentials import MetaCredentials
from service.meta.pauses import Pauses
from service.monitor import Monitor
from service.noting import StoredNotes
from service.observe import Missing, Outside
from service.rulefiles.directory import RuleDirectory
from service.settings import GoogleAdsSettings, MetaSettings, Settings, kill_switch, load, variable
from service.sharing import Shared, shared
from service.store.store import Store

Clock = Callable[[], datetime]
T = TypeVar("T")


Watch = Callable[[str, Progress], None]
"""Who is told about a long reading: the clinic's slug, and how far it is."""


def _unwatched(clinic: str, progress: Progress) -> None:
    """Nobody is watching."""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Adapters:
    """The outside systems of every clinic, made when first needed and kept: they hold connections and what was read.

    `cliniko_budget` is one for all: it is kept per Cliniko user, and clinics may share one. `progress` is told, clinic by
    clinic, how far a long reading of its diaries is. `notes` keep what Google need not be asked again; by way of `board` other
    processes go by what the ad platforms asked of this one.
    """

    settings: Settings
    clock: Clock
    cliniko_budget: RateBudget
    progress: Watch = _unwatched
    notes: Notes = field(default_factory=NoNotes)
    board: Board = field(default_factory=NoBoard)
    monitor: Monitor = field(default_factory=Monitor)
    _diaries: dict[str, ClinikoDiaries] = field(default_factory=dict)
    _google: dict[str, GoogleAds] = field(default_factory=dict)
    _google_accounts: dict[tuple[str, GoogleAccount, str], GoogleAdsAccount] = field(default_factory=dict)
    _meta: dict[tuple[str, str, str], MetaAdAccount] = field(default_factory=dict)
    _meta_pauses: dict[str, Pauses] = field(default_factory=dict)

    def outside(self, rules: RuleSet) -> Outside:
        """One clinic's outside systems, as its rule file and the settings name them."""
        google, meta = rules.google, rules.meta
        accounts: dict[Platform, AdAccount | Missing] = {}
        if google is not None:
            accounts[Platform.GOOGLE] = _or_missing(lambda: self._google_account(rules, google))
        if meta is not None:
            accounts[Platform.META] = _or_missing(lambda: self._meta_account(rules, meta))
        return Outside(_or_missing(lambda: self._cliniko(rules.clinic)), accounts)

    def _cliniko(self, clinic: str) -> DiarySource | Missing:
        own, email = self.settings.clinic(clinic), self.settings.cliniko.contact_email
        key = own.cliniko_api_key
        if key is None:
            return Missing(f"no API key: set {variable('clinics', clinic, 'cliniko_api_key')}")
        if not email:
            return Missing(f"Cliniko asks for a contact address: set {variable('cliniko', 'contact_email')}")
        if clinic not in self._diaries:
            access = Access.of(key.get_secret_value(), email, self.settings.cliniko.base_url, own.cliniko_user)
            tell = partial(self.progress, clinic)
            self._diaries[clinic] = ClinikoDiaries(
                access, clock=self.clock, budget=self.cliniko_budget, tell=tell, monitor=self.monitor
            )
        return self._diaries[clinic]

    def _google_account(self, rules: RuleSet, account: GoogleAccount) -> AdAccount | Missing:
        chosen = self.settings.google_for(rules.clinic)
        if chosen.json_key_file_path is None and chosen.refresh_token is None:
            return Missing(f"no Google Ads credentials: set {variable('google_ads', 'json_key_file_path')}")
        owner = rules.clinic if self.settings.clinic(rules.clinic).google_ads else ""  # most clinics share one sign-in
        if owner not in self._google:
            credentials = _google_credentials(chosen)
            rests = Rests(time.monotonic, self.board, credentials.identity)
            self._google[owner] = GoogleAds(credentials, endpoint=chosen.endpoint, rests=rests, monitor=self.monitor)
        key = (owner, account, rules.currency)
        if key not in self._google_accounts:
            self._google_accounts[key] = GoogleAdsAccount(
                customer_id=account.customer_id,
                login_customer_id=account.login_customer_id,
                currency=rules.currency,
                client=self._google[owner],
                notes=self.notes,
            )
        return self._google_accounts[key]

    def _meta_account(self, rules: RuleSet, account: MetaAccount) -> AdAccount | Missing:
        chosen = self.settings.meta_for(rules.clinic)
        if chosen.access_token is None:
            return Missing(f"no Meta access token: set {variable('meta', 'access_token')}")
        key = (rules.clinic, account.ad_account_id, rules.currency)
        if key not in self._meta:
            credentials = _meta_credentials(chosen, chosen.access_token)
            self._meta[key] = MetaAdAccount(
                ad_account_id=account.ad_account_id,
                currency=rules.currency,
                credentials=credentials,
                base_url=chosen.base_url,
                clock=self.clock,
                pauses=self._pauses_of(credentials.app),
                monitor=self.monitor,
                board=self.board,
            )
        return self._meta[key]

    def _pauses_of(self, app: str) -> Pauses:
        if app not in self._meta_pauses:
            self._meta_pauses[app] = Pauses(self.clock, self.board, sha256(app.encode()).hexdigest()[:16])
        return self._meta_pauses[app]

    async def aclose(self) -> None:
        """Close every connection."""
        for diaries in self._diaries.values():
            await diaries.aclose()
        for google in self._google.values():
            await google.close()


def _or_missing(make: Callable[[], T]) -> T | Missing:
    """A malformed key of one system must not stop the others."""
    try:
        return make()
    except SettingsError as error:
        return Missing(str(error))


def _google_credentials(chosen: GoogleAdsSettings) -> GoogleCredentials:
    return GoogleCredentials(
        json_key_file_path=chosen.json_key_file_path,
        client_id=chosen.client_id,
        client_secret=_secret(chosen.client_secret),
        refresh_token=_secret(chosen.refresh_token),
    )


def _meta_credentials(chosen: MetaSettings, token: SecretStr) -> MetaCredentials:
    return MetaCredentials(token.get_secret_value(), _secret(chosen.app_secret))


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


@dataclass(frozen=True, slots=True)
class App:
    """The service, put together. Whoever is to be told what it does joins the `monitor`'s watchers.

    `send` takes a message to a channel. `clock` tells what time it is, and may be moved; `monotonic` tells in seconds how much
    has passed.
    """

    settings: Settings
    store: Store
    directory: RuleDirectory
    governor: Governor
    clock: Clock
    monitor: Monitor
    shared: Shared
    monotonic: Callable[[], float] = time.monotonic
    send: Send = field(default_factory=ThroughApprise)


def assemble(
    settings: Settings,
    clock: Clock = utc_now,
    progress: Watch = _unwatched,
    kill_switch: Callable[[], bool | None] | None = None,
) -> tuple[App, Adapters]:
    """Put the service together without touching anything outside; without a `kill_switch` it is as the settings have it."""
    monitor = Monitor()
    store, directory = Store.open(settings.database_url, monitor), RuleDirectory(settings.rules_dir, settings.rules_settle)
    common = shared(settings)
    adapters = Adapters(settings, clock, common.budget, progress, StoredNotes(store, clock), common.board, monitor)
    governor = Governor(
        store=store,
        directory=directory,
        outside=adapters.outside,
        clock=clock,
        new_id=lambda: str(ULID.from_datetime(clock())),
        kill_switch=kill_switch or (lambda: settings.kill_switch),
        engine=service.__version__,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        monitor=monitor,
    )
    return App(settings, store, directory, governor, clock, monitor, common), adapters


@asynccontextmanager
async def bootstrap(
    settings: Settings | None = None, clock: Clock = utc_now, progress: Watch = _unwatched
) -> AsyncIterator[App]:
    """The service with its database brought up to date, for as long as the block lasts.

    Without `settings` they are those of the process, of which the kill switch is read anew whenever it is asked about.
    """
    switch = kill_switch() if settings is None else None
    app, adapters = assemble(settings or load(), clock, progress, switch)
    try:
        async with _traced(app), app.shared.open():
            await app.store.migrate()
            yield app
    finally:
        await adapters.aclose()
        await app.store.aclose()


@asynccontextmanager
async def _traced(app: App) -> AsyncIterator[None]:
    """Have what the service does traced, where anybody wants that."""
    wanted = app.settings.otel
    if not wanted.wanted():
        yield
        return
    from service.telemetry.tracing import Tracing  # noqa: PLC0415 - nobody else pays for OpenTelemetry

    tracing = Tracing(wanted.endpoint, wanted.plain_headers())
    app.monitor.watchers.append(tracing)
    try:
        yield
    finally:
        app.monitor.watchers.remove(tracing)
        await tracing.aclose()

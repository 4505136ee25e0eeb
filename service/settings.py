"""Settings: environment variables with the prefix `GOVERNOR_`, a `.env` file, and a directory of secrets.

Nested names are joined by two underscores: `GOVERNOR_META__ACCESS_TOKEN`. A clinic's own settings carry its slug with
underscores for hyphens: `GOVERNOR_CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY`. The address overrides are how the sandbox is
reached; nothing in the service knows which world it talks to.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as UnreadableSettingsError
from pydantic_settings.sources import NestedSecretsSettingsSource

from service.core.errors import SettingsError
from service.core.redaction import passwords_in
from service.core.rules.language import LONGEST_LOOK_BACK
from service.logs import conceal
from service.signing import Signer
from service.written import Collector, Duration, Origins, Page, Quiet, RedisUrl

M = TypeVar("M", bound=BaseModel)
DAY = timedelta(days=1)
LEARNT_FROM = timedelta(weeks=8)
"""The least that looks are kept for: demand differs by weekday, and one of each is no history."""

STANDARD_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
STANDARD_HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")


class ClinikoSettings(BaseModel):
    """How Cliniko is reached: an address override up to and including `/v1`, and the contact its terms ask for.

    Cliniko allows 200 requests a minute per user, and more on request; the default leaves room for people.
    """

    base_url: str | None = None
    contact_email: str | None = None
    requests_per_minute: int = Field(default=180, ge=1)


class GoogleAdsSettings(BaseModel):
    """Google Ads credentials: a service-account key file, or an OAuth client with a refresh token."""

    json_key_file_path: Path | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    endpoint: str | None = None


class MetaSettings(BaseModel):
    """Meta credentials: a system user's token, and the app secret that proves it (recommended)."""

    access_token: SecretStr | None = None
    app_secret: SecretStr | None = None
    base_url: str | None = None


class ClinicSettings(BaseModel):
    """One clinic's own credentials; ad credentials here override the global ones.

    `cliniko_user` is any name for the Cliniko user whom the key belongs to. It is needed only where several clinics have
    different keys of one user: Cliniko counts requests per user.
    """

    cliniko_api_key: SecretStr | None = None
    cliniko_user: str | None = None
    google_ads: GoogleAdsSettings | None = None
    meta: MetaSettings | None = None


class ApiSettings(BaseModel):
    """The API: how many requests a minute each key may make (0: as many as it likes), and whose web pages may read it.

    `allow_origins` are origins such as `https://dashboard.example`, separated by commas; `*` allows every page.
    """

    requests_per_minute: int = Field(default=600, ge=0)
    allow_origins: Origins = ()


class WorkerSettings(BaseModel):
    """A worker: how many clinics it evaluates at a time. Each waits mostly for its own Cliniko account's request limit."""

    concurrency: int = Field(default=4, ge=1, le=100)


class OtelSettings(BaseModel):
    """Where traces go: an OpenTelemetry collector's address for OTLP over HTTP, and headers that it wants.

    The standard variables are respected too, and any of them that names an endpoint is enough.
    """

    endpoint: Collector | None = None
    headers: dict[str, SecretStr] = {}

    def wanted(self) -> bool:
        """Whether anybody has said where traces go, and nobody that there should be none."""
        off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
        return not off and bool(self.endpoint or any(os.environ.get(name) for name in STANDARD_ENDPOINTS))

    def plain_headers(self) -> dict[str, str]:
        """The headers as they are sent; a variable's name has underscores for their hyphens."""
        return {name.replace("_", "-"): value.get_secret_value() for name, value in self.headers.items()}


class KillSwitch(BaseSettings):
    """The setting that stops everything, and where settings are read from."""

    model_config = SettingsConfigDict(
        env_prefix="GOVERNOR_",
        env_nested_delimiter="__",
        env_file=".env",
        extra="ignore",
        hide_input_in_errors=True,
    )

    kill_switch: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings passes it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then `.env`, then the directory named by GOVERNOR_SECRETS_DIR."""
        directory = os.environ.get("GOVERNOR_SECRETS_DIR")
        if directory and not Path(directory).is_dir():
            raise SettingsError(f"GOVERNOR_SECRETS_DIR: there is no directory {directory}")
        sources = (init_settings, env_settings, dotenv_settings)
        if not directory:
            return sources
        secrets = NestedSecretsSettingsSource(
            file_secret_settings, secrets_dir=directory, secrets_prefix="", secrets_nested_delimiter="__"
        )
        return (*sources, secrets)


class Settings(KillSwitch):
    """Everything that differs between installations."""

    database_url: str = "sqlite+aiosqlite:///governor.db"
    redis_url: RedisUrl | None = None
    worker: WorkerSettings = WorkerSettings()
    rules_dir: Path = Path("rules")
    rules_settle: Duration = timedelta(seconds=2)
    keep_snapshots: Duration = timedelta(days=400)
    keep_looks: Duration = timedelta(days=800)
    keep_reports: Duration = Field(default=timedelta(days=400), ge=timedelta(days=100))
    evaluate_every: Duration = Field(default=timedelta(hours=1), ge=timedelta(minutes=1))
    heartbeat_url: SecretStr | None = None
    audit_signing_key: SecretStr | None = None
    cliniko: ClinikoSettings = ClinikoSettings()
    google_ads: GoogleAdsSettings = GoogleAdsSettings()
    meta: MetaSettings = MetaSettings()
    api: ApiSettings = ApiSettings()
    otel: OtelSettings = OtelSettings()
    clinics: dict[str, ClinicSettings] = {}
    notify: dict[str, SecretStr] = {}
    quiet_hours: Quiet = None
    public_url: Page = ""

    @field_validator("keep_snapshots")
    @classmethod
    def _reaches_back_far_enough(cls, keep: timedelta) -> timedelta:
        if keep <= LONGEST_LOOK_BACK + DAY:
            hours = LONGEST_LOOK_BACK // timedelta(hours=1)
            raise ValueError(f"rules compare with snapshots of up to {hours} hours ago; keep them for longer, such as 400d")
        return keep

    @field_validator("keep_looks")
    @classmethod
    def _is_enough_to_learn_from(cls, keep: timedelta) -> timedelta:
        if keep < LEARNT_FROM:
            weeks = LEARNT_FROM // timedelta(weeks=1)
            raise ValueError(f"the booking-pace model learns from {weeks} weeks at least; keep looks for longer, such as 800d")
        return keep

    @field_validator("audit_signing_key")
    @classmethod
    def _signs(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            Signer.of(key.get_secret_value())
        return key

    @property
    def signer(self) -> Signer | None:
        """Who signs the ledger's heads; None where no key is set."""
        return None if self.audit_signing_key is None else Signer.of(self.audit_signing_key.get_secret_value())

    def channel(self, name: str) -> SecretStr | None:
        """The address of a channel as rule files name it; None where none is set."""
        return self.notify.get(name.replace("-", "_").lower())

    def clinic(self, slug: str) -> ClinicSettings:
        """One clinic's settings; empty where none are set."""
        return self.clinics.get(slug.replace("-", "_"), ClinicSettings())

    def google_for(self, slug: str) -> GoogleAdsSettings:
        """The Google Ads settings in force for a clinic."""
        return _overridden(self.google_ads, self.clinic(slug).google_ads)

    def meta_for(self, slug: str) -> MetaSettings:
        """The Meta settings in force for a clinic."""
        return _overridden(self.meta, self.clinic(slug).meta)


def _overridden(common: M, own: M | None) -> M:
    return common if own is None else common.model_copy(update=own.model_dump(exclude_unset=True, exclude_none=True))


def variable(*path: str) -> str:
    """The environment variable for a setting: `variable("clinics", "harbour-physio", "cliniko_api_key")`."""
    return "GOVERNOR_" + "__".join(part.replace("-", "_").upper() for part in path)


def secrets(settings: Settings) -> frozenset[str]:
    """What must not be shown: every setting that is declared a secret, the passwords within addresses.

    And the key in Google's key file, and what a collector of traces is sent by the standard variables (`name=value,...`).
    """
    pairs = (pair for name in STANDARD_HEADERS for pair in os.environ.get(name, "").split(","))
    return frozenset(filter(None, [*_secrets(settings), *(pair.partition("=")[2] for pair in pairs)]))


def _secrets(value: object) -> Iterator[str]:
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case str():
            yield from passwords_in(value)
        case ClinicSettings(cliniko_api_key=SecretStr() as key):
            yield key.get_secret_value().strip().rpartition("-")[0]  # Cliniko takes a key without its shard's name too
            yield from _secrets(dict(value))
        case GoogleAdsSettings(json_key_file_path=Path() as path):
            yield from _private_key(path)
            yield from _secrets(dict(value) | {"json_key_file_path": None})
        case BaseModel():
            yield from _secrets(dict(value))
        case Mapping():
            for each in value.values():
                yield from _secrets(each)


def _private_key(path: Path) -> Iterator[str]:
    """The key within Google's key file; none where it cannot be read now, which is told where it is used."""
    try:
        key = json.loads(path.read_text(encoding="utf-8"))["private_key"] if path.is_file() else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return
    if isinstance(key, str):
        yield key


def load(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process, whose secrets are from now on blanked out of all that is logged.

    Raises `SettingsError` naming the variables that are wrong, never their values.
    """
    settings = _read(env_file)
    conceal(secrets(settings))
    return settings


def _read(env_file: Path | None) -> Settings:
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        lines = (f"{variable(*map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_input=False))
        raise SettingsError("\n".join(lines)) from None
    except UnreadableSettingsError as error:  # JSON was expected; its message names the field and does not quote the value
        raise SettingsError(_not_json(str(error))) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{env_file} (or a file of secrets) is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{error.filename or env_file} cannot be read: {error.strerror or error}") from None


def kill_switch(env_file: Path = Path(".env")) -> Callable[[], bool | None]:
    """Who tells whether the kill switch is on, reading it anew each time: it must stop a service that is running.

    None: it cannot be read. So it is where the file was there and is gone, and may be about to be written.
    """
    path = env_file.resolve()
    there = path.exists()

    def asked() -> bool | None:
        try:
            found = KillSwitch(_env_file=path).kill_switch
        except (ValidationError, UnreadableSettingsError, SettingsError, UnicodeDecodeError, OSError):
            return None
        return None if there and not path.exists() else found

    return asked


def _not_json(message: str) -> str:
    named = re.search(r'field "(\w+)"', message)
    if named is None:
        return message
    name = variable(named[1])
    return f"{name}: this is a group of settings, and its value is not JSON; give each its own variable, {name}__..."

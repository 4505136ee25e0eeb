"""No secret of the settings comes to light, however the service fails: a word is planted in each and looked for everywhere.

Which settings are secrets is found out from their declaration, so that a new one is covered without being named here.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote, quote_plus

import httpx
import pytest
import structlog
from pydantic import BaseModel, SecretStr

from service import logs
from service.app import bootstrap
from service.core.errors import CredentialsError, StoreError, TransientError
from service.core.ledger import export_line
from service.core.model import Diaries
from service.core.rules.language import RuleSet
from service.jobs.hourly import Hourly
from service.keys import EVERY_CLINIC, new_key
from service.observe import Outside
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.google_ads.server import google_ads_server
from service.sandbox.meta.server import meta_app
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.serving import serving
from service.sandbox.world import Fault, World
from service.settings import Settings, load, secrets, variable
from service.store.keys import Role
from service.web.server import create_app, over
from tests.cli.called import governor
from tests.e2e.served import served
from tests.support import RULES
from tests.web.conftest import client_of

Path_ = tuple[str, ...]


# --- planting -----------------------------------------------------------------------------------------------------------


def declared(kind: type[BaseModel], path: Path_ = ()) -> Iterator[Path_]:
    """Where a model of settings has secrets; a clinic is Harbour, any other name in a mapping is `one`."""
    for name, field_ in kind.model_fields.items():
        yield from _within(field_.annotation, (*path, name))


def _within(annotation: Any, path: Path_) -> Iterator[Path_]:
    if annotation is SecretStr:
        yield path
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from declared(annotation, path)
    elif getattr(annotation, "__origin__", None) is dict:
        yield from _within(get_args(annotation)[1], (*path, HARBOUR if path == ("clinics",) else "one"))
    else:
        for each in get_args(annotation):
            yield from _within(each, path)


SECRETS = sorted(declared(Settings))
WORDS = {path: f"zqMark{n:02}/x+7" for path, n in zip(SECRETS, count(10), strict=False)}
"""A word for each secret, with characters that are written otherwise in addresses and in base64."""

PASSWORD = "zqMark99Pass7"


def planted(path: Path_) -> str:
    """A value for this setting with its word in it, of the form that the setting wants."""
    word = WORDS[path]
    match path:
        case ("heartbeat_url",):
            return f"http://127.0.0.1:9/{word}"
        case ("redis_url",):
            return f"redis://:{quote(word, safe='')}@127.0.0.1:9/0"
        case ("notify", _):
            return f"json://ops:{word}@127.0.0.1:9/{word}?token={word}"
        case (*_, "cliniko_api_key"):
            return f"{word}-au1"
        case ("audit_signing_key",):
            return base64.b64encode(word.ljust(32, ".").encode()).decode()
    return word


EVERY = {variable(*path): planted(path) for path in SECRETS}
ENVIRONMENT = {name: value for name, value in EVERY.items() if name != "GOVERNOR_REDIS_URL"}
"""With a Redis that is not there nothing would be sent to Cliniko, and `serve` would leave the hourly run to others."""


def appears(word: str, text: str) -> bool:
    """Whether the word can be read out of the text: as it is, percent-encoded, in JSON, or in anything that is base64."""
    plain = (word, quote(word), quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1])
    low = text.lower()
    return any(each.lower() in low for each in plain) or any(word.encode() in octets for octets in _decoded(text))


def _decoded(text: str) -> Iterator[bytes]:
    for token in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        standard = token.replace("-", "+").replace("_", "/")
        for first in range(4):
            part = standard[first:]
            whole = part[: len(part) - (len(part) % 4 == 1)]
            yield base64.b64decode(whole + "=" * (-len(whole) % 4))


def found(text: str, words: dict[Path_, str] = WORDS) -> list[str]:
    """The settings whose words can be read out of a text."""
    shown = [variable(*path) for path, word in words.items() if appears(word, text)]
    return [*shown, "GOVERNOR_DATABASE_URL"] if appears(PASSWORD, text) else shown


def in_files(directory: Path) -> list[str]:
    """The settings whose words can be read out of the database."""
    return [each for file in directory.glob("governor.db*") for each in found(file.read_bytes().decode("latin-1"))]


@pytest.mark.parametrize("form", ["{}", "x{}y", "%2F{}", '{{"a": "{}"}}'])
def test_a_word_is_found_where_it_is(form: str) -> None:
    word = WORDS[SECRETS[0]]
    for text in (form.format(word), form.format(quote(word, safe="")), form.format(word.lower())):
        assert found(text) == [variable(*SECRETS[0])]
    for user in ("", "a", "ab", "abc"):
        assert found(base64.b64encode(f"{user}:{word}:".encode()).decode()) == [variable(*SECRETS[0])]
    assert found("Authorization: Basic Og==") == []


# --- what is known to be secret -----------------------------------------------------------------------------------------


def test_every_declared_secret_is_planted() -> None:
    names = set(EVERY)
    assert {
        "GOVERNOR_HEARTBEAT_URL",
        "GOVERNOR_META__ACCESS_TOKEN",
        "GOVERNOR_NOTIFY__ONE",
        "GOVERNOR_OTEL__HEADERS__ONE",
    } <= names
    assert "GOVERNOR_CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY" in names
    assert "GOVERNOR_CLINICS__HARBOUR_PHYSIO__GOOGLE_ADS__REFRESH_TOKEN" in names


def test_every_secret_is_known_once_settings_are_loaded_and_shown_by_none_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in EVERY.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOVERNOR_DATABASE_URL", f"postgresql+psycopg://governor:{PASSWORD}@127.0.0.1:9/governor")
    settings = load()
    known = secrets(settings)
    assert known == {*EVERY.values(), PASSWORD, WORDS["clinics", HARBOUR, "cliniko_api_key"]}
    for shown in (repr(settings), str(settings), settings.model_dump_json(exclude={"database_url"})):
        assert set(found(shown)) <= {
            "GOVERNOR_DATABASE_URL"
        }  # it is no declared secret, as its other parts are wanted in messages
    for text in (*EVERY.values(), f"postgresql+psycopg://governor:{PASSWORD}@127.0.0.1:9/governor"):
        assert found(logs.redacted(f"said {text}")) == []


# --- a service that is refused, with everything logged ------------------------------------------------------------------


@dataclass
class Scene:
    """The sandbox, whose systems take the planted secrets; `stderr` is all that was logged."""

    world: World
    environment: dict[str, str]
    answers: list[str] = field(default_factory=list)


@pytest.fixture
def sandboxed(google_certificate: Path, tmp_path: Path) -> Iterator[Scene]:
    world = scene()
    token, proof = planted(("meta", "access_token")), planted(("meta", "app_secret"))
    own = {path: planted(path) for path in SECRETS}
    world.clinics[HARBOUR].api_key = own["clinics", HARBOUR, "cliniko_api_key"]
    with (
        serving(cliniko_app(world, limit=60_000)) as cliniko,
        serving(meta_app(world, token, proof, hourly_calls=60_000)) as meta,
        google_ads_server(world, google_certificate) as google,
    ):
        yield Scene(
            world,
            {
                **{name: value for name, value in ENVIRONMENT.items() if not re.search("HARBOUR_PHYSIO__(META|GOOGLE)", name)},
                "GOVERNOR_CLINIKO__BASE_URL": f"{cliniko}/v1",
                "GOVERNOR_CLINIKO__CONTACT_EMAIL": "ops@example.com",
                "GOVERNOR_CLINIKO__REQUESTS_PER_MINUTE": "50000",
                "GOVERNOR_META__BASE_URL": meta,
                "GOVERNOR_GOOGLE_ADS__ENDPOINT": google.endpoint,
                "GOVERNOR_GOOGLE_ADS__JSON_KEY_FILE_PATH": str(google.key_file),
                "GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}",
                "GOVERNOR_RULES_DIR": str(RULES),
                "GOVERNOR_RULES_SETTLE": "0s",
            },
        )


@contextmanager
def everything_is_logged() -> Iterator[None]:
    """All that any library logs, requests and their headers included, goes the way of our own log."""
    root, libraries = logging.getLogger(), logs._LIBRARIES
    loggers = [root, *map(logging.getLogger, (*logs.SILENCED, "urllib3", "google", "sqlalchemy.engine", "asyncio"))]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    level, handlers = libraries.level, [*root.handlers]
    logs.configure(logging.DEBUG)
    libraries.setLevel(logging.DEBUG)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    try:
        yield
    finally:
        for logger, was, propagated in before:
            logger.setLevel(was)
            logger.propagate = propagated
        libraries.setLevel(level)
        root.handlers[:] = handlers
        structlog.reset_defaults()
        logs.conceal([])


TROUBLES = [
    [],
    [("cliniko", "unauthorized"), ("meta", "token_expired"), ("google", "token_revoked")],
    [("cliniko", "server_error"), ("meta", "down")],
    [("cliniko", "html"), ("meta", "json_500_without_error"), ("google", "permission_denied")],
]


async def test_whatever_goes_wrong_outside_shows_no_secret_anywhere(
    sandboxed: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in sandboxed.environment.items():
        monkeypatch.setenv(name, value)
    with everything_is_logged():
        async with bootstrap(clock=sandboxed.world.clock()) as app:
            secret, _ = await new_key(app.store.keys, "admin", Role.ADMIN, [EVERY_CLINIC], app.clock())
            async with client_of(create_app(app, hourly=False)) as client:
                client.headers["Authorization"] = f"Bearer {secret}"
                for trouble in TROUBLES:
                    sandboxed.world.faults = [Fault(system, kind) for system, kind in trouble]  # type: ignore[arg-type] # a system
                    sandboxed.answers += [await evaluated(client), *[await shown(client, path) for path in PATHS]]
            async with over(app, Hourly(app)).lifespan():
                pass
            records = (await app.store.ledger.records(limit=100_000)).items
            exported = "\n".join(map(export_line, records))
    written = capfd.readouterr()
    assert "run_finished" in written.err
    assert "authorization" in written.err.lower()  # what libraries say of requests is there to be looked through
    assert sum("incomplete" in answer for answer in sandboxed.answers) >= 3
    for text in (written.err, written.out, exported, *sandboxed.answers):
        assert found(text) == []
    assert not any(appears(secret, text) for text in (written.err, exported, *sandboxed.answers))
    assert in_files(tmp_path) == []


PATHS = (f"/v1/clinics/{HARBOUR}", f"/v1/clinics/{HARBOUR}/campaigns", "/v1/decisions", "/v1/audit?limit=500", "/metrics")


async def evaluated(client: httpx.AsyncClient) -> str:
    return (await client.post(f"/v1/clinics/{HARBOUR}/evaluations", json={"dry_run": False})).text


async def shown(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(path)).text


# --- defects that quote what they should not ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Indiscreet:
    """A Cliniko whose every failure quotes every secret there is."""

    error: Exception

    async def read(self, _: object) -> Diaries:
        raise self.error


QUOTED = "; ".join([*ENVIRONMENT.values(), base64.b64encode(f"u:{PASSWORD}".encode()).decode(), PASSWORD])
ERRORS = [
    TransientError("cliniko", f"it did not answer: {QUOTED}"),
    CredentialsError("cliniko", f"it refused: {QUOTED}", code="401"),
    StoreError(f"the database refused: {QUOTED}"),
    ZeroDivisionError(QUOTED),
    ValueError({"headers": [QUOTED]}),
]


@pytest.fixture
async def knowing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    """Settings of this process, with the secrets that the errors quote."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOVERNOR_DATABASE_URL", f"postgresql+psycopg://governor:{PASSWORD}@127.0.0.1:9/governor")
    monkeypatch.setenv("GOVERNOR_RULES_DIR", str(RULES))
    with everything_is_logged():
        yield load().model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}"})


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.sampled(2)
async def test_an_error_that_quotes_secrets_is_kept_and_logged_without_them(
    knowing: Settings, error: Exception, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def outside(_: RuleSet) -> Outside:
        return Outside(Indiscreet(error), {})

    async with bootstrap(knowing) as assembled:
        app = replace(assembled, governor=replace(assembled.governor, outside=outside))
        secret, _ = await new_key(app.store.keys, "admin", Role.ADMIN, [EVERY_CLINIC], app.clock())
        async with client_of(create_app(app, hourly=False)) as client:
            client.headers["Authorization"] = f"Bearer {secret}"
            answers = [await evaluated(client), *[await shown(client, path) for path in PATHS]]
        records = (await app.store.ledger.records(limit=100_000)).items
    exported = "\n".join(map(export_line, records))
    written = capfd.readouterr()
    assert "[secret]" in written.err + exported  # it was quoted, and taken out
    for text in (written.err, written.out, exported, *answers):
        assert found(text) == []
    assert in_files(tmp_path) == []


# --- the command line ---------------------------------------------------------------------------------------------------

REFUSED = {**ENVIRONMENT, "GOVERNOR_CLINIKO__CONTACT_EMAIL": "ops@example.com", "GOVERNOR_RULES_DIR": str(RULES)}
NOBODY = {
    "GOVERNOR_CLINIKO__BASE_URL": "http://127.0.0.1:9/v1",
    "GOVERNOR_META__BASE_URL": "http://127.0.0.1:9",
    "GOVERNOR_GOOGLE_ADS__JSON_KEY_FILE_PATH": "/nowhere/google.json",
}
AT_DATABASE = "GOVERNOR_DATABASE_URL"
WORD = WORDS["meta", "access_token"]
CALLS = [
    pytest.param(["evaluate", "harbour-physio"], NOBODY, 1, id="nobody answers"),
    pytest.param(["evaluate", "--json", "harbour-physio"], NOBODY, 1, id="nobody answers, as JSON", marks=pytest.mark.soak),
    pytest.param(["doctor", "harbour-physio"], NOBODY, 1, id="an examination", marks=pytest.mark.soak),
    pytest.param(["keys", "list"], {AT_DATABASE: f"postgresql+psycopg://u:{PASSWORD}@127.0.0.1:9/x"}, 1, id="no database"),
    pytest.param(["keys", "list"], {AT_DATABASE: f"postgresql+psycopg://u:a@{PASSWORD}:x@h/d"}, 2, id="an @ in it"),
    pytest.param(["keys", "list"], {AT_DATABASE: f"postgresql://u:a:{PASSWORD}/b@h:port/d"}, 2, id="no port"),
    pytest.param(["keys", "list"], {AT_DATABASE: f"nonsense://u:{PASSWORD}@h/d"}, 2, id="no database"),
    pytest.param(["serve"], {AT_DATABASE: f"sqlite+aiosqlite:////nowhere/{PASSWORD}@h/x.db"}, 2, id="no folder"),
    pytest.param(["keys", "list"], {"GOVERNOR_EVALUATE_EVERY": "often"}, 2, id="another setting is wrong"),
    pytest.param(["keys", "list"], {"GOVERNOR_META": f'{{"access_token": "{WORD}"'}, 2, id="a group that is no JSON"),
    pytest.param(["keys", "list"], {"GOVERNOR_NOTIFY": WORD}, 2, id="a mapping that is no JSON"),
    pytest.param(["keys", "list"], {"GOVERNOR_CLINICS__QUAY": WORD}, 2, id="a clinic that is a text"),
    pytest.param(["keys", "list"], {"GOVERNOR_META__APP_SECRET": f'["{WORD}"]'}, 0, id="a secret that is a list"),
    pytest.param(["keys", "list"], {"GOVERNOR_OTEL__ENDPOINT": f"x://{WORD}"}, 2, id="an endpoint that is none"),
]


@pytest.mark.parametrize(("args", "env", "status"), CALLS)
@pytest.mark.sampled(3)
def test_a_command_that_fails_shows_no_secret(args: list[str], env: dict[str, str], status: int, tmp_path: Path) -> None:
    if env is NOBODY:
        env = {**env, "GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'governor.db'}"}
    result = governor(*args, cwd=tmp_path, **{**REFUSED, **env})
    assert result.returncode == status, result.stderr
    assert bool(result.stdout + result.stderr) is bool(status)
    if "no folder" not in result.stderr:  # the folder's name is no password, whatever it looks like
        assert found(result.stdout + result.stderr) == []
    assert in_files(tmp_path) == []


# --- the service as a process -------------------------------------------------------------------------------------------


def test_the_service_as_a_process_writes_json_lines_and_no_secret(sandboxed: Scene, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOVERNOR_")}
    sandboxed.world.faults = [Fault("meta", "token_expired"), Fault("cliniko", "unauthorized")]
    with served({**clean, **sandboxed.environment}, tmp_path) as service, service.client() as client:
        for path in ("/v1/clinics", "/healthz", "/metrics", "/nowhere", f"/v1/{WORD}"):
            client.get(path, headers={"Authorization": f"Bearer {WORD}"})
        service.wait_for("pass_finished")
    text = service.output.read_text("utf-8")
    first, *lines = text.splitlines()
    assert first.startswith("listening on")
    events = [json.loads(line)["event"] for line in lines]
    assert {"pass_finished", "run_finished", "request_answered", "heartbeat_not_delivered"} <= set(events)
    assert "Traceback" not in text
    assert found(text) == []

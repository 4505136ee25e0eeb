"""Settings as an operator writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from service.core.errors import SettingsError
from service.logs import redacted
from service.settings import Settings, load, secrets
from service.shared.connection import connected


def loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(f"GOVERNOR_{name}", value)
    return load(env_file=None)


@pytest.mark.parametrize(
    ("written", "origins"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        ("https://a.example, http://localhost:3000,", ("https://a.example", "http://localhost:3000")),
        ("*", ("*",)),
        ("https://*.a.example", ("https://*.a.example",)),
    ],
)
def test_origins_are_written_with_commas(monkeypatch: pytest.MonkeyPatch, written: str, origins: tuple[str, ...]) -> None:
    assert loaded(monkeypatch, API__ALLOW_ORIGINS=written).api.allow_origins == origins


@pytest.mark.parametrize(
    "written", ["a.example", "https://a.example/path", "https://a.example/", "ftp://a.example", "https://"]
)
def test_what_is_no_origin_is_refused_by_the_name_of_its_setting(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    with pytest.raises(SettingsError, match="GOVERNOR_API__ALLOW_ORIGINS"):
        loaded(monkeypatch, API__ALLOW_ORIGINS=written)


def test_a_limit_is_a_number_of_requests_and_nought_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch).api.requests_per_minute == 600
    assert loaded(monkeypatch, API__REQUESTS_PER_MINUTE="0").api.requests_per_minute == 0
    with pytest.raises(SettingsError, match="GOVERNOR_API__REQUESTS_PER_MINUTE"):
        loaded(monkeypatch, API__REQUESTS_PER_MINUTE="-1")


def test_headers_of_a_collector_may_be_written_as_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, OTEL__ENDPOINT="http://collector:4318", OTEL__HEADERS__X_API_KEY="w0rd")
    assert settings.otel.plain_headers() == {"x-api-key": "w0rd"}
    assert "w0rd" not in repr(settings)


def fields(kind: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of plain settings, as variables without their prefix; what is one clinic's own has a row for all of it."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, (*path, name))
        elif name not in {"clinics", "notify"}:
            yield "__".join((*path, name)).upper()


def test_every_setting_is_named_in_the_readme() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    missing = [name for name in fields(Settings) if name not in text and f"`__{name.partition('__')[2]}`" not in text]
    assert missing == []


def test_a_password_in_the_query_of_the_database_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(monkeypatch, DATABASE_URL="postgresql+psycopg://governor@db/governor?password=hunter2")
    assert "hunter2" in secrets(settings)
    assert redacted("no entry for hunter2") == "no entry for [secret]"


def test_the_key_in_googles_key_file_is_a_secret_wherever_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "BKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"]
    for name, line in zip(("all", "quay"), lines, strict=True):
        key = f"-----BEGIN PRIVATE KEY-----\n{line}\n-----END PRIVATE KEY-----\n"
        (tmp_path / f"{name}.json").write_text(json.dumps({"client_email": "ads@example.com", "private_key": key}))
    files = {
        "GOOGLE_ADS__JSON_KEY_FILE_PATH": str(tmp_path / "all.json"),
        "CLINICS__QUAY__GOOGLE_ADS__JSON_KEY_FILE_PATH": str(tmp_path / "quay.json"),
    }
    loaded(monkeypatch, **files)
    assert redacted(f"ads@example.com {lines}") == "ads@example.com ['[secret]', '[secret]']"


@pytest.mark.parametrize("written", ["", "no JSON", "[]", "{}", '{"private_key": 7}', None])
def test_a_key_file_without_a_key_is_not_upsetting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str | None
) -> None:
    file = tmp_path / "key.json"
    if written is not None:
        file.write_text(written)
    assert secrets(loaded(monkeypatch, GOOGLE_ADS__JSON_KEY_FILE_PATH=str(file))) == frozenset()


@pytest.mark.parametrize(
    "written",
    [
        "redis://redis:6379/0",
        "redis://127.0.0.1:6379",
        "redis://:p%40ss%2F@redis:6379/3",
        "rediss://governor:secret@redis.example/0",
        f"rediss://redis.example:6380/0?ssl_ca_certs={__file__}&ssl_cert_reqs=required",
    ],
)
def test_the_address_of_a_redis_is_one_that_the_client_takes(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    url = loaded(monkeypatch, REDIS_URL=written).redis_url
    assert url is not None
    assert url.get_secret_value() == written
    connected(url)
    assert written not in repr(url)


@pytest.mark.parametrize(
    "written",
    [
        "redis",
        "http://redis:6379",
        "unix:///run/redis.sock",
        "redis://:s3cr3tpart#x@redis:6379/0",
        "redis://:s3cr3tpart/x@redis:6379/0",
        "redis://redis:99999/0",
        "redis://redis:port/0",
        "redis://redis:6379/zero",
        "redis://redis:6379/0?socket_timeout=abc",
        "redis://[::1/0",
        "redis://one,two:6379/0",
        f"redis://redis:6379/0?ssl_ca_certs={__file__}",
    ],
)
def test_what_is_no_address_of_a_redis_is_refused_without_its_password(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    with pytest.raises(SettingsError, match=r"GOVERNOR_REDIS_URL: .*write the address of a Redis") as refused:
        loaded(monkeypatch, REDIS_URL=written)
    assert "s3cr3tpart" not in str(refused.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("ssl_ca_certs=/not/there.pem", "there is no file /not/there.pem"),
        ("ssl_foo=1", "ssl_ca_certs, ssl_certfile and ssl_keyfile"),
        ("ssl_cert_reqs=nonsense", "required, optional or none"),
    ],
)
def test_options_of_tls_that_no_connection_takes_are_refused(monkeypatch: pytest.MonkeyPatch, options: str, why: str) -> None:
    with pytest.raises(SettingsError, match=f"GOVERNOR_REDIS_URL: .*{why}"):
        loaded(monkeypatch, REDIS_URL=f"rediss://redis.example:6380/0?{options}")

"""Signing in, and what must never be said."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from service.core.errors import CredentialsError, OutsideError, SettingsError, TransientError
from service.core.model import State
from service.google_ads.client import GoogleAds
from service.google_ads.credentials import GoogleCredentials
from tests.google_ads.conftest import MUTATE, SEARCH, Stage


async def test_a_user_signs_in_with_a_refresh_token(stage: Stage) -> None:
    box = stage.sandbox
    user = GoogleCredentials(
        client_id=box.client_id, client_secret=box.client_secret, refresh_token=box.refresh_token, token_uri=box.token_uri
    )

    assert (await stage.read(adapter=stage.adapter(stage.client(user)))).name == "Campaign 1"


async def test_a_withdrawn_refresh_token_is_a_matter_of_credentials(stage: Stage) -> None:
    user = GoogleCredentials(
        client_id="x", client_secret="hush-hush", refresh_token="1//secret", token_uri=stage.sandbox.token_uri
    )

    with pytest.raises(CredentialsError, match="invalid_grant") as raised:
        await stage.read(adapter=stage.adapter(stage.client(user)))
    assert "hush-hush" not in str(raised.value)
    assert stage.calls(SEARCH) == 0


async def test_a_revoked_service_account_is_a_matter_of_credentials_and_not_an_outage(stage: Stage) -> None:
    stage.fail("token_revoked")

    with pytest.raises(CredentialsError, match="invalid_grant"):
        await stage.read()
    assert not stage.slept


@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [("token_revoked", CredentialsError, "invalid_grant"), ("token_unavailable", TransientError, "TOKEN_UNAVAILABLE")],
)
async def test_without_a_token_no_write_was_sent_so_nothing_is_ambiguous(
    stage: Stage, kind: str, error: type[OutsideError], code: str
) -> None:
    campaign = await stage.read()
    stage.fail(kind)

    with pytest.raises(OutsideError) as raised:
        await stage.adapter().write(campaign, State(running=False, budget=None))
    assert (type(raised.value), raised.value.code) == (error, code)
    assert stage.calls(MUTATE) == 0


async def test_a_server_that_is_not_there_is_an_outage(stage: Stage) -> None:
    nowhere = GoogleAds(GoogleCredentials(json_key_file_path=stage.sandbox.key_file), endpoint="localhost:1", sleep=_at_once)

    with pytest.raises(TransientError) as raised:
        await stage.adapter(nowhere).read(["1"])
    assert raised.value.code == "UNAVAILABLE"
    await nowhere.close()


async def _at_once(_: float) -> None:
    """Pause for no time."""


@pytest.mark.parametrize(
    "content", ["not json", "[]", "{}", '{"private_key": "TOP-SECRET", "client_email": "a@b", "token_uri": ""}']
)
async def test_a_broken_key_file_is_named_but_not_quoted(stage: Stage, tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)

    with pytest.raises(CredentialsError, match=r"key\.json cannot be used") as raised:
        await stage.read(adapter=stage.adapter(stage.client(GoogleCredentials(json_key_file_path=path))))
    assert "TOP-SECRET" not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_a_missing_key_file_is_named(stage: Stage, tmp_path: Path) -> None:
    credentials = GoogleCredentials(json_key_file_path=tmp_path / "nowhere.json")

    with pytest.raises(CredentialsError, match=r"nowhere\.json"):
        await stage.read(adapter=stage.adapter(stage.client(credentials)))


@pytest.mark.parametrize("given", [{}, {"client_id": "x"}, {"client_id": "x", "client_secret": "y"}])
def test_incomplete_credentials_are_refused_at_once(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="incomplete"):
        GoogleCredentials(**given)  # type: ignore[arg-type]  # a table of keyword arguments


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(GoogleCredentials(client_id="x", client_secret="hush-hush", refresh_token="1//secret"))

    assert "hush-hush" not in shown
    assert "1//secret" not in shown


@pytest.mark.parametrize(
    "kind",
    ["unavailable", "internal", "permission_denied", "token_revoked", "resource_exhausted", "unreadable"],
)
async def test_neither_errors_nor_logs_hold_a_secret_or_a_payload(
    stage: Stage, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    loggers = [logging.getLogger(name) for name in ("google", "grpc")]
    for logger in loggers:
        logger.addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG)
    adapter = stage.adapter()
    try:
        await adapter.write(await stage.read(adapter=adapter), State(running=False, budget=None))
        stage.fail(kind)
        with pytest.raises(OutsideError) as raised:
            await stage.adapter().read(["1"])  # signs in anew
    finally:
        for logger in loggers:
            logger.removeHandler(caplog.handler)
    said = caplog.text + repr(raised.value) + str(raised.value) + repr(raised.value.__cause__)

    key = json.loads(stage.sandbox.key_file.read_text())["private_key"]
    for secret in ("ya29.", key[60:120], "SELECT", "Bearer", "assertion", "Campaign 1"):
        assert secret not in said


def test_importing_the_adapter_does_not_load_the_sdk() -> None:
    code = "import sys, service.google_ads.account; sys.exit(any(n.split('.')[0] in ('grpc', 'google') for n in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own interpreter

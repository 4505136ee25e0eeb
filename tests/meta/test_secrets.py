"""No token, secret or proof leaves by an address, an error, a log or a representation; nothing global is touched."""

from __future__ import annotations

import hashlib
import hmac
import logging
import subprocess
import sys
import traceback

import pytest
from facebook_business.api import FacebookAdsApi

from service.core.errors import OutsideError, SettingsError
from service.core.model import State
from service.meta.credentials import MetaCredentials, redactor
from service.meta.sdk import Session
from tests.meta.stage import CAMPAIGN, SECRET, TOKEN, Stage

PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
KINDS = ["", "down", "html_502", "timeout", "applied_then_reset", "token_expired", "unknown_code", "success_false", "throttled"]


def bare(text: str) -> bool:
    return not any(secret in text for secret in (TOKEN, SECRET, PROOF))


@pytest.mark.parametrize("kind", KINDS)
async def test_no_secret_is_in_an_error_its_traceback_or_a_log(
    stage: Stage, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    caplog.set_level(logging.DEBUG)
    campaign = await stage.campaign()
    if kind:
        stage.fail(kind)
    for act in (
        stage.account().read([CAMPAIGN]),
        stage.account().write(campaign, State(running=False, budget=campaign.state.budget)),
    ):
        errors: list[OutsideError] = []
        try:
            await act
        except OutsideError as error:
            errors.append(error)
        assert all(bare("".join(traceback.format_exception(error)) + repr(vars(error))) for error in errors)
        assert len(errors) == (1 if kind else 0)
    assert bare(caplog.text)
    assert "appsecret_proof=…" in caplog.text, "urllib3 does log addresses"
    assert bare("".join(capfd.readouterr()))


async def test_a_connection_that_fails_shows_no_secret(stage: Stage) -> None:
    with pytest.raises(OutsideError) as raised:
        await stage.account(base_url="http://127.0.0.1:9").read([CAMPAIGN])
    error: BaseException | None = raised.value
    while error is not None:
        assert bare(str(error))
        error = error.__context__


async def test_the_token_is_in_no_address_and_the_proof_is_sent(stage: Stage) -> None:
    await stage.account().write(await stage.campaign(), State(running=False, budget=(await stage.campaign()).state.budget))
    assert stage.sent("POST")
    assert not any(TOKEN in url or "access_token" in url for url in stage.urls)
    assert all(f"appsecret_proof={PROOF}" in url for url in stage.urls)


async def test_without_an_app_secret_no_proof_is_sent(stage: Stage) -> None:
    with pytest.raises(OutsideError, match="appsecret_proof"):
        await stage.account(credentials=MetaCredentials(TOKEN)).read([CAMPAIGN])
    assert not any("appsecret_proof" in url for url in stage.urls)


async def test_a_token_that_meta_quotes_is_blanked_out(stage: Stage) -> None:
    wrong = "EAAsomebodyElsesToken0123456789"
    with pytest.raises(OutsideError) as raised:
        await stage.account(credentials=MetaCredentials(wrong, SECRET)).read([CAMPAIGN])
    assert wrong not in str(raised.value)
    assert redactor("hush")(f"Malformed access token {wrong}, hush; access_token=abc&x=1") == (
        "Malformed access token …, …; access_token=…&x=1"
    )


def test_credentials_do_not_show_themselves() -> None:
    credentials = MetaCredentials(TOKEN, SECRET)
    assert bare(repr(credentials) + str(credentials) + f"{[credentials]}")


@pytest.mark.parametrize("token", ["", "EAA with blank", "EAAbreak\n", "EAAé"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(SettingsError) as raised:
        MetaCredentials(token)
    assert not token or token not in str(raised.value)


async def test_nothing_of_the_process_is_changed(stage: Stage) -> None:
    hook = sys.excepthook
    await stage.campaign()
    assert FacebookAdsApi.get_default_api() is None
    assert FacebookAdsApi.get_default_account_id() is None
    assert sys.excepthook is hook


def test_two_accounts_share_nothing() -> None:
    one, two = (Session(MetaCredentials(token), None, (1, 1)) for token in ("EAAone", "EAAtwo"))
    assert one._http is not two._http
    assert one._http.headers["Authorization"] == "Bearer EAAone"
    assert not one._http.trust_env
    assert one._http.params == {}


def test_the_sdk_is_not_imported_before_it_is_needed() -> None:
    check = "import sys, service.meta.account; print([m for m in sys.modules if m in {'requests', 'facebook_business'}])"
    found = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    assert found.stdout.strip() == "[]"

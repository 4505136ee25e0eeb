"""Getting in, and what is said on the wire."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.api_core.exceptions import ResourceExhausted
from google.auth.credentials import AnonymousCredentials

from service.sandbox.google_ads.certificate import certificate_in
from service.sandbox.world import Fault
from tests.sandbox.google_ads.conftest import CUSTOMER, Wire, code_of


def test_without_a_token_of_its_own_nobody_gets_in(wire: Wire) -> None:
    stranger = GoogleAdsClient(AnonymousCredentials(), endpoint=wire.sandbox.endpoint, version="v26")  # type: ignore[no-untyped-call]  # google-auth
    service = stranger.get_service("GoogleAdsService")

    with pytest.raises(GoogleAdsException) as raised:
        list(service.search_stream(customer_id=CUSTOMER, query="SELECT customer.id FROM customer", timeout=10))
    assert code_of(raised) == "authentication_error.OAUTH_TOKEN_INVALID"


@pytest.mark.parametrize("form", [b"grant_type=refresh_token&refresh_token=stolen", b"assertion=a.b.c", b""])
def test_the_token_endpoint_gives_nothing_to_strangers(wire: Wire, form: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(wire.sandbox.token_uri, form, timeout=5)  # noqa: S310 - loopback

    with raised.value as answer:
        assert (answer.code, json.load(answer)["error"]) == (400, "invalid_grant")


def test_a_quota_error_comes_as_the_client_really_shows_it(wire: Wire) -> None:
    wire.world.fail(Fault("google", "resource_exhausted"))

    with pytest.raises(ResourceExhausted) as raised:
        wire.rows("SELECT customer.id FROM customer")

    failure = type(wire.client.get_type("GoogleAdsFailure"))
    (packed,) = raised.value.details
    assert failure.deserialize(packed.value).errors[0].details.quota_error_details.retry_delay.seconds == 30
    assert "google.ads.googleads.v26.errors.googleadsfailure-bin" in dict(raised.value.response.trailing_metadata())


def test_what_the_server_saw_is_written_down(wire: Wire) -> None:
    wire.rows("SELECT customer.id FROM customer")

    seen = [(request.system, request.method, request.path) for request in wire.world.requests]
    assert seen[-1] == ("google", "RPC", "GoogleAdsService/SearchStream")
    assert ("google", "POST", "/token") in seen


def test_a_certificate_is_used_again_and_its_key_is_private(tmp_path: Path) -> None:
    certificate, key = certificate_in(tmp_path)
    before = certificate.read_bytes()

    assert certificate_in(tmp_path) == (certificate, key)
    assert certificate.read_bytes() == before
    assert key.stat().st_mode & 0o077 == 0

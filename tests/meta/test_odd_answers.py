"""Answers no documentation describes, which the SDK would take for success or choke on."""

from __future__ import annotations

import json

import pytest
from litestar.types import Receive, Scope, Send

from service.core.errors import AmbiguousWriteError, OutsideError, ProtocolError, RefusedError, TransientError
from service.meta.credentials import MetaCredentials
from service.meta.sdk import Session
from service.sandbox.serving import serving

JSON = "application/json"
HTML = "text/html"


def _asked(method: str, status: int, body: str, kind: str, **headers: str) -> object:
    """What one call makes of one fixed answer."""

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        named = {"content-type": kind, "content-length": str(len(body.encode()))} | headers
        encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": body.encode(), "more_body": False})

    with serving(app) as url:
        session = Session(MetaCredentials("EAAtoken"), url, (2, 2))
        try:
            return session.call(method, ("11", ""), {"fields": "id"})
        finally:
            session.close()


@pytest.mark.parametrize(
    ("status", "body", "kind", "on_read", "on_write"),
    [
        (200, "<html>", HTML, ProtocolError, AmbiguousWriteError),
        (200, "", JSON, ProtocolError, AmbiguousWriteError),
        (200, "[]", JSON, ProtocolError, AmbiguousWriteError),
        (200, '"Service Unavailable"', JSON, ProtocolError, AmbiguousWriteError),
        (404, "<html>", HTML, ProtocolError, AmbiguousWriteError),
        (429, "<html>", HTML, TransientError, AmbiguousWriteError),
        (500, "{}", JSON, TransientError, AmbiguousWriteError),
        (503, '{"id": "11"}', JSON, TransientError, AmbiguousWriteError),
        (504, "", JSON, TransientError, AmbiguousWriteError),
        (302, "", HTML, ProtocolError, AmbiguousWriteError),
        (400, '{"error": "a word"}', JSON, ProtocolError, AmbiguousWriteError),
        (400, '{"error": null}', JSON, ProtocolError, AmbiguousWriteError),
        (200, '{"error": {"code": 100}}', JSON, RefusedError, RefusedError),
        (400, '{"error": {"code": "100", "error_data": "no JSON"}}', JSON, RefusedError, RefusedError),
        (400, '{"error": {}}', JSON, RefusedError, RefusedError),
        (500, '{"error": {}}', JSON, TransientError, AmbiguousWriteError),
    ],
)
def test_nothing_odd_is_success(
    status: int, body: str, kind: str, on_read: type[OutsideError], on_write: type[OutsideError]
) -> None:
    for method, expected in (("GET", on_read), ("POST", on_write)):
        with pytest.raises(expected):
            _asked(method, status, body, kind, location="/v26.0/12/")


def test_text_is_utf_8_whatever_the_header_leaves_out() -> None:
    assert _asked("GET", 200, '{"name": "Préparer ✓"}', JSON) == {"name": "Préparer ✓"}


def test_what_meta_says_is_passed_on_shortened() -> None:
    said = {"message": "Invalid parameter", "code": 100, "error_user_title": "Too low", "error_user_msg": "Raise it. " * 100}
    with pytest.raises(RefusedError) as raised:
        _asked("POST", 400, json.dumps({"error": said}), JSON)
    assert "(100: Too low - Raise it. Raise it." in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_warning_about_the_api_version_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    _asked("GET", 200, '{"id": "11"}', JSON, x_ad_api_version_warning="v26.0 was retired; upgraded to v27.0")
    assert "upgraded to v27.0" in caplog.text

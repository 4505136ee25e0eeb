"""What is made of an answer besides its class, which `test_matrix` is about."""

from __future__ import annotations

import json

import pytest
from litestar.types import Receive, Scope, Send

from service.core.errors import RefusedError
from service.meta.credentials import MetaCredentials
from service.meta.sdk import Session
from service.sandbox.serving import serving

JSON = "application/json"


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


def test_text_is_utf_8_whatever_the_header_leaves_out() -> None:
    assert _asked("GET", 200, '{"name": "Préparer ✓"}', JSON) == {"name": "Préparer ✓"}


def test_half_a_character_is_a_question_mark() -> None:
    assert _asked("GET", 200, r'{"name": "Search \ud83d", "\ude00": ["\ud83d\ude00"]}', JSON) == {
        "name": "Search ?",
        "?": ["😀"],
    }


def test_what_meta_says_is_passed_on_shortened() -> None:
    said = {"message": "Invalid parameter", "code": 100, "error_user_title": "Too low", "error_user_msg": "Raise it. " * 100}
    with pytest.raises(RefusedError) as raised:
        _asked("POST", 400, json.dumps({"error": said}), JSON)
    assert "(100: Too low - Raise it. Raise it." in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_warning_about_the_api_version_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    _asked("GET", 200, '{"id": "11"}', JSON, x_ad_api_version_warning="v26.0 was retired; upgraded to v27.0")
    assert "upgraded to v27.0" in caplog.text

"""What is logged, and how: one JSON object per line, whoever logs it, and no secret in any."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from typing import Any

import httpx
import pytest
import structlog

from service.logs import SILENCED, conceal, configure, redacted
from tests.watching import Lines

SECRET = "EAAB9x-hunter2"


@pytest.fixture(autouse=True)
def _with_a_secret(lines: Lines) -> None:  # noqa: ARG001 - it sets logging up
    conceal([SECRET])


def test_a_line_says_what_happened_how_bad_it_is_and_when(lines: Lines) -> None:
    structlog.get_logger().info("run_finished", changes=2)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "run_finished", "level": "info", "changes": 2}


def test_what_is_below_the_level_is_not_written(lines: Lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("sqlalchemy.pool").info("detail")
    assert lines() == []


def test_what_a_library_logs_looks_the_same_and_carries_what_is_bound(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(run="01R", clinic="harbour-physio"):
        logging.getLogger("urllib3.connectionpool").warning("Retrying %s", "GET /x")
    [line] = lines()
    assert (line["event"], line["level"], line["logger"]) == ("Retrying GET /x", "warning", "urllib3.connectionpool")
    assert (line["run"], line["clinic"]) == ("01R", "harbour-physio")


def test_setting_it_up_again_writes_no_line_twice(lines: Lines) -> None:
    configure(logging.INFO)
    structlog.get_logger().warning("once")
    logging.getLogger("asyncio").warning("once")
    assert [line["event"] for line in lines()] == ["once", "once"]


def boom() -> None:
    token = SECRET
    raise ConnectionError(f"GET https://graph.facebook.com/me?access_token={token} failed")


@pytest.mark.parametrize("log", [structlog.get_logger(), logging.getLogger("asyncio")], ids=["ours", "a library's"])
def test_a_secret_in_the_text_of_an_exception_is_blanked_out(lines: Lines, log: Any) -> None:
    try:
        boom()
    except ConnectionError:
        log.exception("request_crashed")
    [line] = lines()
    assert "access_token=[secret] failed" in line["exception"]
    assert SECRET not in json.dumps(line)


def test_a_secret_is_blanked_out_of_values_however_deep_and_however_written(lines: Lines) -> None:
    basic = b64encode(f"{SECRET}:".encode()).decode()
    nested = {"headers": [("authorization", f"Basic {basic}"), {"x": {SECRET}}]}
    structlog.get_logger().info(f"asked with {SECRET}", nested=nested, basic=basic, **{SECRET: 1})
    [line] = lines()
    text = json.dumps(line)
    assert SECRET not in text
    assert basic[:-4] not in text
    assert text.count("[secret]") == 5


def test_libraries_that_log_addresses_are_not_heard(lines: Lines) -> None:
    for name in SILENCED:
        logging.getLogger(name).error("GET https://api.au1.cliniko.com/v1/patients/7")
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        client.get("https://api.au1.cliniko.com/v1/patients/7")
    assert lines() == []


def test_other_settings_have_other_secrets(lines: Lines) -> None:
    conceal(["another"])
    assert redacted(f"{SECRET} another") == f"{SECRET} [secret]"
    assert lines() == []


def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written from now on, to a terminal."""
    written: list[str] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

        def flush(self) -> None:
            """Nothing is kept back."""

    monkeypatch.setattr("sys.stderr", Terminal())
    configure(logging.INFO)
    return written


OBEYED = "/v1/\x1b]0;owned\x07\x9b2J\u202e\r\n2026 forged"


@pytest.mark.parametrize("log", [structlog.get_logger(), logging.getLogger("asyncio")], ids=["ours", "a library's"])
def test_a_terminal_shows_control_characters_instead_of_obeying_them(monkeypatch: pytest.MonkeyPatch, log: Any) -> None:
    written = terminal(monkeypatch)
    structlog.get_logger().warning("asked", path=OBEYED, nested={"path": [OBEYED]}, **{OBEYED: 1})
    log.warning(OBEYED)
    log.warning("request_crashed", exc_info=ConnectionError(OBEYED))
    text = "".join(written).replace("\\\\", "\\")
    assert [each for each in ("\x1b]", "\x07", "\x9b", "\u202e", "\r") if each in text] == []
    shown = r"/v1/\x1b]0;owned\x07\x9b2J\u202e"
    assert text.count(shown) == 5
    assert text.count(shown + r"\r\n2026 forged") == 4  # a traceback keeps its lines
    assert "\nConnectionError: " in text


def test_on_a_terminal_a_traceback_shows_no_local_variables(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    written = terminal(monkeypatch)
    try:
        boom()
    except ConnectionError:
        structlog.get_logger().exception("request_crashed")
    text = "".join(written)
    assert "request_crashed" in text
    assert "ConnectionError" in text
    assert "[secret]" in text
    assert SECRET not in text
    assert "token = " not in text.replace("token = SECRET", "")
    assert lines() == []

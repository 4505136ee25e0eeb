"""A defect of ours, as whoever calls the command line meets it."""

from __future__ import annotations

import json
import logging
import sys

import pytest
import structlog

from service.cli import COMMANDS, main

TOKEN = "EAAB9x-hunter2-and-more"


def test_a_defect_is_told_in_a_line_and_logged_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(COMMANDS, "break", ("tests.cli.broken:broken", "Breaks."))
    monkeypatch.setattr(sys, "argv", ["governor", "break"])
    monkeypatch.setenv("GOVERNOR_META__ACCESS_TOKEN", TOKEN)
    handlers = [*logging.getLogger().handlers]
    with pytest.raises(SystemExit) as ended:
        main()
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    written = capsys.readouterr()
    logged, said = written.err.splitlines()
    assert (ended.value.code, written.out) == (1, "")
    assert said.startswith("ZeroDivisionError: this is a defect of the program")
    assert json.loads(logged)["event"] == "command_crashed"
    assert "access_token=[secret]" in json.loads(logged)["exception"]
    assert TOKEN not in written.err

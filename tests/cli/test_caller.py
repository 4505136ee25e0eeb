"""Whose name is recorded with what is done on the command line."""

from __future__ import annotations

import os

import pytest

from service.cli.caller import caller


@pytest.fixture(autouse=True)
def _nobody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)


def test_a_user_is_recorded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ana")
    assert caller() == "ana"


def test_a_user_whom_the_system_has_no_name_for_is_recorded_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54_321_987)
    assert caller() == "uid:54321987"

"""A Secret as Kubernetes mounts it is a directory of secrets: files named as the settings, reached through links."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.settings import kill_switch, load
from tests.kubelet import lay_out

KEY = "CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY"


@pytest.fixture
def volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOVERNOR_SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_keys_are_settings_without_the_prefix(volume: Path) -> None:
    lay_out(
        volume, {KEY: "k-au1\n", "META__ACCESS_TOKEN": "token", "NOTIFY__FRONT_DESK": "json://desk", "google-ads.json": "{}"}
    )
    settings = load(None)
    key, channel = settings.clinic("harbour-physio").cliniko_api_key, settings.channel("front-desk")
    assert key is not None
    assert channel is not None
    assert settings.meta.access_token is not None
    assert (key.get_secret_value(), channel.get_secret_value()) == ("k-au1", "json://desk")
    assert settings.meta.access_token.get_secret_value() == "token"


def test_with_the_prefix_they_are_not(volume: Path) -> None:
    lay_out(volume, {"GOVERNOR_META__ACCESS_TOKEN": "token"})
    assert load(None).meta.access_token is None


def test_the_kill_switch_stops_a_service_that_runs(volume: Path) -> None:
    lay_out(volume, {KEY: "k-au1"})
    asked = kill_switch(volume / ".env")
    assert asked() is False
    lay_out(volume, {KEY: "k-au1", "KILL_SWITCH": "true"})
    assert asked() is True
    lay_out(volume, {KEY: "k-au1"})
    assert asked() is False

"""What is not written is said for what it is: a person's word, our own last write, or something that could not be read."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.settings import kill_switch
from service.store.holds import Holds
from tests.clinic import MINUTE, Clinic, at


async def test_our_own_write_that_is_slow_to_appear_is_not_somebodys_change(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    clinic.ads.lagging = True
    await clinic.run()
    clinic.rules("{budget: 70.00}")
    report = await clinic.run(5 * MINUTE)
    assert [each.ending for each in report.changes] == ["superseded"]
    assert "our own last change does not show on google yet" in report.changes[0].detail
    clinic.ads.lagging, clinic.ads.shown = False, {}
    assert [each.ending for each in (await clinic.run(15 * MINUTE)).changes] == ["applied"]


@pytest.mark.parametrize("unreadable", ["holds", "kill switch"])
async def test_a_run_that_could_not_tell_whether_it_may_write_is_not_a_good_one(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, unreadable: str
) -> None:
    await clinic.run()
    clinic.rules("pause")

    async def gone(*_: object) -> None:
        raise StoreError("the disk is full")

    async def before_the_write() -> None:
        if clinic.ads.reads == 2:
            monkeypatch.setattr(Holds, "holds", gone)

    answers = iter([False, None])
    if unreadable == "kill switch":
        clinic.kill_switch(lambda: next(answers))
    else:
        clinic.ads.on_read = before_the_write
    clinic.ads.reads = 0
    report = await clinic.run()
    assert report.status == "incomplete"
    assert any(f"the {unreadable} cannot be read" in each for each in report.problems)
    assert (clinic.ads.states["1"], [each.ending for each in report.changes]) == (at("60.00"), ["failed"])


async def test_a_run_that_cannot_read_the_kill_switch_changes_nothing_and_is_not_a_good_one(clinic: Clinic) -> None:
    clinic.rules("pause")
    clinic.kill_switch(lambda: None)
    report = await clinic.run()
    assert (report.status, report.changes) == ("incomplete", ())
    assert any("the kill switch cannot be read" in each for each in report.problems)


# --- the kill switch in the settings ------------------------------------------------------------------------------------


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GOVERNOR_KILL_SWITCH", raising=False)
    monkeypatch.delenv("GOVERNOR_SECRETS_DIR", raising=False)
    return tmp_path / ".env"


SPOILT: dict[str, Callable[[Path], object]] = {
    "not a switch": lambda env: env.write_text("GOVERNOR_KILL_SWITCH=perhaps\n"),
    "not text": lambda env: env.write_bytes(b"GOVERNOR_KILL_SWITCH=\xff\xfe"),
    "gone": lambda env: env.unlink(),
}


def test_the_kill_switch_is_read_anew_each_time(env: Path) -> None:
    env.write_text("GOVERNOR_META__ACCESS_TOKEN=secret\n")
    asked = kill_switch(env)
    assert asked() is False
    env.write_text("GOVERNOR_KILL_SWITCH=true\n")
    assert asked() is True
    env.write_text("GOVERNOR_KILL_SWITCH=false\nGOVERNOR_EVALUATE_EVERY=often\n")
    assert asked() is False, "what is wrong with another setting does not matter"


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_a_kill_switch_that_cannot_be_read_is_not_off(env: Path, spoil: Callable[[Path], object]) -> None:
    env.write_text("GOVERNOR_KILL_SWITCH=false\n")
    asked = kill_switch(env)
    spoil(env)
    assert asked() is None


def test_without_a_file_the_kill_switch_is_as_the_environment_has_it(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = kill_switch(env)
    assert asked() is False
    monkeypatch.setenv("GOVERNOR_KILL_SWITCH", "true")
    assert asked() is True


async def test_a_pause_whose_amount_reads_back_otherwise_is_an_alarm_and_still_ours_to_end(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    clinic.ads.unit = Decimal(7)  # the platform makes 56 of 60
    report = await clinic.run()
    assert [(each.ending, each.detail) for each in report.changes] == [("failed", "written, but it reads back paused at 56")]
    await clinic.run()
    standing = await clinic.standing()
    assert standing.paused_by_us
    assert standing.stood_down is not None
    assert not standing.stood_down.status, "only the amount is another's"

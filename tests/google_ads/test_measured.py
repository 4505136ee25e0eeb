"""Each attempt at a call is told with what came of it; a call that we hold back ourselves is none."""

from __future__ import annotations

import pytest

from service.core.errors import OutsideError, TransientError
from service.core.model import State
from service.google_ads.client import GoogleAds
from service.google_ads.credentials import GoogleCredentials
from service.google_ads.rests import Rests
from tests.google_ads.conftest import MUTATE, SEARCH, TIMEOUT, Stage
from tests.watching import Recorder


def client(stage: Stage, recorder: Recorder) -> GoogleAds:
    async def at_once(_: float) -> None:
        """Pause for no time."""

    credentials = GoogleCredentials(json_key_file_path=stage.sandbox.key_file)
    monitor = recorder.monitor
    made = GoogleAds(
        credentials, endpoint=stage.sandbox.endpoint, timeout=TIMEOUT, sleep=at_once, rests=Rests(lambda: 0.0), monitor=monitor
    )
    stage.clients.append(made)
    return made


async def test_reads_and_writes_are_told(stage: Stage) -> None:
    recorder = Recorder()
    adapter = stage.adapter(client(stage, recorder))
    await adapter.write(await stage.read(adapter=adapter), State(running=False, budget=None))
    assert {*recorder.requests} == {("google", "search", "ok"), ("google", "mutate", "ok")}
    assert len(recorder.requests) == stage.calls(SEARCH) + stage.calls(MUTATE)


async def test_each_attempt_is_told_and_a_call_that_is_held_back_is_none(stage: Stage) -> None:
    recorder = Recorder()
    adapter = stage.adapter(client(stage, recorder))
    stage.fail("unavailable", times=1)
    await stage.read(adapter=adapter)
    assert [outcome for _, _, outcome in recorder.requests][:2] == ["transient", "ok"]
    recorder.ended.clear()
    stage.fail("quota_day")
    with pytest.raises(TransientError):
        await adapter.read(["1"])
    told = [*recorder.requests]
    assert told == [("google", "search", "throttled")]
    with pytest.raises(OutsideError, match="left alone"):
        await adapter.read(["1"])
    assert recorder.requests == told

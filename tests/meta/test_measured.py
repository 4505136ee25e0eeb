"""Each attempt at a call is told with what came of it, and no id is in what is told."""

from __future__ import annotations

from contextlib import suppress

import pytest

from service.core.errors import OutsideError
from service.core.model import State
from tests.meta.stage import CAMPAIGN, Stage
from tests.watching import Recorder


async def test_reads_and_writes_are_told_without_ids(stage: Stage) -> None:
    recorder = Recorder()
    account = stage.account(monitor=recorder.monitor)
    seen = (await account.read([CAMPAIGN]))[CAMPAIGN]
    await account.write(seen, State(running=False, budget=seen.state.budget))  # type: ignore[arg-type,union-attr] # a campaign
    assert {outcome for _, _, outcome in recorder.requests} == {"ok"}
    operations = {operation for _, operation, _ in recorder.requests}
    assert {"GET campaigns", "POST node"} <= operations
    assert not any(character.isdigit() for operation in operations for character in operation)
    assert len(recorder.requests) == len(stage.world.requests)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("down", "transient"), ("throttled", "throttled"), ("token_expired", "credentials"), ("success_false", "refused")],
)
async def test_what_goes_wrong_is_told(stage: Stage, kind: str, outcome: str) -> None:
    recorder = Recorder()
    stage.fail(kind, "campaigns")
    with suppress(OutsideError):
        await stage.account(monitor=recorder.monitor).read([CAMPAIGN])
    assert ("meta", "GET campaigns", outcome) in recorder.requests

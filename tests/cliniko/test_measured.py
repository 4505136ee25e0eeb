"""Each attempt at a request is told with what came of it, and nothing of what it was about."""

from __future__ import annotations

import httpx
import pytest

from service.cliniko.access import Access
from service.cliniko.client import Client
from service.cliniko.rate import SlidingWindow
from service.core.errors import OutsideError
from tests.cliniko.stage import EMAIL, KEY, NOW, VirtualTime, listing
from tests.watching import Recorder

PATH = "/businesses/1/practitioners/2/appointment_types/3/available_times"


def client(recorder: Recorder, *answers: httpx.Response | Exception) -> Client:
    remaining, time = iter(answers), VirtualTime()

    def answer(_: httpx.Request) -> httpx.Response:
        said = next(remaining)
        if isinstance(said, Exception):
            raise said
        return said

    budget = SlidingWindow(timing=time.timing)
    transport = httpx.MockTransport(answer)
    return Client(Access.of(KEY, EMAIL), budget, time.timing, lambda: NOW, transport, recorder.monitor)


@pytest.mark.parametrize(
    ("answers", "outcomes"),
    [
        ([listing("available_times", [])], ["ok"]),
        ([httpx.Response(503), listing("available_times", [])], ["transient", "ok"]),
        ([httpx.Response(429), listing("available_times", [])], ["throttled", "ok"]),
        (
            [httpx.ReadTimeout("late"), httpx.ConnectError("no"), listing("available_times", [])],
            ["transient", "transient", "ok"],
        ),
        ([httpx.Response(401)], ["credentials"]),
        ([httpx.Response(404)], ["refused"]),
        ([httpx.Response(200, text="<html>")], ["protocol"]),
    ],
)
async def test_every_attempt_is_told_with_its_outcome(answers: list[httpx.Response | Exception], outcomes: list[str]) -> None:
    recorder = Recorder()
    try:
        await client(recorder, *answers).items("available_times", PATH)
    except OutsideError:
        assert outcomes[-1] != "ok"
    assert recorder.requests == [("cliniko", "available_times", outcome) for outcome in outcomes]

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    LeaseLostError,
    ProtocolError,
    RefusedError,
    StoreError,
    TransientError,
)
from service.monitor import DatabaseFailed, Monitor, Step, outcome_of
from tests.watching import Recorder


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (TransientError("meta", "down"), "transient"),
        (TransientError("meta", "slower", retry_after=timedelta(0)), "throttled"),
        (CredentialsError("meta", "revoked"), "credentials"),
        (RefusedError("meta", "no"), "refused"),
        (ProtocolError("meta", "html"), "protocol"),
        (AmbiguousWriteError("meta", "perhaps"), "ambiguous"),
        (LeaseLostError("taken"), "busy"),
        (asyncio.CancelledError(), "cancelled"),
        (StoreError("full"), "failed"),
        (ZeroDivisionError(), "failed"),
    ],
)
def test_an_error_is_counted_by_its_class(error: BaseException, word: str) -> None:
    recorder = Recorder()
    with pytest.raises(type(error)), recorder.monitor.during(Step("observe")):
        raise error
    assert recorder.ended == [(Step("observe"), word)]
    assert outcome_of(error) == word


def test_every_watcher_is_told_what_the_work_came_to() -> None:
    one, other = Recorder(), Recorder()
    monitor = Monitor([one, other])
    with monitor.during(Step("decide")) as ending:
        ending.outcome = "well"
    monitor.happened(DatabaseFailed())
    assert one == other == Recorder([(Step("decide"), "well")], [DatabaseFailed()])


def test_work_within_work_ends_first() -> None:
    recorder = Recorder()
    with recorder.monitor.during(Step("outer")), recorder.monitor.during(Step("inner")):
        assert recorder.ended == []
    assert recorder.ended == [(Step("inner"), "ok"), (Step("outer"), "ok")]

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from service.cli.progress import ERASE, LINE_SECONDS, Logged, Shown, said
from service.cliniko.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(slots=True)
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "left"), [(120, "about 2 min left"), (89, "about 1 min left"), (30, "about 1 min left"), (29, "nearly done")]
)
def test_a_line_says_how_far_it_is_and_how_long_it_takes(seconds: float, left: str) -> None:
    text = said("harbour-physio", Progress(120, 480, seconds, 180))
    assert text == f"harbour-physio: 120 of 480 diaries read, {left} at 180 requests a minute"


def test_a_terminal_shows_one_line_and_none_in_the_end() -> None:
    stream, clock = Terminal(), Clock()
    shown = Shown(stream, clock)
    for done in range(1, 5):
        clock.now += 1
        shown("harbour-physio", Progress(done, 4, 60, 180))
        shown("harbour-physio", Progress(done, 4, 60, 180))
    *lines, last = stream.getvalue().split(ERASE)[1:]
    assert [line.split()[1] for line in lines if line] == ["1", "2", "3"]
    assert last == ""
    assert "\n" not in stream.getvalue()


def test_elsewhere_a_line_is_written_now_and_then_for_each_clinic() -> None:
    stream, clock = io.StringIO(), Clock()
    shown = Shown(stream, clock)
    for done in range(1, 121):
        clock.now += LINE_SECONDS / 20
        for clinic in ("one", "two"):
            shown(clinic, Progress(done, 200, 60, 180))
    lines = stream.getvalue().splitlines()
    assert ERASE not in stream.getvalue()
    assert [sum(line.startswith(clinic) for line in lines) for clinic in ("one", "two")] == [6, 6]


def test_a_service_logs_it_now_and_then() -> None:
    clock = Clock()
    logged = Logged(clock)
    with capture_logs() as events:
        for done in range(1, 121):
            clock.now += LINE_SECONDS / 20
            logged("one", Progress(done, 200, 61.4, 180))
    assert [event["done"] for event in events] == [1, 21, 41, 61, 81, 101]
    assert {(event["event"], event["clinic"], event["seconds_left"]) for event in events} == {("reading_cliniko", "one", 61)}

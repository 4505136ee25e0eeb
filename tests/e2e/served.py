"""`governor serve` as a process of its own, as an operator starts and ends it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

SECONDS = 60.0
COMMAND = [sys.executable, "-c", "from service.cli import main; main()", "serve", "--port", "0"]


@dataclass(frozen=True, slots=True)
class Service:
    """A process that serves; `output` is the file that all it writes goes to."""

    process: subprocess.Popen[bytes]
    output: Path

    def wait_for(self, text: str) -> re.Match[str]:
        """Wait until it has written what this pattern finds."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if found := re.search(text, self.output.read_text("utf-8")):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(self.output.read_text("utf-8"))

    def client(self) -> httpx.Client:
        """A client of its address."""
        return httpx.Client(base_url=self.wait_for(r"listening on (http://\S+)")[1], trust_env=False)


@contextmanager
def served(environment: dict[str, str], cwd: Path, *args: str, end: signal.Signals = signal.SIGTERM) -> Iterator[Service]:
    """A process that is asked to stop when the block ends, and has stopped then."""
    output = cwd / "output"
    with output.open("wb") as written:
        process = subprocess.Popen([*COMMAND, *args], cwd=cwd, env=environment, stdout=written, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        yield Service(process, output)
    finally:
        process.send_signal(end)
        process.wait(SECONDS)

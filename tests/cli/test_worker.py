"""`governor worker` and `governor evaluate` as their callers see them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.cli.called import governor


def test_a_worker_without_a_redis_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    done = governor("worker", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "GOVERNOR_REDIS_URL" in done.stderr
    assert "governor serve" in done.stderr


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_workers_of_a_file_of_one_machine_are_refused(tmp_path: Path, command: str) -> None:
    """It would be empty, and what it does not know of a campaign it would take for a person's."""
    (tmp_path / "rules").mkdir()
    done = governor(command, cwd=tmp_path, GOVERNOR_REDIS_URL="redis://127.0.0.1:1/0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "GOVERNOR_DATABASE_URL" in done.stderr
    assert "postgresql+psycopg://" in done.stderr


class _Counting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.pings += 1  # type: ignore[attr-defined] # ours
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def watcher() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Counting)
    server.pings = 0  # type: ignore[attr-defined] # counted by the handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("args", "pings"), [((), 1), (("--dry-run",), 0), (("harbour-physio",), 0)], ids=["all", "dry run", "one"]
)
def test_a_good_pass_over_all_clinics_is_pinged(tmp_path: Path, args: tuple[str, ...], pings: int) -> None:
    shipped = Path(__file__).parents[2] / "rules" / "harbour-physio.yaml"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "harbour-physio.yaml").write_text(shipped.read_text("utf-8"), "utf-8")
    with watcher() as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        done = governor("evaluate", *args, cwd=tmp_path, GOVERNOR_HEARTBEAT_URL=url)
        assert done.returncode == 1, done.stderr  # without keys nothing can be read, which the decisions say
        assert server.pings == pings  # type: ignore[attr-defined] # counted by the handler

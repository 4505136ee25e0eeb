"""A process that is asked to stop lets go of what it has, also where it is the first process of all, as in a container."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.cli.stoppable import STOPPED
from tests.databases import lay
from tests.support import RULES

CALLED = "from service.cli import main; main()"
AS_THE_FIRST = ["unshare", "--pid", "--fork", "--kill-child"]


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a Cliniko that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def first_of_all() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run([*AS_THE_FIRST, "true"], check=False, capture_output=True).returncode == 0  # noqa: S603 - our own words


def asked(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "governor.db")) as database:
        return database.execute(query).fetchall()


def until(folder: Path, query: str) -> None:
    end = time.monotonic() + 30
    while not asked(folder, query):
        assert time.monotonic() < end
        time.sleep(0.05)


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()[0])


@pytest.mark.parametrize("first", [False, True], ids=["beside others", "the first of all"])
def test_a_pass_that_is_asked_to_stop_gives_its_clinic_back(tmp_path: Path, silent: str, *, first: bool) -> None:
    if first and not first_of_all():
        pytest.skip("only root may be the first process of all")
    lay(tmp_path)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOVERNOR_")}
    environment = clean | {
        "GOVERNOR_RULES_DIR": str(RULES),
        "GOVERNOR_RULES_SETTLE": "0s",
        "GOVERNOR_CLINIKO__BASE_URL": silent,
        "GOVERNOR_CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY": "MS0xLWtleQ-kEyBoDy-au4",
        "GOVERNOR_CLINIKO__CONTACT_EMAIL": "ops@agency.example",
    }
    command = [*(AS_THE_FIRST if first else []), sys.executable, "-c", CALLED, "evaluate", "harbour-physio"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own words
        until(tmp_path, "SELECT 1 FROM lease WHERE holder IS NOT NULL")
        time.sleep(0.3)
        os.kill(child_of(process.pid) if first else process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=15)
    assert (process.returncode, said) == (STOPPED, b"")
    assert asked(tmp_path, "SELECT 1 FROM lease WHERE holder IS NOT NULL") == []

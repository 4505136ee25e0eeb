"""`governor demo --once` as a newcomer runs it, and what can be checked afterwards without trusting its own words."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.called import governor
from tests.support import RULES


@dataclass(frozen=True)
class Told:
    """A demonstration that has been run."""

    folder: Path
    output: str

    def governor(self, *args: str) -> subprocess.CompletedProcess[str]:
        """A command in the demonstration's own folder, whose `.env` it reads."""
        return governor(*args, cwd=self.folder / "demo")


def _run(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GOVERNOR_", "GRPC_"))}
    command = [sys.executable, "-W", "ignore", "-c", "from service.cli import main; main()", *args]
    return subprocess.run(command, cwd=cwd, env=clean | env, capture_output=True, text=True, timeout=170, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("newcomer")
    result = _run("demo", "--once", cwd=folder, GOVERNOR_RULES_DIR=str(RULES))
    assert result.returncode == 0, result.stderr
    return Told(folder, result.stdout)


def test_it_shows_a_pause_a_raise_after_the_cluster_and_a_keep_on_both_platforms(told: Told) -> None:
    before, _, after = told.output.partition("a cancellation cluster")
    for campaign in ("physio-search (google)", "physio-social (meta)"):
        assert f"{campaign}: " in before
        assert "-> paused: applied" in before
        assert f"{campaign}: paused -> " in after
    assert "paused -> 78.00: applied" in after
    assert "paused -> 52.00: applied" in after
    assert after.count("Already running at") >= 4


def test_the_sandbox_itself_holds_the_changed_campaigns(told: Told) -> None:
    held = json.loads((told.folder / "demo" / "sandbox.json").read_text())
    google = {row["id"]: (row["status"], row["amount_micros"], row["changes"]) for row in held["google"]}
    meta = {row["id"]: (row["status"], row["daily_budget"], row["changes"]) for row in held["meta"]}
    assert google["9876543210"] == ("ENABLED", 78_000_000, 3)
    assert meta["23850000000000001"] == ("ACTIVE", 5200, 3)
    assert google["8765432101"] == ("ENABLED", 40_000_000, 0)
    assert held["trips"] == []


def test_the_ledger_verifies_and_every_run_replays_to_the_same_bytes(told: Told) -> None:
    assert told.governor("audit", "verify").returncode == 0
    with closing(sqlite3.connect(told.folder / "demo" / "governor.db")) as database:
        runs = [row[0] for row in database.execute("SELECT id FROM run ORDER BY id DESC LIMIT 3")]
    for run in runs:
        result = told.governor("replay", run)
        assert (result.returncode, "the same" in result.stdout) == (0, True), result.stderr


def test_a_flipped_byte_is_found_at_its_record(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "governor.db"
    file.write_bytes((told.folder / "demo" / "governor.db").read_bytes())
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        triggers = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            database.execute(f"DROP TRIGGER {trigger}")
        flip = "UPDATE ledger SET text = replace(text, '60.00', '61.00') WHERE chain = 'harbour-physio' AND seq = ?"
        [seq] = database.execute(
            "SELECT min(seq) FROM ledger WHERE chain = 'harbour-physio' AND kind = 'decision' AND text LIKE '%60.00%'"
        ).fetchone()
        database.execute(flip, (seq,))
    url = f"sqlite+aiosqlite:///{file}"
    result = governor("audit", "verify", cwd=tmp_path, GOVERNOR_DATABASE_URL=url)
    assert result.returncode == 1
    assert f"harbour-physio #{seq}:" in result.stdout


def test_a_folder_that_is_not_a_demonstrations_is_never_cleared(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "precious.txt").write_text("keep me")
    result = governor("demo", "--once", cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
    assert (result.returncode, (tmp_path / "demo" / "precious.txt").read_text()) == (2, "keep me")

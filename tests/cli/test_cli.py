"""The command line as a person meets it: exit status, message on standard error, never a traceback."""

from __future__ import annotations

import json
import re
import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from service.cli.folder import MARKER, claim, write_environment
from tests.cli.called import governor
from tests.databases import lay
from tests.support import RULES

HARBOUR = (RULES / "harbour-physio.yaml").read_text("utf-8")


def test_help_costs_less_than_half_a_second_of_cpu_and_imports_no_sdk(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", "from service.cli import main; main()", "--help"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert result.returncode == 0
    assert "evaluate" in result.stdout
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5
    heavy = (
        "import sys; from service.cli import governor; bad = {'google', 'facebook_business', 'grpc', 'sqlalchemy', 'litestar'}"
    )
    probe = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"{heavy}; print(sorted(bad & set(sys.modules)))"], capture_output=True, text=True, check=True
    )
    assert probe.stdout.strip() == "[]"


MISTAKES = [
    pytest.param("utilisation: {at_least: 95%}", "utilization: {at_least: 95%}", "utilisation", id="a typo in a metric"),
    pytest.param("utilisation: {at_least: 95%}", "utilisation: {at_least: 95}", "95%", id="95 for 95%"),
    pytest.param("currency: AUD ", "currency: AUD\ncurrency: AUD ", "twice", id="a duplicate key"),
]


@pytest.mark.parametrize(("good", "bad", "says"), MISTAKES)
def test_a_bad_rule_file_is_refused_at_file_and_line_with_the_correction(
    tmp_path: Path, good: str, bad: str, says: str
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "harbour-physio.yaml").write_text(HARBOUR.replace(good, bad, 1))
    line = HARBOUR[: HARBOUR.index(good)].count("\n") + 1
    for command in (["rules", "check"], ["evaluate", "harbour-physio"]):
        result = governor(*command, cwd=tmp_path)
        assert result.returncode == 2, result.stderr
        assert re.search(rf"harbour-physio\.yaml:({line}|{line + 1}): .*{says}", result.stderr), result.stderr
        assert "Traceback" not in result.stderr


BAD_CALLS = [
    pytest.param(["evaluate", "no-such-clinic"], {}, "no clinic no-such-clinic", id="a clinic without a file"),
    pytest.param(["evaluate"], {}, "cannot be read", id="no rule directory"),
    pytest.param(["rules", "check", "missing.yaml"], {}, "missing.yaml cannot be read", id="a file that is not there"),
    pytest.param(["rules", "lint", "missing.yaml"], {}, "missing.yaml cannot be read", id="a file to lint that is not there"),
    pytest.param(["audit", "verify"], {"GOVERNOR_EVALUATE_EVERY": "often"}, "GOVERNOR_EVALUATE_EVERY", id="a bad setting"),
    pytest.param(["audit", "verify"], {"GOVERNOR_DATABASE_URL": "nonsense"}, "GOVERNOR_DATABASE_URL", id="a bad database URL"),
    pytest.param(["replay", "01ARZ"], {}, "no recorded run", id="a run that never was"),
    pytest.param(["keys", "create", "x"], {}, "--every-clinic", id="a key for nothing"),
    pytest.param(["unhold", "01ARZ"], {}, "no hold", id="a hold that never was"),
    pytest.param(["hold", "--reason", "x"], {}, "--everything", id="a hold on nothing"),
    pytest.param(["hold", "x", "--reason", " "], {}, "give a reason", id="a hold with an empty reason"),
    pytest.param(["hold", "--everything"], {}, "give a reason", id="a hold without a reason"),
    pytest.param(["readopt", "x"], {}, "readopt --list", id="a clinic handed back instead of a campaign"),
    pytest.param(["readopt", "--list", "x"], {}, "cannot be read", id="a list without a rule directory"),
    pytest.param(
        ["hold", "--everything", "--campaign", "a", "--reason", "x"], {}, "names no campaign", id="everything but one"
    ),
    pytest.param(["audit", "verify", "--chain", "nope"], {}, "no chain 'nope'", id="a chain that never was"),
    pytest.param(["audit", "export", "--chain", "nope"], {}, "no chain 'nope'", id="an export of nothing"),
    pytest.param(["rules", "check"], {"GOVERNOR_META": "{bad"}, "GOVERNOR_META__...", id="a setting that is no JSON"),
    pytest.param(["rules", "check"], {"GOVERNOR_CLINICS": "x"}, "GOVERNOR_CLINICS__...", id="a group of settings as one"),
    pytest.param(["rules", "check"], {"GOVERNOR_SECRETS_DIR": "/nonexistent"}, "GOVERNOR_SECRETS_DIR", id="no secrets there"),
    pytest.param(["keys", "create", "x", "--every-clinic", "--days", "99999999999"], {}, "--days", id="a key for ever"),
    pytest.param(["serve", "--host", "203.0.113.1", "--port", "1"], {}, "cannot listen on 203.0.113.1:1", id="not our host"),
    pytest.param(["frobnicate"], {}, "No such command", id="no such command"),
]


@pytest.mark.parametrize(("args", "env", "says"), BAD_CALLS)
def test_a_bad_call_says_what_is_wrong_on_standard_error_with_status_2(
    tmp_path: Path, args: list[str], env: dict[str, str], says: str
) -> None:
    result = governor(*args, cwd=tmp_path, **env)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_an_env_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"GOVERNOR_CLINIKO__CONTACT_EMAIL=caf\xe9\n")
    result = governor("audit", "verify", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.strip() == ".env (or a file of secrets) is not UTF-8 text; save it as UTF-8"


def test_without_credentials_every_decision_keeps_and_names_the_setting_to_make(tmp_path: Path) -> None:
    result = governor("evaluate", "--json", cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
    assert result.returncode == 1
    runs = json.loads(result.stdout)["runs"]
    assert [run["clinic"] for run in runs] == ["harbour-physio", "northside-allied"]
    decisions = [decision for run in runs for decision in run["decisions"]]
    assert {(d["verdict"], d["reason"]) for d in decisions} == {("keep", "platform_unreadable")}
    assert all("GOVERNOR_" in decision["sentence"] for decision in decisions)
    assert "GOVERNOR_CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY" in json.dumps(runs[0]["problems"])


def test_a_scheduled_pass_over_all_clinics_forgets_what_is_old_once_a_day(tmp_path: Path) -> None:
    def evaluated(*args: str) -> bool:
        """Whether something old is still there after a pass."""
        with closing(sqlite3.connect(tmp_path / "governor.db", isolation_level=None)) as database:
            database.execute("INSERT OR IGNORE INTO document (digest, body, used_on) VALUES ('old', x'00', '2020-01-01')")
            governor("evaluate", *args, cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
            return bool(database.execute("SELECT 1 FROM document WHERE digest = 'old'").fetchall())

    lay(tmp_path)
    assert evaluated("--dry-run")
    assert evaluated("harbour-physio")
    assert not evaluated()
    assert evaluated()
    with closing(sqlite3.connect(tmp_path / "governor.db", isolation_level=None)) as database:
        database.execute("UPDATE note SET until = '2020-01-01T00:00:00.000000Z'")
    assert not evaluated()


def test_a_key_is_shown_once_and_never_stored(tmp_path: Path) -> None:
    made = governor("keys", "create", "agency", "--clinic", "harbour-physio", cwd=tmp_path)
    secret = made.stdout.strip()
    assert made.returncode == 0
    assert secret.startswith("gov_")
    listed = governor("keys", "list", cwd=tmp_path).stdout
    assert "agency" in listed
    assert secret not in listed
    assert secret.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    key = listed.split()[0]
    assert governor("keys", "revoke", key, cwd=tmp_path).returncode == 0
    assert "revoked" in governor("keys", "list", cwd=tmp_path).stdout
    assert governor("audit", "verify", cwd=tmp_path).returncode == 0


def test_the_schema_that_is_printed_is_the_one_that_is_shipped(tmp_path: Path) -> None:
    assert governor("rules", "schema", cwd=tmp_path).stdout == (RULES / "schema.json").read_text("utf-8")


def test_a_hold_works_where_the_rule_file_is_bad_or_gone_and_refuses_what_would_not_hold(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    file = tmp_path / "rules" / "harbour-physio.yaml"
    file.write_text(HARBOUR)
    assert governor("evaluate", cwd=tmp_path).returncode == 1  # no credentials; the rules are in force all the same
    past = governor("hold", "harbour-physio", "--until", "2020-01-01T00:00", "--reason", "x", cwd=tmp_path)
    assert (past.returncode, "has passed" in past.stderr) == (2, True)
    file.write_text("version: 1\n")
    assert governor("hold", "harbour-physio", "--reason", "[/red] stop", cwd=tmp_path).returncode == 0
    file.unlink()
    assert governor("hold", "harbour-physio", "--campaign", "physio-search", "--reason", "x", cwd=tmp_path).returncode == 0
    shown = governor("evaluate", "harbour-physio", cwd=tmp_path)
    assert "[/red] stop" in " ".join(shown.stdout.split())
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("command", ["demo", "sandbox"])
def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, command: str) -> None:
    live = tmp_path / "live"
    live.mkdir()
    (live / ".env").write_text("GOVERNOR_META__ACCESS_TOKEN=real\n")
    args = [command, "--directory", "live", *(["--once"] if command == "demo" else [])]
    result = governor(*args, cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
    assert (result.returncode, "holds something else" in result.stderr) == (2, True)
    assert [file.name for file in live.iterdir()] == [".env"]
    assert (live / ".env").read_text() == "GOVERNOR_META__ACCESS_TOKEN=real\n"


def test_what_was_made_here_before_is_replaced_and_what_somebody_put_there_stays(tmp_path: Path) -> None:
    claim(tmp_path / "demo")
    write_environment(tmp_path / "demo" / ".env", {"A": "1"})
    (tmp_path / "demo" / "notes.txt").write_text("mine")
    claim(tmp_path / "demo")
    assert {file.name for file in (tmp_path / "demo").iterdir()} == {MARKER, "notes.txt"}


def test_nothing_readable_is_a_failure_also_in_a_rehearsal(tmp_path: Path) -> None:
    forecast = governor("forecast", "harbour-physio", cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
    assert (forecast.returncode, "physio: nothing is known (cliniko_unreadable)" in forecast.stdout) == (1, True)
    assert "GOVERNOR_CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY" in forecast.stderr
    assert governor("evaluate", "--dry-run", cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES)).returncode == 1


def test_an_export_is_what_the_stand_alone_verifier_reads(tmp_path: Path) -> None:
    governor("keys", "create", "agency", "--every-clinic", cwd=tmp_path)
    governor("evaluate", cwd=tmp_path, GOVERNOR_RULES_DIR=str(RULES))
    exported = governor("audit", "export", cwd=tmp_path).stdout
    (tmp_path / "export.ndjson").write_text(exported)
    verifier = Path(__file__).parents[2] / "tools" / "verify_ledger.py"

    def verified(file: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(verifier), str(tmp_path / file)]
        return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    good = verified("export.ndjson")
    assert (good.returncode, good.stdout.count("ok ")) == (0, 3)
    (tmp_path / "forged.ndjson").write_text(exported.replace("platform_unreadable", "platform_readable", 1))
    assert (verified("forged.ndjson").returncode, "BROKEN" in verified("forged.ndjson").stdout) == (1, True)
    assert verified("missing.ndjson").returncode == 2

"""`governor doctor` and `governor init` as a person meets them, over the sandbox's sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.sandbox.accounts import GoogleBudget, GoogleCampaign
from service.sandbox.cliniko.records import BAIT
from service.sandbox.scene import API_KEYS, HARBOUR, META_TOKEN, scene
from service.sandbox.stage import staged
from service.sandbox.world import Fault, World
from tests.cli.called import governor
from tests.cli.test_cli import HARBOUR as HARBOUR_FILE

ACCOUNTS = ("--google", "123-456-7890", "--login-customer-id", "1112223333", "--meta", "act_1029384756")
SECRETS = (API_KEYS[HARBOUR], META_TOKEN, BAIT, "Jane Patient")


@dataclass(frozen=True)
class Desk:
    """A sandbox that is up, and a folder to work in."""

    world: World
    folder: Path
    env: dict[str, str]

    def call(self, *args: str, **env: str) -> tuple[int, str, str]:
        done = governor(*args, cwd=self.folder, **(self.env | env))
        for secret in SECRETS:
            assert secret not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    def checks(self, **env: str) -> dict[str, set[str]]:
        """The severities of every check that `doctor --json` made."""
        _, out, _ = self.call("doctor", HARBOUR, "--json", **env)
        found: dict[str, set[str]] = {}
        for each in json.loads(out)["findings"]:
            found.setdefault(each["check"], set()).add(each["severity"])
        return found


@pytest.fixture
def desk(google_certificate: Path, tmp_path: Path) -> Iterator[Desk]:
    world = scene(1, datetime.now(UTC))
    (tmp_path / "rules").mkdir()
    with staged(world, google_certificate) as stage:
        yield Desk(world, tmp_path, stage.environment)


def test_a_first_file_is_written_once_passes_every_check_and_the_clinic_is_ready(desk: Desk) -> None:
    status, out, _ = desk.call("doctor", HARBOUR)
    assert (status, f"governor init {HARBOUR}" in " ".join(out.split())) == (1, True)
    status, out, err = desk.call("init", HARBOUR, *ACCOUNTS)
    assert (status, err, "2 services, 4 campaigns, mode watch" in out) == (0, "", True)
    written = (desk.folder / "rules" / f"{HARBOUR}.yaml").read_text("utf-8")
    assert desk.call("rules", "check")[0] == 0
    assert desk.call("init", HARBOUR, *ACCOUNTS)[0] == 2
    assert (desk.folder / "rules" / f"{HARBOUR}.yaml").read_text("utf-8") == written
    status, out, _ = desk.call("doctor", HARBOUR)
    assert (status, f"{HARBOUR}: ready." in out) == (0, True)
    status, _, err = desk.call("doctor", HARBOUR, "--meta", "act_999")
    assert (status, "leave --google and --meta out" in err) == (2, True)
    status, out, _ = desk.call("evaluate", HARBOUR, "--dry-run", "--json")
    assert (status, len(json.loads(out)["runs"][0]["decisions"])) == (0, 4)
    assert desk.world.trips == []
    assert {request.method for request in desk.world.requests if request.system != "google"} == {"GET"}
    assert not any("Mutate" in request.path for request in desk.world.requests)


def test_a_clinic_broken_in_many_ways_hears_of_all_of_them_and_nothing_is_changed(desk: Desk) -> None:
    (desk.folder / "rules" / f"{HARBOUR}.yaml").write_text(HARBOUR_FILE.replace("Initial podiatry", "Initial podietry"))
    harbour, google, meta = desk.world.clinics[HARBOUR], desk.world.google["1234567890"], desk.world.meta["act_1029384756"]
    harbour.settings.segment_cap = 1
    harbour.businesses["1443966599630431802"].online = False
    google.budgets["shared"] = GoogleBudget("shared", 60_000_000, shared=True)
    google.campaigns["9876543210"].budget = "shared"
    google.campaigns["77"] = GoogleCampaign("77", "Brand", "79876543211")
    google.campaigns["9876543211"].status = "REMOVED"
    meta.currency = "NZD"
    found = desk.checks(GOVERNOR_KILL_SWITCH="true")
    assert {"kill_switch", "unknown_type", "ineligible", "currency", "unprovable"} <= {
        check for check, severities in found.items() if "must fix" in severities
    }
    assert {"switches", "caps"} <= set(found)
    assert not any(
        "Mutate" in request.path or request.method == "POST" for request in desk.world.requests if request.system != "google"
    )


def test_one_system_that_is_down_does_not_hide_the_others(desk: Desk) -> None:
    (desk.folder / "rules" / f"{HARBOUR}.yaml").write_text(HARBOUR_FILE)
    desk.world.fail(Fault("cliniko", "unauthorized"))
    found = desk.checks(GOVERNOR_META__ACCESS_TOKEN="EAAwrongwrongwrongwrong")
    assert found["key"] == {"must fix"}
    assert found["account"] == {"must fix", "fine"}
    assert found["campaigns"] == {"fine"}
    status, _, err = desk.call("init", "new-clinic", *ACCOUNTS)
    assert (status, "Cliniko could not be read" in err, list((desk.folder / "rules").iterdir())) == (
        1, True, [desk.folder / "rules" / f"{HARBOUR}.yaml"],
    )  # fmt: skip


BAD = [
    pytest.param(["doctor", "../etc"], "no clinic's name", id="a name that is a path"),
    pytest.param(["init", "Harbour", "--meta", "act_1"], "no clinic's name", id="capitals"),
    pytest.param(["init", "harbour"], "give --google", id="no account"),
    pytest.param(["init", "harbour", "--meta", "123"], "act_ and digits", id="a bare Meta id"),
    pytest.param(["doctor", "harbour", "--google", "12"], "ten digits", id="a short customer id"),
    pytest.param(["doctor", "harbour", "--login-customer-id", "1112223333"], "give both", id="a manager of nothing"),
]


@pytest.mark.parametrize(("args", "says"), BAD)
def test_a_bad_call_says_what_to_write_with_status_2(tmp_path: Path, args: list[str], says: str) -> None:
    done = governor(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout, says in done.stderr, "Traceback" in done.stderr) == (2, "", True, False)


def test_without_any_credentials_the_doctor_names_every_setting_to_make(tmp_path: Path) -> None:
    done = governor("doctor", HARBOUR, *ACCOUNTS, cwd=tmp_path)
    text = " ".join(done.stdout.split())
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    for name in ("CLINIKO__CONTACT_EMAIL", "CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY", "JSON_KEY_FILE_PATH", "ACCESS_TOKEN"):
        assert f"GOVERNOR_{name}" in text or name in text
    assert "not ready." in text

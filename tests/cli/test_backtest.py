"""`governor rules backtest` as a manager meets it."""

from __future__ import annotations

import io
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.cli.backtest_pages import strip
from service.cli.rules_backtest import LINE_SECONDS, Lines
from service.sandbox.scene import HARBOUR, scene
from tests.cli.called import governor
from tests.cli.test_progress import Clock
from tests.store.clinic_day import HOUR, lived
from tests.support import RULES
from tests.web.world import Near, app_over

SHIPPED = (RULES / f"{HARBOUR}.yaml").read_text("utf-8")
CAREFUL = SHIPPED.replace("{at_least: 55%, budget: 100%}", "{at_least: 55%, budget: 80%}").replace(
    "mode: enforce", "mode: watch"
)


@pytest.fixture(scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database of some hours of yesterday, the rule directory, and an edited rule file in `draft/`."""
    directory, near = tmp_path_factory.mktemp("kept"), Near(scene(now=datetime.now(UTC) - 24 * HOUR))
    async with app_over(near, directory) as app:
        await lived(app, near.world, HARBOUR, 12)
    (directory / "draft").mkdir()
    (directory / "draft" / f"{HARBOUR}.yaml").write_text(CAREFUL)
    return directory


def backtest(kept: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """What is said of the draft."""
    return governor("rules", "backtest", f"draft/{HARBOUR}.yaml", *args, cwd=kept)


def test_what_is_stored_is_put_through_the_file_and_the_one_in_force(kept: Path) -> None:
    (kept / "rules" / f"{HARBOUR}.yaml").rename(kept / "rules" / "moved")  # in force is what runs last went by
    found = json.loads(backtest(kept, "--since", "2d", "--json").stdout)
    (kept / "rules" / "moved").rename(kept / "rules" / f"{HARBOUR}.yaml")
    figures = found["report"]["figures"]
    assert (figures["clinic"], figures["runs"], figures["hours"]) == (HARBOUR, 12, 11)
    assert found["against"]["file"] == "the file in force"
    assert found["against"]["report"]["figures"]["runs"] == 12
    assert set(found["against"]["difference"]) == {"physio-search", "physio-social", "podiatry-search", "podiatry-social"}


def test_an_invented_clinic_shows_tables_a_picture_and_what_it_takes_for_granted(kept: Path) -> None:
    result = backtest(kept, "--sandbox", "--since", "10d", "--changes")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("an invented clinic: 241 readings over 240 hours")
    strips = [line for line in lines if line.startswith("  physio-search") and set(line.split()[-1]) <= set("·▁▂▃▄▅▆▇█")]
    assert [len(line.split()[-1]) for line in strips] == [60]
    assert any(line.endswith(" the file in force") for line in lines)
    assert f"draft/{HARBOUR}.yaml beside the file in force" in result.stdout
    assert "decided by" in result.stdout
    assert "note: campaigns start running at base" in result.stdout
    assert "note: the file's mode is watch; this is what enforce would have done" in result.stdout
    assert "every change" in result.stdout
    assert result.stderr == ""


def test_the_json_holds_both_files_their_difference_and_every_change(kept: Path) -> None:
    result = backtest(kept, "--sandbox", "--since", "8d", "--json", "--seed", "3")
    found = json.loads(result.stdout)
    mine = found["report"]["figures"]["campaigns"]["physio-search"]
    theirs = found["against"]["report"]["figures"]["campaigns"]["physio-search"]
    counts = found["report"]["changes"]["physio-search"]
    assert sum(counts[kind] for kind in ("pauses", "resumes", "raises", "cuts")) == len(mine["changes"]) > 0
    assert found["against"]["difference"]["physio-search"]["changes"] == len(mine["changes"]) - len(theirs["changes"])
    assert {"at", "rule", "reason", "sentence", "significant"} <= set(mine["changes"][0])
    assert found["notes"]
    assert (
        json.loads(backtest(kept, "--sandbox", "--since", "8d", "--json", "--seed", "3").stdout)["report"]["changes"]
        == (found["report"]["changes"])
    )


def test_the_file_in_force_is_compared_with_nothing(kept: Path) -> None:
    args = ("rules", "backtest", f"rules/{HARBOUR}.yaml", "--sandbox", "--since", "2d", "--json")
    assert json.loads(governor(*args, cwd=kept).stdout)["against"] is None


BAD_CALLS = [
    pytest.param(["--since", "ninety days"], "write hours, days or weeks", id="no period"),
    pytest.param(["--since", "0d"], "write hours, days or weeks", id="no time at all"),
    pytest.param(["--since", "9999w"], "write hours, days or weeks", id="two hundred years"),
    pytest.param(["--against", "rules/northside-allied.yaml"], "compare files of one clinic", id="another clinic's file"),
    pytest.param(["--against", "nowhere.yaml"], "nowhere.yaml cannot be read", id="a file that is not there"),
    pytest.param(["--since", "1h"], "is kept since", id="nothing stored of that time"),
]


@pytest.mark.parametrize(("args", "says"), BAD_CALLS)
def test_a_bad_call_says_what_is_wrong(kept: Path, args: list[str], says: str) -> None:
    result = backtest(kept, *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_database_none_is_made_and_the_sandbox_is_named(tmp_path: Path, kept: Path) -> None:
    result = governor("rules", "backtest", str(kept / "draft" / f"{HARBOUR}.yaml"), cwd=tmp_path)
    assert (result.returncode, "--sandbox" in result.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


# --- pieces -------------------------------------------------------------------------------------------------------------


def test_a_strip_shows_what_was_spent_as_a_share_of_base() -> None:
    shares = [None, 0, 0.1, 0.34, 0.7, 0.99, 1, 1.1, 1.3, 1.6, 2.5]
    assert strip(shares) == " ·▁▂▃▃▄▅▆▇█"


def test_a_long_backtest_says_how_far_it_is_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    for done in range(1, 5):
        lines(done * 500, 2000)
        clock.now += 0.7 * LINE_SECONDS
    assert stream.getvalue() == "1,500 of 2,000 readings done\n"

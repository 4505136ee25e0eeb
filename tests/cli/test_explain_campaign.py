"""`governor rules explain --campaign` as a manager meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from tests.cli.called import governor
from tests.web.conftest import HOUR
from tests.web.world import Near, app_over, book_out

FILE = f"rules/{HARBOUR}.yaml"


@pytest.fixture(scope="module")
async def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the rule files and the database of a clinic that sold out a day after its first run."""
    directory, near = tmp_path_factory.mktemp("lived"), Near(scene())
    async with app_over(near, directory) as app:
        for hours in (0, 23, 1, 1):
            near.world.advance(hours * HOUR)
            if hours == 23:
                book_out(near.world)
            await app.governor.run(HARBOUR)
    return directory


def explained(folder: Path, *args: str, file: str = FILE) -> str:
    result = governor("rules", "explain", file, *args, cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_decision_trace_rules_and_tipping_points_are_on_one_page(lived: Path) -> None:
    page = explained(lived, "--campaign", "physio-search").splitlines()
    assert page[0].startswith("physio-search (google), Harbour Physio: run ")
    assert any("Already paused: “Booked solid” stays on until" in line for line in page)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in page if line.startswith("│")]
    assert ["Booked solid", "utilisation over 14 days below 80%", "100%", "false"] in cells
    assert any(line.startswith("1. Booked solid decides: ") for line in page)
    assert any(line.startswith("3. Ladder overruled: ") for line in page)
    lifts = "would lift the pause: then running at 10.00 AUD (“Ladder”)"
    assert page[-2:] == [
        f"- Five more slots opened in the last 24h over 14 days (at least 5) {lifts}",
        f"- Utilisation over 14 days 20.1 points lower (below 80%) {lifts}",
    ]
    assert not any("has changed since" in line for line in page)


def test_the_same_as_json(lived: Path) -> None:
    found = json.loads(explained(lived, "--campaign", "physio-search", "--json"))
    assert (found["clinic"], found["campaign"], found["file_changed"]) == (HARBOUR, "physio-search", False)
    assert (found["decision"]["rule"], found["decision"]["overruled"]) == ("Booked solid", ["Ladder"])
    assert [each["part"] for each in found["rules"]] == ["decides", "does not match", "overruled"]
    assert [each["change"] for each in found["tipping"]["points"]] == ["5", "-20.1"]


def test_an_edited_file_is_said_to_be_another_than_the_run_went_by(lived: Path, tmp_path: Path) -> None:
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text() + "# a word\n")
    assert f"{FILE} has changed since" in explained(tmp_path, "--campaign", "physio-search")


WRONG = [
    pytest.param([FILE, "--campaign", "physio-serch"], "`physio-serch`: did you mean `physio-search`?", id="a near miss"),
    pytest.param([FILE, "--campaign", "zz"], "there are `physio-search`, `physio-social`,", id="no such campaign"),
    pytest.param(["--campaign", "physio-search"], "--campaign is about one rule file: name it", id="no file"),
    pytest.param(
        [f"rules/{NORTHSIDE}.yaml", "--campaign", "speech-search"],
        f"no run of {NORTHSIDE} is stored yet: make one with `governor evaluate {NORTHSIDE}`",
        id="never run",
    ),
]


@pytest.mark.parametrize(("args", "says"), WRONG)
def test_what_cannot_be_told_is_a_message_that_says_what_to_do(lived: Path, args: list[str], says: str) -> None:
    result = governor("rules", "explain", *args, cwd=lived)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_campaign_that_is_new_in_the_file_waits_for_a_run(lived: Path, tmp_path: Path) -> None:
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / FILE).read_text()
    new = '  new-search: {platform: google, id: "77", service: podiatry, base_budget: 5.00, floor: 1.00, ceiling: 9.00}\n'
    (tmp_path / FILE).write_text(text.replace("\ncampaigns:\n", f"\ncampaigns:\n{new}", 1))
    result = governor("rules", "explain", FILE, "--campaign", "new-search", cwd=tmp_path)
    assert result.returncode == 2
    assert f"the latest run of {HARBOUR} did not know `new-search` yet" in result.stderr


def test_no_database_is_made_by_asking(tmp_path: Path, lived: Path) -> None:
    shutil.copytree(lived / "rules", tmp_path / "rules")
    result = governor("rules", "explain", FILE, "--campaign", "physio-search", cwd=tmp_path)
    assert (result.returncode, "is stored yet" in result.stderr) == (2, True)
    assert not list(tmp_path.glob("*.db*"))

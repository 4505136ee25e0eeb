"""The README's section on the API: its session is run, word for word, and its table of problems is whole."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from service.sandbox.scene import HARBOUR, NORTHSIDE, types_named
from service.web.problems import KINDS, STATUSES, UNEXPECTED
from tests.serving import served
from tests.web.conftest import HOUR, Api
from tests.web.test_plans import evaluate, rewrite
from tests.web.world import book_out

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text().partition("## Ask the API\n")[2].partition("\n## ")[0]
MISSING = [name for name in ("bash", "curl", "jq") if shutil.which(name) is None]


async def lived(api: Api) -> None:
    """Podiatry sold out and its campaign was cut; now two pauses of physiotherapy's wait for an answer."""
    world = api.near.world
    await evaluate(api, 0 * HOUR)
    world.book_out(HARBOUR, types_named(world.clinics[HARBOUR], "Initial podiatry"))
    for hours in (23, 1):
        decided = await evaluate(api, hours * HOUR)
    assert decided["podiatry-search"]["verdict"] == "apply"
    rewrite(api, "mode: enforce", "mode: propose")
    book_out(world)
    for _ in range(8):  # that all diaries are full at once is believed after six hours
        await evaluate(api)


@pytest.mark.skipif(bool(MISSING), reason=f"the session is one of a shell, and this machine has no {', '.join(MISSING)}")
async def test_an_agencys_day_goes_as_the_readme_says(api: Api, tmp_path: Path) -> None:
    await lived(api)
    [script] = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    async with served(api.litestar) as url:
        environment = {**os.environ, "GOVERNOR": url, "KEY": api.secrets["harbour-operator"], "no_proxy": "127.0.0.1"}
        pipe = asyncio.subprocess.PIPE
        shell = await asyncio.create_subprocess_exec(
            "bash", "-euo", "pipefail", "-c", script, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe
        )
        out, err = await asyncio.wait_for(shell.communicate(), 60)
    said = out.decode()
    assert shell.returncode == 0, said + err.decode()
    assert HARBOUR in said
    assert NORTHSIDE not in said
    for expected in ("- name: ", "true  ", '"utilisation"', "\napproved\n", "\nrejected\n", "\n304\n", f"\nok {HARBOUR}="):
        assert expected in said, expected
    answers = {each.answer for each in (await api.app.store.approvals.standing(HARBOUR)).values()}
    assert {str(each) for each in answers} == {"approved", "rejected"}
    [hold] = await api.app.store.holds.holds(HARBOUR, api.app.clock() + timedelta(hours=1))
    assert (hold.service, hold.by) == ("podiatry", "harbour-operator")


def test_the_readme_names_every_type_of_problem_with_its_status() -> None:
    rows = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (\d{3}) \| .+ \|$", SECTION, re.MULTILINE)
    told = {(name, int(status)) for names, status in rows for name in re.findall(r"`([a-z-]+)`", names)}
    assert told == {(kind.name, kind.status) for kind in (*KINDS.values(), *STATUSES.values(), UNEXPECTED)}

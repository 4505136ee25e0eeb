"""A clinic whose diaries all empty within an hour, governed with a database: what tells since when comes from there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from service.core.canonical import canonical
from service.core.engine import conclude
from service.core.model import Reason
from service.sandbox.scene import HARBOUR, scene
from tests.web.world import Near, app_over

HOUR = timedelta(hours=1)


async def test_a_clinic_that_empties_within_an_hour_is_paused_six_hours_after_that_was_seen(tmp_path: Path) -> None:
    world = scene()
    paused = []
    async with app_over(Near(world), tmp_path) as app:
        await app.governor.run(HARBOUR)
        world.book_out(HARBOUR, list(world.clinics[HARBOUR].types))
        for _ in range(7):
            world.advance(HOUR)
            report = await app.governor.run(HARBOUR)
            physio = next(each for each in report.decisions if each.campaign == "physio-search")
            paused.append(physio.after is not None and not physio.after.running)
            if not paused[-1]:
                assert physio.reason in {Reason.DATA_INCOMPLETE, Reason.NO_HISTORY}
            again = conclude(await app.store.runs.load_inputs(report.run))
            assert canonical(again) == await app.store.runs.outcome_text(report.run)
    assert paused == [False] * 6 + [True]

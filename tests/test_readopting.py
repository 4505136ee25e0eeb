"""A campaign is handed back to the rules when no run is under way that would have it be something else."""

from __future__ import annotations

import pytest

from service.core.errors import LeaseLostError
from service.readopting import readopt
from service.sandbox.scene import HARBOUR
from tests.clinic import Clinic, paused


async def test_a_campaign_is_not_handed_back_while_a_run_is_under_way(clinic: Clinic) -> None:
    await clinic.run()
    clinic.rules("pause")
    refused = []

    async def meanwhile() -> None:
        with pytest.raises(LeaseLostError, match="under way; try again"):
            await readopt(clinic.app.governor, HARBOUR, "search", "operator")
        refused.append(True)

    clinic.ads.on_write = meanwhile
    await clinic.run()
    known = await clinic.standing()
    assert (refused, known.expected, known.paused_by_us, len(known.changes)) == ([True], paused("60.00"), True, 1)


async def test_a_run_waits_for_a_campaign_that_is_being_handed_back(clinic: Clinic) -> None:
    await clinic.run()
    clinic.ads.person("1", running=False)
    await clinic.run()
    refused = []

    async def meanwhile() -> None:
        clinic.ads.on_read = None
        with pytest.raises(LeaseLostError):
            await clinic.app.governor.run(HARBOUR)
        refused.append(True)

    clinic.ads.on_read = meanwhile
    await readopt(clinic.app.governor, HARBOUR, "search", "operator")
    assert refused == [True]
    assert (await clinic.standing()).stood_down is None
    assert (await clinic.decided()).verdict == "apply", "the pause is the rules' to end"

"""What is held and what somebody has changed, as a person is shown it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rich.console import Console
from rich.table import Table

from service.cli.hands import holds, holds_table, stood_down, stood_down_table
from service.core.errors import NotFoundError
from service.sandbox.scene import HARBOUR
from tests.clinic import Clinic


def shown(table: Table) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as capture:
        console.print(table)
    return " ".join(capture.get().replace("│", " ").split())


async def test_a_hold_is_listed_with_what_it_is_on_and_whose_it_is(clinic: Clinic) -> None:
    assert await holds(clinic.app, []) == []
    await clinic.run()
    await clinic.hold(campaign="search")
    text = shown(holds_table(await holds(clinic.app, [HARBOUR])))
    for part in ("h1", "harbour-physio: search", "`governor unhold h1`", "mia", "open day"):
        assert part in text
    clinic.rules(other="2")
    await clinic.run()
    (gone,) = await holds(clinic.app, [])
    assert "the whole clinic is held" in gone.reason


async def test_what_somebody_changed_is_listed_with_their_name(clinic: Clinic) -> None:
    await clinic.run()
    assert await stood_down(clinic.app, []) == []
    clinic.later()
    clinic.ads.person("1", budget=Decimal("71.00"))
    await clinic.run()
    text = shown(stood_down_table(await stood_down(clinic.app, [HARBOUR])))
    for part in ("harbour-physio", "search", "drift", "mia by way of a page", "71.00", "60.00"):
        assert part in text


async def test_a_clinic_that_there_is_not_has_no_list(clinic: Clinic) -> None:
    with pytest.raises(NotFoundError, match="there is no clinic"):
        await holds(clinic.app, ["nowhere"])

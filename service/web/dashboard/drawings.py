"""What is drawn of a clinic's newest run: computed once, for every page that shows it."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from service.app import App
from service.core.decide.model import RunInputs
from service.core.engine import clinic_zone
from service.core.errors import GoneError
from service.core.heat import By, Group, heat_map
from service.core.model import Unreadable

KEPT = 100
"""Clinics whose newest drawing is kept."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A run's heat maps, or `why` there are none; `zone` is the clinic's wall clock, UTC where none was seen yet."""

    run: str
    zone: str
    maps: Mapping[By, tuple[Group, ...]]
    why: str = ""


NO_MAPS: Mapping[By, tuple[Group, ...]] = dict.fromkeys(By, ())
NOTHING_DRAWN = Drawing("", "UTC", NO_MAPS, "No run has looked at this clinic yet.")
UNREAD = "The newest run could not read Cliniko, so there is nothing to show."
GONE = "What the newest run saw is no longer kept."


class Drawings:
    """The newest drawing of each clinic."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: OrderedDict[str, Drawing] = OrderedDict()

    async def of(self, clinic: str) -> Drawing:
        """What the clinic's newest recorded run saw."""
        planned = (await self._app.store.runs.runs([clinic], planned=True, limit=1)).items
        if not planned:
            return NOTHING_DRAWN
        if clinic not in self._known or self._known[clinic].run != planned[0].id:
            self._known[clinic] = await self._drawn(planned[0].id, self._known.get(clinic, NOTHING_DRAWN).zone)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(clinic)
        return self._known[clinic]

    async def _drawn(self, run: str, zone: str) -> Drawing:
        try:
            inputs = await self._app.store.runs.load_inputs(run)
        except GoneError:
            return Drawing(run, zone, NO_MAPS, GONE)
        return await asyncio.to_thread(_draw, inputs, zone)


def _draw(inputs: RunInputs, known: str) -> Drawing:
    if isinstance(inputs.snapshot.diaries, Unreadable):
        zone = clinic_zone(inputs.baselines)
        return Drawing(inputs.run, known if zone == "UTC" else zone, NO_MAPS, UNREAD)
    return Drawing(inputs.run, clinic_zone((inputs.snapshot,)), {by: heat_map(inputs, by) for by in By})


TheDrawings = NamedDependency[SkipValidation[Drawings]]

"""A random clinic read by the real adapter: over its wire format, in process, on virtual time."""

from __future__ import annotations

from service.cliniko.access import Access
from service.cliniko.diaries import ClinikoDiaries
from service.core.model import Diaries
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.world import Fault, World
from tests.cliniko.stage import EMAIL, VirtualTime, over
from tests.core.worlds import Found


async def read_over_the_wire(found: Found, *faults: Fault, largest_page: int = 100) -> Diaries:
    """What the adapter makes of the sandbox's answers about this clinic."""
    world = World(found.now)
    world.clinics = {found.clinic.slug: found.clinic}
    world.faults = list(faults)
    app = cliniko_app(world, limit=10**9, patience=0.0, largest_page=largest_page)
    reader = ClinikoDiaries(
        Access.of(found.clinic.api_key, EMAIL, "http://cliniko.test/v1"),
        clock=world.clock(),
        transport=over(app),
        timing=VirtualTime().timing,
    )
    async with reader:
        return await reader.read((found.service,))

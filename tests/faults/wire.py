"""The real adapter over the sandbox's Cliniko, in process and on virtual time, fast enough for thousands of readings.

What no fault touches is answered from a memory of what the sandbox answered before to the same question about the same
clinic at the same hour.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

import httpx

from service.cliniko.access import Access
from service.cliniko.diaries import ClinikoDiaries
from service.core.model import Campaign, History, Platform, Shares, Snapshot, State, Survey, Unreadable
from service.core.ports import Stop, unstopped
from service.observe import Outside, observe
from service.sandbox.world import Fault
from tests.cliniko.stage import EMAIL, VirtualTime
from tests.faults.states import Condition, Lineage
from tests.support import campaigns

RESET = "reset"
"""The connection breaks: nothing that a server says, so the transport does it."""

Answered = tuple[int, list[tuple[bytes, bytes]], bytes]


@dataclass(slots=True)
class Wire(httpx.AsyncBaseTransport):
    """A transport into the sandbox that knows which requests a fault is for."""

    lineage: Lineage
    remembered: dict[str, Answered]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        world = self.lineage.world
        line = f"{request.method} {request.url.path}?{urlencode(parse_qsl(request.url.query.decode()))}"
        fault = next((f for f in world.faults if f.due("cliniko", line, world.now)), None)
        if fault is not None and fault.kind == RESET:
            world.fault("cliniko", line)
            raise httpx.ReadError("connection reset by peer", request=request)
        if fault is not None:
            return await self.lineage.sandbox.handle_async_request(request)
        if line not in self.remembered:
            answer = await self.lineage.sandbox.handle_async_request(request)
            self.remembered[line] = (answer.status_code, answer.headers.raw, await answer.aread())
        status, headers, content = self.remembered[line]
        return httpx.Response(status, headers=headers, content=content)


_memory: dict[tuple[Condition, str], dict[str, Answered]] = {}


@dataclass(frozen=True, slots=True)
class Held:
    """One platform's ad account as the lineage's own world holds it."""

    lineage: Lineage
    platform: Platform

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        found = campaigns(self.lineage.world, self.lineage.rules)
        return {seen.id: seen for seen in found.values() if isinstance(seen, Campaign) and seen.id in ids}

    async def survey(self) -> Survey:
        raise NotImplementedError("a run surveys nothing")

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        raise NotImplementedError(
            f"nothing is decided here that would need to know who changed {campaigns} from {since} to {until}"
        )

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:
        raise NotImplementedError(f"{campaign} is not to be made {target} {shares} here, {stop} or not")


async def seen(condition: Condition, lineage: Lineage, faults: Sequence[Fault] = ()) -> Snapshot:
    """What a run observes of the lineage's world in the presence of these faults."""
    world = lineage.world
    world.faults = list(faults)
    time = VirtualTime()
    memory = _memory.setdefault((condition, world.now.isoformat()), {})
    reader = ClinikoDiaries(
        Access.of(world.clinics[condition.clinic].api_key, EMAIL, "http://cliniko.test/v1"),
        clock=world.clock(),
        transport=Wire(lineage, memory),
        timing=time.timing,
    )
    accounts = {platform: Held(lineage, platform) for platform in Platform}
    async with reader:
        return await observe(Outside(reader, accounts), lineage.rules, world.now)

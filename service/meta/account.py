"""A clinic's Meta ad account: its campaigns as values, one absolute change at a time, and who changed what.

A campaign's budget is its own (Advantage campaign budget) or the sum of its ad sets'; everything that cannot be changed is
read and explained. Nothing is ever sent twice; a refusal nobody documents is believed only after reading again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from service.core.errors import RefusedError, SettingsError, TransientError
from service.core.model import Campaign, History, Shares, State, Survey, Unreadable
from service.core.ports import Board, Stop, unstopped
from service.meta import activity
from service.meta.allowance import Allowance
from service.meta.credentials import MetaCredentials
from service.meta.graph import DEFAULT_LIMITS, Graph, Limits
from service.meta.pauses import Pauses
from service.meta.reading import Reading
from service.meta.writing import Writing, steps
from service.monitor import Monitor

T = TypeVar("T")


class MetaAdAccount:
    """One Meta ad account, `act_` and digits, whose campaigns the rule file names; `currency` is the rule file's.

    `base_url` (scheme, host and port) replaces Graph's own. `clock` tells UTC now. `pauses` are those of the app, to be shared
    by all ad accounts it reaches; other processes that change the account's budgets are on `board`. Errors are the
    `OutsideError` family.
    """

    def __init__(  # noqa: PLR0913 - each by its name
        self,
        *,
        ad_account_id: str,
        currency: str,
        credentials: MetaCredentials,
        base_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits = DEFAULT_LIMITS,
        pauses: Pauses | None = None,
        monitor: Monitor | None = None,
        board: Board | None = None,
    ) -> None:
        if not re.fullmatch(r"act_\d+", ad_account_id):
            raise SettingsError(f"{ad_account_id!r} is no Meta ad account: write `act_` and its digits")
        if base_url is not None and not re.match(r"https?://[^/?#]+/?$", base_url):
            raise SettingsError("the Meta base URL must be scheme, host and port only, for instance https://graph.facebook.com")
        self._id = ad_account_id
        self._currency = currency
        self._credentials = credentials
        self._base_url = base_url
        self._clock = clock
        self._sleep = sleep
        self._limits = limits
        self._allowance = Allowance(clock, board, ad_account_id)
        self._pauses = pauses or Pauses(clock)
        self._monitor = monitor

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        """The campaigns with these ids, each exactly once; raises where the account as a whole cannot be read."""
        wanted = tuple(dict.fromkeys(ids))
        return await self._in_time(lambda graph: self._reading(graph).campaigns(wanted)) if wanted else {}

    async def survey(self) -> Survey:
        """The account and its campaigns that are neither archived nor deleted; today's spend is left out. Raises as `read`."""
        return await self._in_time(lambda graph: Reading(graph, self._id, None, self._clock).survey())

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        """What the activity log tells of these campaigns, and of the budgets of their ad sets, from `since` to `until`.

        Raises the `OutsideError` family; `RefusedError` where the log does not reach back so far.
        """
        if not campaigns:
            return {}
        if since < self._clock() - activity.KEPT:
            raise RefusedError(
                "meta", f"Meta keeps its activity log for {activity.KEPT.days} days, which is not back to {since:%d %b %Y}",
                code="not_kept",
            )  # fmt: skip
        return await self._in_time(lambda graph: self._reading(graph).history(campaigns, since, until))

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:
        """Make `campaign` be `target`, sending only what differs; returns it as read back.

        `RefusedError` with code `SPENT_TODAY` where the budget is too low for today; `AmbiguousWriteError` where the change may
        or may not have been made; `TransientError` where it certainly was not, but may be later. Where its ad sets hold the
        budget `shares` is what each is to have, and `PartialWriteError` says that only some of them have it. `stop` is asked
        before each request that changes something; `StoppedError` where it stops the first.
        """
        wanted = steps(campaign, target, shares)
        for step in wanted:
            if step.daily_budget is not None:
                self._allowance.check(step.id)
        async with self._graph() as graph:
            return await Writing(self._reading(graph), campaign, target, self._allowance, stop).make(wanted)

    def _reading(self, graph: Graph) -> Reading:
        return Reading(graph, self._id, self._currency, self._clock)

    async def _in_time(self, reading: Callable[[Graph], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._limits.read), self._graph() as graph:
                return await reading(graph)
        except TimeoutError:
            pass
        raise TransientError("meta", f"reading the ad account took more than {self._limits.read:g} s", code="deadline")

    @asynccontextmanager
    async def _graph(self) -> AsyncIterator[Graph]:
        way = Graph(
            self._id, self._credentials, self._base_url, self._limits, self._sleep, self._pauses, self._monitor
        )  # fmt: skip
        async with way as graph:
            yield graph

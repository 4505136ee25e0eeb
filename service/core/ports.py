"""What the governor needs of the outside world, as protocols the adapters fulfil.

Every method may raise the `OutsideError` family of `service.core.errors` and nothing else. Pure: only shapes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from service.core.model import Campaign, Diaries, History, Shares, State, Survey, Unreadable
from service.core.rules.language import Service

Stop = Callable[[], Awaitable[str]]
"""Why nothing may be written any more, a sentence; '' where it may. Asked anew before each request of several."""


async def unstopped() -> str:
    """Nobody's word stops it."""
    return ""


class Notes(Protocol):
    """What an adapter need not ask its system again, kept for later processes too. Raises nothing: at worst it is not there."""

    async def get(self, key: str) -> str | None:
        """What was noted under a key of the adapter's own and still counts."""
        ...

    async def put(self, key: str, text: str, keep: timedelta | None = None) -> None:
        """Note something for so long; for good where that is not said."""
        ...


class NoNotes:
    """Notes that are lost at once."""

    async def get(self, key: str) -> str | None:  # noqa: ARG002 - the port's
        """Nothing."""
        return None

    async def put(self, key: str, text: str, keep: timedelta | None = None) -> None:
        """Forget it."""


Heard = Callable[[str, Mapping[str, object], timedelta], None]
"""What was said about somebody, and for how long it still counts."""


class Board(Protocol):
    """What an outside system asked for in one process and all processes go by, while it counts. Raises nothing.

    May be used from any thread.
    """

    def post(self, topic: str, whom: str, said: Mapping[str, object], counts: timedelta) -> None:
        """Let the other processes know what was said about `whom` (JSON values), which counts for so long."""
        ...

    def listen(self, topic: str, heard: Heard) -> None:
        """Have `heard` called with whatever other processes post on a topic, and have posted by now."""
        ...


class NoBoard:
    """A process of its own."""

    def post(self, topic: str, whom: str, said: Mapping[str, object], counts: timedelta) -> None:
        """Tell nobody."""

    def listen(self, topic: str, heard: Heard) -> None:
        """There is nothing to hear."""


class DiarySource(Protocol):
    """One clinic's Cliniko account, read-only."""

    async def read(self, services: Sequence[Service]) -> Diaries:
        """Read what the capacity of `services` needs: reference data and the next 14 local days of starts.

        A single diary that cannot be read becomes a probe without starts; an account that cannot be read raises.
        """
        ...


class AdAccount(Protocol):
    """One ad account of one clinic."""

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        """The campaigns with these platform ids, each exactly once; one that is missing or removed is ineligible."""
        ...

    async def survey(self) -> Survey:
        """The account and all its campaigns that are not removed, read-only; what is spent today may be left out."""
        ...

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:
        """Make `campaign` be `target` with absolute values and return it as read back afterwards.

        Status and budget go in one atomic group where the platform has it. Only what differs is written. `shares` are what
        the parts of a divided budget are to be; their sum is the target's budget. Where that takes several requests, `stop` is
        asked before each that changes something: `StoppedError` if none was sent by then, else `PartialWriteError`.
        """
        ...

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        """What was changed about these campaigns from `since` to `until`, by platform id, none of them left out.

        Our own changes are among them. A platform may tell with some minutes' delay, and not at all of some tools. Raises
        where it does not tell, also where it does not reach back as far as `since`.
        """
        ...

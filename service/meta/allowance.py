"""Meta's limit of four budget changes an hour, kept by ourselves.

Marketing API, "Budgets": the fifth change of an ad set's budget within an hour is refused with 613/1487632 and the object is
then blocked for an hour. The page names ad sets; campaign budgets are held to the same. In memory, so it knows what this
process sent, also without an answer, and what those sent that share its board; of what was before a restart, decisions go by
what is remembered of the campaign (`core.decide.frequency`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from service.core.errors import TransientError
from service.core.ports import Board, NoBoard

PER_HOUR = 4
HOUR = timedelta(hours=1)


class Allowance:
    """A sliding window of budget changes per object."""

    def __init__(self, clock: Callable[[], datetime], board: Board | None = None, account: str = "") -> None:
        self._clock, self._board, self._topic = clock, board or NoBoard(), f"meta changes {account}"
        self._changes: dict[str, list[datetime]] = {}
        self._board.listen(self._topic, self._heard)

    def check(self, object_id: str) -> None:
        """Raise `TransientError`, with the time until there is room, if another change would be one too many."""
        recent = self._recent(object_id)
        if len(recent) >= PER_HOUR:
            raise TransientError(
                "meta", f"the budget of {object_id} has been changed {len(recent)} times within the hour, the most Meta allows",
                code="613/1487632", retry_after=recent[-PER_HOUR] + HOUR - self._clock(),
            )  # fmt: skip

    def note(self, object_id: str) -> None:
        """Count a change that was sent, whether or not its outcome is known."""
        self._changes[object_id] = [*self._recent(object_id), self._clock()]
        self._board.post(self._topic, uuid4().hex, {"object": object_id}, HOUR)

    def _heard(self, _whom: str, said: Mapping[str, object], counts: timedelta) -> None:
        object_id = str(said["object"])
        self._changes[object_id] = sorted([*self._recent(object_id), self._clock() - HOUR + counts])

    def _recent(self, object_id: str) -> list[datetime]:
        return [at for at in self._changes.get(object_id, []) if at > self._clock() - HOUR]

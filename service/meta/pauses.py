"""What Meta asked to be left alone, and until when: kept by ourselves, so that one refusal is not followed by twenty.

Reports of Insights have a quota of their own, a budget its own hour; anything else that asks for fewer calls is about the
whole account. After a restriction (integrity, abuse prevention) nothing is written for hours. In memory: after a restart
Meta says it once more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from service.core.errors import OutsideError, TransientError
from service.meta.errors import BUDGET_LIMIT, WHOLE_APP, RestrictedError

RESTRICTED_FOR = timedelta(hours=6)
INSIGHTS_EDGE = "insights"
ACCOUNT, INSIGHTS, WRITES = "the ad account", "reports", "writes"


class Pauses:
    """The scopes of one ad account that are left alone."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._until: dict[str, tuple[datetime, OutsideError]] = {}

    def check(self, method: str, path: tuple[str, ...]) -> None:
        """Raise what Meta said last if it still holds for this call: `TransientError` or `RestrictedError`."""
        for scope in _scopes(method, path):
            until, said = self._until.get(scope, (self._clock(), None))
            left = until - self._clock()
            if said is None or left <= timedelta(0):
                continue
            why = f"left alone until {until:%H:%M} UTC, as Meta asked: {said}"
            if isinstance(said, RestrictedError):
                raise RestrictedError("meta", why, code=said.code)
            raise TransientError("meta", why, code=said.code, retry_after=left)

    def note(self, path: tuple[str, ...], said: OutsideError) -> None:
        """Remember what an answer asked for."""
        now = self._clock()
        if isinstance(said, RestrictedError):
            self._until[WRITES] = (now + RESTRICTED_FOR, said)
        elif isinstance(said, TransientError) and said.retry_after is not None:
            self._until[_scope(path, said)] = (now + said.retry_after, said)


def _scopes(method: str, path: tuple[str, ...]) -> tuple[str, ...]:
    if path[-1] == INSIGHTS_EDGE:
        return (INSIGHTS, ACCOUNT)
    return (ACCOUNT,) if method == "GET" else (ACCOUNT, WRITES, path[0])


def _scope(path: tuple[str, ...], said: TransientError) -> str:
    if said.code.endswith(BUDGET_LIMIT):
        return path[0]
    return INSIGHTS if path[-1] == INSIGHTS_EDGE and said.code not in WHOLE_APP else ACCOUNT

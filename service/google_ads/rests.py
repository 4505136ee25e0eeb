"""How long Google asked to be left alone, so that nobody asks again meanwhile: retrying prolongs an outage of quota.

A quota is an account's, or the Cloud project's, which all accounts that one sign-in reaches share (Google, "Quotas"; in a
failure `quota_error_details.rate_scope`). Does no I/O; may be used from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from service.core.errors import TransientError
from service.core.ports import Board, NoBoard
from service.google_ads.wire import SYSTEM

PROJECT = ""
"""Stands for everything that a sign-in reaches, where otherwise a customer id stands."""


class Rests:
    """Until when which account is left alone. `clock` gives seconds that only ever grow.

    Processes that share a sign-in, here by the name `sign_in`, tell each other by way of `board`.
    """

    def __init__(self, clock: Callable[[], float], board: Board | None = None, sign_in: str = "") -> None:
        self._clock, self._board, self._topic = clock, board or NoBoard(), f"google {sign_in}".strip()
        self._until: dict[str, float] = {}
        self._board.listen(self._topic, self._heard)

    def begin(self, whom: str, wait: timedelta) -> None:
        """Leave an account, or the project, alone for so long; an earlier, longer rest stays."""
        self._begin(whom, wait)
        self._board.post(self._topic, whom, {}, wait)

    def _heard(self, whom: str, _said: Mapping[str, object], counts: timedelta) -> None:
        self._begin(whom, counts)

    def _begin(self, whom: str, wait: timedelta) -> None:
        self._until[whom] = max(self._until.get(whom, 0.0), self._clock() + wait.total_seconds())

    def check(self, customer_id: str) -> None:
        """Raise TransientError while the account, or the project, is to be left alone."""
        left = max(self._until.get(whom, 0.0) for whom in (PROJECT, customer_id)) - self._clock()
        if left > 0:
            message = f"Google Ads asked to be left alone for another {left:.0f} s; nothing was sent"
            raise TransientError(SYSTEM, message, code="RESTING", retry_after=timedelta(seconds=left))

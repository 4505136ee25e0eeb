"""What Meta asked to be left alone, and until when: kept by ourselves, so that one refusal is not followed by twenty.

It asks by refusing, and before that by the headers of what it answers: access that is to come back in some minutes, or a quota
that is nearly used up. Some limits are the app's, whichever of its ad accounts is asked about, so one `Pauses` serves all of
them; the others are one account's. Reports of Insights have a quota of their own, a budget its own hour. After a restriction
(integrity, abuse prevention) nothing is written for hours. In memory, and told to the processes that share a board: after a
restart of all of them Meta says it once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.errors import OutsideError, TransientError
from service.core.ports import Board, NoBoard
from service.meta.errors import BUDGET_LIMIT, RestrictedError, about_app, about_reports
from service.meta.usage import Gauge, Usage

RESTRICTED_FOR = timedelta(hours=6)
INSIGHTS_EDGE = "insights"
EVERYTHING, INSIGHTS, WRITES = "everything", "reports", "writes"

APP = ""
"""Stands for all that the app reaches, where otherwise an ad account's id stands."""

NEARLY_USED_UP = "nearly_used_up"

Scope = tuple[str, str]
"""Whose: an ad account's or the app's; and what of it, or the one campaign or ad set."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when, and what Meta said. `forced` is False where it has refused nothing yet."""

    until: datetime
    said: OutsideError
    forced: bool = True


class Pauses:
    """The scopes of one app, and of the ad accounts it reaches, that are left alone.

    Other processes on `board` know the app by the same name.
    """

    def __init__(self, clock: Callable[[], datetime], board: Board | None = None, app: str = "") -> None:
        self._clock, self._board, self._topic = clock, board or NoBoard(), f"meta {app}".strip()
        self._pauses: dict[Scope, Pause] = {}
        self._board.listen(self._topic, self._heard)

    def check(self, account: str, method: str, path: tuple[str, ...], *, wrote: bool = False) -> None:
        """Raise what Meta said last if it still holds for this call: `TransientError` or `RestrictedError`.

        A quota that is nearly used up has room for reading back what the same operation has just written (`wrote`).
        """
        for scope in _scopes(account, method, path):
            pause = self._pauses.get(scope)
            if pause is None or pause.until <= self._clock() or (wrote and method == "GET" and not pause.forced):
                continue
            whom = "all ad accounts of this app are left alone" if scope[0] == APP else "left alone"
            why = f"{whom} until {pause.until:%d %b %H:%M} UTC, as Meta asked: {pause.said}"
            if isinstance(pause.said, RestrictedError):
                raise RestrictedError("meta", why, code=pause.said.code)
            raise TransientError("meta", why, code=pause.said.code, retry_after=pause.until - self._clock())

    def note(self, account: str, path: tuple[str, ...], said: OutsideError) -> None:
        """Remember what a refusal asked for."""
        if isinstance(said, RestrictedError):
            self._begin((account, WRITES), RESTRICTED_FOR, said)
        elif isinstance(said, TransientError) and said.retry_after is not None:
            self._begin(_scope(account, path, said.code), said.retry_after, said)

    def heed(self, account: str, usage: Usage) -> None:
        """Remember what the headers of an answer ask for, whatever the answer is."""
        for gauge in usage.gauges:
            rest = usage.rest(gauge)
            if rest is not None:
                scope = APP if gauge.app else account, INSIGHTS if gauge.reports else EVERYTHING
                self._begin(scope, rest, _warning(gauge), forced=gauge.regain is not None)

    def _begin(self, scope: Scope, wait: timedelta, said: OutsideError, *, forced: bool = True) -> None:
        new = Pause(self._clock() + wait, said, forced)
        if self._begun(scope, new):
            self._board.post(self._topic, " ".join(scope), _written(scope, new), wait)

    def _heard(self, _whom: str, said: Mapping[str, object], counts: timedelta) -> None:
        kind = RestrictedError if said["restricted"] else TransientError
        error = kind("meta", str(said["message"]), code=str(said["code"]))
        self._begun((str(said["whose"]), str(said["what"])), Pause(self._clock() + counts, error, bool(said["forced"])))

    def _begun(self, scope: Scope, new: Pause) -> bool:
        """Whether it is the one that counts: a pause that is longer stays, and one that was forced before one that was not."""
        old = self._pauses.get(scope)
        if old is None or old.until <= self._clock():
            log.warning("%s of %s is left alone until %s: %s", scope[1], scope[0] or "the app", new.until, new.said)
        elif (old.forced, old.until) > (new.forced, new.until):
            return False
        self._pauses[scope] = new
        return True


def _written(scope: Scope, pause: Pause) -> dict[str, object]:
    said = {"message": str(pause.said), "code": pause.said.code, "restricted": isinstance(pause.said, RestrictedError)}
    return {"whose": scope[0], "what": scope[1], "forced": pause.forced, **said}


def _warning(gauge: Gauge) -> TransientError:
    what = "the quota of reports" if gauge.reports else "the quota"
    blocked = ", and access is to come back later" if gauge.regain is not None else ""
    return TransientError("meta", f"{gauge.percent:g}% of {what} are used{blocked}", code=NEARLY_USED_UP)


def _scopes(account: str, method: str, path: tuple[str, ...]) -> Iterator[Scope]:
    whats = (EVERYTHING, INSIGHTS) if path[-1] == INSIGHTS_EDGE else (EVERYTHING,)
    yield from ((whose, what) for whose in (APP, account) for what in whats)
    if method != "GET":
        yield from ((account, WRITES), (account, path[0]))


def _scope(account: str, path: tuple[str, ...], code: str) -> Scope:
    if code.endswith(BUDGET_LIMIT):
        return account, path[0]
    if about_app(code):
        return APP, INSIGHTS if about_reports(code) else EVERYTHING
    return account, INSIGHTS if path[-1] == INSIGHTS_EDGE else EVERYTHING

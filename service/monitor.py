"""What is told to whoever measures: that work begins and how it ends, and what happens in between.

The one seam between the service and its metrics and traces. Runs, adapters and the store tell a `Monitor` and know nothing of
either; the composition root, and the web application, let watchers listen. Without any it costs next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from service.core import errors

OK = "ok"

# --- work, which takes time ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Run:
    """An evaluation of a clinic. Its outcome is the status it reports, else `busy`, `failed` or `cancelled`."""


@dataclass(frozen=True, slots=True)
class Step:
    """A named part of a run: `settle`, `observe`, `gather`, `decide`, `record` or `apply`."""

    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt at one request to `cliniko`, `google` or `meta`; `operation` names its kind and nothing of what it is about.

    Its outcome is `ok` or the class of error (`outcome_of`).
    """

    system: str
    operation: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A request to our own API, from its arrival to the end of the answer. Its outcome is the HTTP status."""

    method: str
    path: str
    headers: Mapping[str, str]


Work = Run | Step | Request | Answer


@dataclass(slots=True)
class Ending:
    """How work ended: set by whoever does it, or by the exception that ends it. `route` is what was answered, as a template."""

    outcome: str = OK
    route: str = ""


# --- facts --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decided:
    """A recorded decision."""

    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a change: `applied`, `failed` or `superseded`."""

    platform: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Notified:
    """What became of a notice: `sent`, `put_off` (to be tried again), `failed` (given up) or `expired` (never tried)."""

    outcome: str


@dataclass(frozen=True, slots=True)
class DatabaseFailed:
    """The database could not be used, or refused."""


@dataclass(frozen=True, slots=True)
class Late:
    """A worker has begun an evaluation, so many seconds after it was due."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Grown:
    """A chain of the ledger has new records, which can be seen by now."""

    chain: str


Fact = Decided | Changed | Notified | DatabaseFailed | Late | Grown


# --- telling ------------------------------------------------------------------------------------------------------------


class Watcher(Protocol):
    """Whoever is told. It raises nothing and makes nobody wait."""

    def begins(self, work: Work) -> Callable[[Ending], None]:
        """Work begins; what is returned is called, in the same context, when it ends."""
        ...

    def happened(self, fact: Fact) -> None:
        """Something happened."""
        ...


@dataclass(slots=True)
class Monitor:
    """Tells its watchers."""

    watchers: list[Watcher] = field(default_factory=list)

    @contextmanager
    def during(self, work: Work) -> Iterator[Ending]:
        """The block is this work; an exception that leaves it is its outcome, unless it has one by then."""
        ending, ends = Ending(), [watcher.begins(work) for watcher in self.watchers]
        try:
            yield ending
        except BaseException as error:
            ending.outcome = outcome_of(error) if ending.outcome == OK else ending.outcome
            raise
        finally:
            for end in reversed(ends):
                end(ending)

    def happened(self, fact: Fact) -> None:
        """Something happened."""
        for watcher in self.watchers:
            watcher.happened(fact)


OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (errors.CredentialsError, "credentials"),
    (errors.RefusedError, "refused"),
    (errors.ProtocolError, "protocol"),
    (errors.AmbiguousWriteError, "ambiguous"),
    (errors.LeaseLostError, "busy"),
    (asyncio.CancelledError, "cancelled"),
)


def outcome_of(error: BaseException) -> str:
    """The class of an error, in a word: of few, so that they may be counted apart."""
    if isinstance(error, errors.TransientError):
        return "transient" if error.retry_after is None else "throttled"
    return next((word for kind, word in OUTCOMES if isinstance(error, kind)), "failed")

"""Who watches the service in tests: everything a monitor tells, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from service.monitor import Ending, Fact, Monitor, Request, Work

Lines = Callable[[], list[dict[str, Any]]]
"""What has been logged since it was last asked, a value per line."""


@dataclass(slots=True)
class Recorder:
    """What was told: work that has ended with its outcome, in the order it ended, and facts."""

    ended: list[tuple[Work, str]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    @property
    def monitor(self) -> Monitor:
        return Monitor([self])

    @property
    def requests(self) -> list[tuple[str, str, str]]:
        """Of requests to outside systems: the system, the kind of request, and its outcome."""
        return [(work.system, work.operation, outcome) for work, outcome in self.ended if isinstance(work, Request)]

    def begins(self, work: Work) -> Callable[[Ending], None]:
        return lambda ending: self.ended.append((work, ending.outcome))

    def happened(self, fact: Fact) -> None:
        self.facts.append(fact)

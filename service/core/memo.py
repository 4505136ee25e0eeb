"""What was computed before, by everything it was computed from. Pure: it changes how long things take, and nothing else."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

MOST = 20_000
"""So many results are kept before all are let go."""


@dataclass(slots=True)
class Memo:
    """Tables of results, each for one kind of question."""

    _tables: dict[Hashable, dict[Any, Any]] = field(default_factory=dict)

    def table(self, *question: Hashable) -> dict[Any, Any]:
        """The results known of one kind of question; whoever asks adds to it."""
        return self._tables.setdefault(question, {})

    def trim(self) -> None:
        """Let go of what is known once it takes much room."""
        if len(self) > MOST:
            self._tables.clear()

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))

"""The mistakes of `mistakes.yaml`, and the good file beside it that they are planted in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

RULES = Path(__file__).parents[2] / "rules"
HARBOUR = (Path(__file__).parent / "harbour-physio.yaml").read_text("utf-8")


@dataclass(frozen=True)
class Mistake:
    """One line of the data file, which explains the fields."""

    id: str
    old: str
    new: str
    says: str
    below: int | None = 0
    editor: bool = True

    @property
    def text(self) -> str:
        """The Harbour file with the mistake in it."""
        assert self.old in HARBOUR, f"{self.id}: the good file has changed"
        return HARBOUR.replace(self.old, self.new, 1)

    @property
    def line(self) -> int | None:
        """Where it must be reported; None for anywhere."""
        return None if self.below is None else HARBOUR[: HARBOUR.index(self.old)].count("\n") + 1 + self.below


_DATA = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text("utf-8"))
MISTAKES = [Mistake(**fields) for fields in _DATA["mistakes"]]
NOT_YAML = [Mistake(**fields) for fields in _DATA["not_yaml"]]

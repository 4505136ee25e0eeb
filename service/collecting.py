"""How often a process that lives long looks for garbage: rarely, for nearly all that it holds is there to stay."""

from __future__ import annotations

import gc

NEW, SEVERAL, MANY = 50_000, 20, 100
"""Objects after which the youngest are looked through, and rounds after which older ones are; Python's own are 700, 10, 10."""


def collect_rarely() -> None:
    """Leave what is there now alone for good, and look through the rest seldom.

    Looking through all of it held up an answer for tens of milliseconds now and then, and took a fifth of the time of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW, SEVERAL, MANY)

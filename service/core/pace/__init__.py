"""Booking pace: how many of today's openings will still be unfilled when their day comes.

`fit` learns it from looks, `expected` and `outlook` apply it to the openings there are now, `scored` says how good that has
been. Pure.
"""

from service.core.pace.fit import fit
from service.core.pace.looks import Look, Outlook
from service.core.pace.model import Ahead, Expected, Pace, Rung, expected, outlook
from service.core.pace.scores import Score, Scores, scored

__all__ = ["Ahead", "Expected", "Look", "Outlook", "Pace", "Rung", "Score", "Scores", "expected", "fit", "outlook", "scored"]

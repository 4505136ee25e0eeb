"""What a run goes by besides what it observes: of each concern its own statement, and all of them by one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from service.core.decide.model import Approval, Hold, RuleState, Standing
from service.core.roster import DayNumbers
from service.store import approvals, holds, looks, pace, state
from service.store.pace import Fitted


@dataclass(frozen=True, slots=True)
class Remembered:
    """What earlier runs and people left for a clinic's next run. `holds` are those in force at that moment.

    `looked` is the local day of the newest look by service and location, `fitted` the booking pace as it was fitted last.
    """

    rule_states: dict[str, RuleState]
    standings: dict[str, Standing]
    numbers: DayNumbers
    holds: tuple[Hold, ...]
    approvals: dict[str, Approval]
    looked: dict[str, date]
    fitted: Fitted | None


def remembered(conn: Connection, clinic: str, now: datetime) -> Remembered:
    """What is remembered for a clinic. Raises StoreError where something is damaged."""
    return Remembered(
        state.rule_states(conn, clinic),
        state.standings(conn, clinic),
        state.numbers(conn, clinic),
        holds.in_force(conn, clinic, now),
        approvals.standing(conn, clinic),
        looks.newest(conn, clinic),
        pace.fitted(conn, clinic),
    )

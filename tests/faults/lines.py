"""Two lines of runs from one past, one of them with a fault, and what the faulty one did that the truth would not justify."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from service.core.decide.model import RunOutcome
from service.core.errors import GovernorError
from service.core.model import State, Unreadable, Verdict
from service.sandbox.world import Fault
from tests.faults.catalogue import Combination
from tests.faults.states import HOUR, Condition, Lineage, prepared
from tests.faults.wire import seen

A_DAY = 24
"""How many hours back the shipped rules compare."""

MOVES = {Verdict.APPLY, Verdict.AWAIT_APPROVAL, Verdict.WOULD_APPLY}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of a combination: moves made in spite of the fault, moves of the faultless line that were not made."""

    wrong: tuple[str, ...]
    moved: int
    kept: int
    unread: int


async def compared(combination: Combination) -> Comparison:
    """Run the faulty line beside the faultless one for as long as the fault lasts, an hour more, and a day after it began.

    A day later a reading with a fault is what `slots_opened` would compare with. The faulty line misses the hours between.
    """
    condition = combination.condition
    right, faulty = _right.setdefault(condition, Faultless(condition)), prepared(condition).fork()
    been = {name: [level(state)] for name, state in faulty.states().items()}
    wrong: list[str] = []
    moved = kept = unread = 0
    for hour in (*range(combination.runs + 1), A_DAY):
        if hour == A_DAY:
            faulty.world.advance((A_DAY - combination.runs - 1) * HOUR)
            for missed in range(combination.runs + 1, A_DAY):
                for name, state in moves(await right.outcome(missed)).items():
                    been[name].append(level(state))
        faults = [replace(combination.fault)] if hour < combination.runs else []
        try:
            outcome = await run(condition, faulty, faults)
        except GovernorError as error:
            raise AssertionError(f"{combination}: {error!r} escaped") from error
        expected, made = moves(await right.outcome(hour)), moves(outcome)
        for name, state in expected.items():
            been[name].append(level(state))
        if hour == A_DAY:  # the lines have used up different numbers of edits by now: what the truth asks for is justified
            for decision in (await right.outcome(hour)).decisions:
                been[decision.campaign] += [] if decision.desired is None else [level(decision.desired)]
        wrong += [f"hour {hour}: {text}" for text in _unjustified(outcome, been)]
        wrong += [f"hour {hour}: no decision for {name}" for name in faulty.rules.campaigns.keys() - decided(outcome)]
        moved, kept = moved + len(made), kept + len(expected.keys() - made.keys())
        unread += isinstance(faulty.last[0].snapshot.diaries, Unreadable)
    return Comparison(tuple(wrong), moved, kept, unread)


class Faultless:
    """The line of runs that nothing disturbs, as far as anybody has asked."""

    def __init__(self, condition: Condition) -> None:
        self.condition, self.lineage = condition, prepared(condition).fork()
        self.outcomes: list[RunOutcome] = []

    async def outcome(self, hour: int) -> RunOutcome:
        """What it concluded in that hour."""
        while len(self.outcomes) <= hour:
            self.outcomes.append(await run(self.condition, self.lineage))
        return self.outcomes[hour]


_right: dict[Condition, Faultless] = {}


async def run(condition: Condition, lineage: Lineage, faults: Sequence[Fault] = ()) -> RunOutcome:
    """One hourly run on what the adapter reads."""
    snapshot = await seen(condition, lineage, faults)
    lineage.observe = lambda *_: snapshot
    outcome = lineage.run()
    lineage.world.advance(HOUR)
    return outcome


def moves(outcome: RunOutcome) -> Mapping[str, State]:
    """Where each campaign that moves, or is proposed to, moves to."""
    return {d.campaign: d.after for d in outcome.decisions if d.verdict in MOVES and d.after is not None}


def decided(outcome: RunOutcome) -> set[str]:
    return {decision.campaign for decision in outcome.decisions}


def level(state: State) -> float:
    """States in the order of what they spend: paused, then by budget."""
    return float(state.budget or 0) if state.running else -1.0


def _unjustified(outcome: RunOutcome, been: Mapping[str, list[float]]) -> Iterator[str]:
    for name, state in moves(outcome).items():
        if not min(been[name]) <= level(state) <= max(been[name]):
            reason = next(d for d in outcome.decisions if d.campaign == name)
            yield f"{name} went to {level(state):g}, faultlessly {been[name]}: {reason.rule}, {reason.sentence}"

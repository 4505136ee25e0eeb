"""How long our conditions take beside other engines' on the same conditions and observations, in one run.

The others know plain numbers and answer yes or no. Ours go by bounds, may not know, and can say of every comparison what it
came to. Each of the others is used in the two ways it offers, and the quicker one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from time import process_time

import pytest

from service.core.decide.model import RuleState
from service.core.logic import Truth
from service.core.rules.conditions import judge
from service.core.rules.evaluate import consider
from tests.benchmarks.engines import Numbers, Readings, Spelling, observations, rules

cel = pytest.importorskip("cel", reason="common-expression-language has no build for this Python")
rule_engine = pytest.importorskip("rule_engine", reason="rule-engine has no build for this Python")
zen = pytest.importorskip("zen", reason="zen-engine has no build for this Python")

OBSERVATIONS, BATCH, TIMES = 2_000, 200, 25
MOST_BEHIND = 3.0
"""How many times as long as the fastest of the others we may take."""

Answers = Sequence[bool]
Observation = tuple[Readings, Numbers]
Engine = Callable[[Observation], Answers]

FILE = rules()
WHENS = [rule.when for rule in FILE.rules]
C_LIKE, WORDS = Spelling("&&", "||", "!"), Spelling("and", "or", "not ")
TRUE, NOW, NOTHING = Truth.TRUE, datetime(2026, 11, 23, tzinfo=UTC), RuleState()


# --- ours ---------------------------------------------------------------------------------------------------------------


def judged(seen: Observation) -> Answers:
    """Every condition, its trace there to be asked for."""
    ask = seen[0].__getitem__
    return [judge(when, ask).truth is TRUE for when in WHENS]


def traced(seen: Observation) -> Answers:
    """Every condition with its trace written out."""
    ask, found = seen[0].__getitem__, []
    for when in WHENS:
        judgement = judge(when, ask)
        assert judgement.looks
        found.append(judgement.truth is TRUE)
    return found


def considered(seen: Observation) -> Answers:
    """Every rule as a run considers it: the trace written out, and what it remembers."""
    ask = seen[0].__getitem__
    return [consider(rule, ask, NOTHING, NOW).outcomes == (rule.then,) for rule in FILE.rules]


# --- the others ---------------------------------------------------------------------------------------------------------


def others() -> dict[str, list[Engine]]:
    """The others by name, each in its two ways: rule by rule, and what it has for many rules at once."""
    return {
        "zen-engine": [_zen_each(), _zen_together()],
        "common-expression-language": [_cel_each(), _cel_together()],
        "rule-engine": [_rule_engine_each(), _rule_engine_typed()],
    }


def _zen_each() -> Engine:
    compiled = [zen.compile_expression(WORDS.written(when)) for when in WHENS]
    return lambda seen: [each.evaluate(seen[1]) for each in compiled]


def _zen_together() -> Engine:
    compiled = zen.compile_expression(f"[{', '.join(map(WORDS.written, WHENS))}]")
    return lambda seen: compiled.evaluate(seen[1])


def _cel_each() -> Engine:
    compiled = [cel.compile(C_LIKE.written(when)) for when in WHENS]

    def answer(seen: Observation) -> Answers:
        context = cel.Context(seen[1])
        return [each.execute(context) for each in compiled]

    return answer


def _cel_together() -> Engine:
    compiled = cel.compile(f"[{', '.join(map(C_LIKE.written, WHENS))}]")
    return lambda seen: compiled.execute(seen[1])


def _rule_engine_each() -> Engine:
    compiled = [rule_engine.Rule(WORDS.written(when)) for when in WHENS]
    return lambda seen: [each.matches(seen[1]) for each in compiled]


def _rule_engine_typed() -> Engine:
    types = dict.fromkeys(observations(FILE, 1)[0][1], rule_engine.DataType.FLOAT)
    context = rule_engine.Context(type_resolver=rule_engine.type_resolver_from_dict(types))
    compiled = [rule_engine.Rule(WORDS.written(when), context=context) for when in WHENS]
    return lambda seen: [each.matches(seen[1]) for each in compiled]


# --- the measurement ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Timed:
    """An engine, and how long it takes: the sum of the shortest time of every batch, because the machine is not ours alone."""

    engine: Engine
    spent: float = 0.0

    def run(self, batch: Sequence[Observation]) -> float:
        """The processor time of one batch."""
        began = process_time()
        for seen in batch:
            self.engine(seen)
        return process_time() - began


def timed(engines: Sequence[Engine], seen: Sequence[Observation]) -> list[float]:
    """Microseconds of each engine for one observation; they take turns, so that all meet the same machine."""
    found = [Timed(engine) for engine in engines]
    for start in range(0, len(seen), BATCH):
        batch = seen[start : start + BATCH]
        rounds = [[each.run(batch) for each in found] for _ in range(TIMES)]
        for place, each in enumerate(found):
            each.spent += min(map(itemgetter(place), rounds))
    return [1e6 * each.spent / len(seen) for each in found]


@pytest.mark.bench
def test_our_conditions_are_within_three_times_of_the_fastest_engine_and_ahead_of_the_others() -> None:
    seen, theirs = observations(FILE, OBSERVATIONS), others()
    flat = [(name, engine) for name, ways in theirs.items() for engine in ways]
    engines = [judged, traced, considered, *(engine for _, engine in flat)]
    for each in seen:
        first, *rest = (list(engine(each)) for engine in engines)
        assert all(answers == first for answers in rest)
    own, written_out, rule, *spent = timed(engines, seen)
    quickest = {name: min(us for (each, _), us in zip(flat, spent, strict=True) if each == name) for name in theirs}
    fastest = min(quickest.values())
    print(f"\n{len(WHENS)} rules, {len(seen[0][1])} metrics, {len(seen):,} observations: µs for one, beside the fastest other")
    rows = {"ours, trace on demand": own, "ours, trace written out": written_out, "ours, with what rules remember": rule}
    for name, us in [*rows.items(), *sorted(quickest.items(), key=itemgetter(1))]:
        print(f"  {name:34}{us:>8.1f}{us / fastest:>7.1f} x")
    for (name, _), us in zip(flat, spent, strict=True):
        print(f"    either way: {name:30}{us:>8.1f}")
    assert own <= MOST_BEHIND * fastest
    assert own < sorted(quickest.values())[1]
    assert written_out < quickest["rule-engine"]

"""The parts that answers share, and how the core's values become them.

Money is a decimal string in the clinic's currency, an instant is UTC with `Z`, and a bound that does not exist (infinite) or
an estimate that cannot be made is null.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from litestar.params import Parameter

from service.core.decide import model
from service.core.logic import Truth
from service.core.model import Platform, Reason, Verdict
from service.core.model import State as CoreState
from service.store.decisions import changes_something
from service.store.intents import RecordedChange

Money = Annotated[str, Parameter(pattern=r"^-?\d+(\.\d+)?$", description="Decimal, in the clinic's currency")]


@dataclass(frozen=True, slots=True)
class State:
    """What a campaign does: running or paused, and its daily budget (null where it has none)."""

    running: bool
    budget: Money | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's value: what it is thought to be, and the worst and best it can be given what could not be observed.

    `cause` is what kept it from being exact.
    """

    estimate: float | None
    low: float | None
    high: float | None
    cause: Reason | None


@dataclass(frozen=True, slots=True)
class Restraint:
    """One guardrail's effect on a decision."""

    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One condition as it was evaluated: its words, its metric's value, and what it came to."""

    rule: str
    text: str
    reading: Metric
    truth: Truth


@dataclass(frozen=True, slots=True)
class AdSetChange:
    """What a write was to make of the daily budget of one ad set."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """A write to a platform. `status` is `open` (not yet known), `applied`, `failed` or `superseded`.

    `ad_sets` are those that hold the campaign's budget; none where it holds it itself. `decision` is null where no decision but
    a person wanted it, by a restore.
    """

    id: str
    decision: str | None
    campaign: str
    platform: Platform
    platform_id: str
    before: State
    after: State
    status: str
    intended_at: datetime
    settled_at: datetime | None
    detail: str
    ad_sets: tuple[AdSetChange, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What is behind a decision: its rule, the conditions of its service as they were evaluated, and what came of it.

    `rule_text` is the deciding rule as the rule file said it then, null where no rule decided. `trace` is null once the run's
    readings are no longer kept.
    """

    rule_text: str | None
    trace: tuple[TraceLine, ...] | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What one run decided for one campaign.

    `before` is what was observed (null: unreadable), `desired` what the rules want, `after` what the guardrails let through.
    `changed` says whether it was to be written to the platform; `caused_by` is the decision behind the state it found. `asks`
    is the question it puts to people, to be answered below `/v1/decisions/{asks}`; `approved_by` who said yes to what it does.
    `why` is in listings of decisions alone, and there where it was asked for.
    """

    id: str
    run: str
    clinic: str
    at: datetime
    campaign: str
    platform: Platform
    platform_id: str
    service: str
    before: State | None
    desired: State | None
    after: State | None
    changed: bool
    verdict: Verdict
    reason: Reason
    sentence: str
    restraints: tuple[Restraint, ...]
    rule: str | None
    overruled: tuple[str, ...]
    caused_by: str | None
    rules_digest: str
    rules_revision: str
    asks: str | None
    approved_by: str | None
    why: Why | None = None


# --- from the core ------------------------------------------------------------------------------------------------------


def money(amount: Decimal) -> str:
    """`60.00`, never in powers of ten."""
    return f"{amount:f}"


def finite(value: float | None) -> float | None:
    """The number, if it is one."""
    return value if value is not None and math.isfinite(value) else None


def state(value: CoreState) -> State:
    """A campaign's state."""
    return State(value.running, None if value.budget is None else money(value.budget))


def state_or_none(value: CoreState | None) -> State | None:
    """A campaign's state, where there is one."""
    return None if value is None else state(value)


def metric(value: model.Reading) -> Metric:
    """A metric's value."""
    return Metric(finite(value.bounds.estimate), finite(value.bounds.low), finite(value.bounds.high), value.cause)


def decision(value: model.Decision) -> Decision:
    """A decision."""
    return Decision(
        id=value.id,
        run=value.run,
        clinic=value.clinic,
        at=value.at,
        campaign=value.campaign,
        platform=value.platform,
        platform_id=value.platform_id,
        service=value.service,
        before=state_or_none(value.before),
        desired=state_or_none(value.desired),
        after=state_or_none(value.after),
        changed=changes_something(value),
        verdict=value.verdict,
        reason=value.reason,
        sentence=value.sentence,
        restraints=tuple(Restraint(each.reason, each.sentence) for each in value.restraints),
        rule=value.rule,
        overruled=value.overruled,
        caused_by=value.caused_by,
        rules_digest=value.rules_digest,
        rules_revision=value.rules_revision,
        asks=value.asks,
        approved_by=value.approved_by,
    )


def trace(lines: tuple[model.TraceLine, ...]) -> tuple[TraceLine, ...]:
    """A service's conditions as evaluated."""
    return tuple(TraceLine(line.rule, line.text, metric(line.reading), line.truth) for line in lines)


def change(recorded: RecordedChange) -> Change:
    """A change and what became of it."""
    made = recorded.change
    return Change(
        id=made.id,
        decision=made.decision or None,
        campaign=made.campaign,
        platform=made.platform,
        platform_id=made.platform_id,
        before=state(made.before),
        after=state(made.after),
        status=recorded.status,
        intended_at=recorded.intended_at,
        settled_at=recorded.settled_at,
        detail=_detail(recorded.detail),
        ad_sets=_ad_sets(made),
    )


def _ad_sets(made: model.Change) -> tuple[AdSetChange, ...]:
    after = {share.id: share.budget for share in made.shares_after}
    return tuple(AdSetChange(b.id, money(b.budget), money(after.get(b.id, b.budget))) for b in made.shares_before)


def _detail(detail: dict[str, Any]) -> str:
    return str(detail.get("detail", ""))

"""Why a test fails, for a person to read: what was expected, what came, and what each rule that was asked came to. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.core.model import Reason, State
from service.core.money import shown
from service.core.rules import wording
from service.core.rules.budgets import budget_of
from service.core.rules.conditions import Look
from service.core.rules.evaluate import Considered
from service.core.rules.language import CampaignEntry, Named, NamedBudget, Percent, Rule, RuleSet
from service.core.rules.trial.model import Budget, Check, Expectation, Got, NoticeCheck, Result
from service.core.rules.trial.run import meant
from service.core.rules.trial.words import Outcome, Stage
from service.core.rules.values import plain


def difference(result: Result, rules: RuleSet) -> Iterator[str]:
    """The lines that say what is wrong with a test; none if nothing is. Campaigns whose rules went the same way share them."""
    alike: dict[tuple[object, ...], list[Check]] = {}
    for check in result.checks:
        if check.wrong:
            alike.setdefault((check.expectation.stage, check.after, check.asked), []).append(check)
    for checks in alike.values():
        yield from _block(checks, rules)
    for each in result.notices:
        if each.expected != each.got:
            yield from _notices(each)


def _block(checks: list[Check], rules: RuleSet) -> Iterator[str]:
    first = checks[0]
    guarded = ", after guardrails" if first.expectation.stage is Stage.DONE else ""
    yield f"{_after(first.after)}{guarded} (line {first.expectation.line})"
    for check in checks:
        entry = rules.campaigns[check.expectation.campaign]
        yield f"  expected  {entry.name}: {expected(check.expectation, entry, rules.currency)}"
        yield f"  got       {entry.name}: {got(check.got, entry, rules.currency)}"
    yield from (f"  because   {sentence}" for sentence in dict.fromkeys(check.got.sentence for check in checks))
    for rule, found in first.asked:
        yield f"  “{rule.name}” {_came_to(rule, found)}"
        yield from (f"    {line}" for line in _table(found.looks))


def _after(after: timedelta) -> str:
    return f"after {wording.duration(after)}" if after else "at the beginning"


def _notices(check: NoticeCheck) -> Iterator[str]:
    yield f"notices, {_after(check.after)} (line {check.line})"
    yield f"  expected  {', '.join(sorted(check.expected)) or 'nobody is told'}"
    yield f"  got       {', '.join(sorted(check.got)) or 'nobody is told'}"


def expected(expectation: Expectation, entry: CampaignEntry, currency: str) -> str:
    """`pause, by “Booked solid”`."""
    parts = [] if expectation.then is None else [_then(expectation.then, entry, currency)]
    if expectation.rule is not None:
        parts.append(f"by “{expectation.rule}”")
    if expectation.verdict is not None:
        parts.append(f"verdict {expectation.verdict}")
    if expectation.reason is not None:
        parts.append(f"reason {expectation.reason}")
    return ", ".join(parts)


def _then(then: Outcome | Budget, entry: CampaignEntry, currency: str) -> str:
    if isinstance(then, Outcome):
        return then.value
    budget = shown(meant(then, entry, currency).budget, currency)
    return f"budget {then.percent:g}%, {budget}" if isinstance(then, Percent) else _named(then, budget)


def _named(then: Budget, budget: str) -> str:
    return f"budget {then.which}, {budget}" if isinstance(then, NamedBudget) else f"budget {budget}"


def got(found: Got, entry: CampaignEntry, currency: str) -> str:
    """`budget 60%, 36.00 AUD, by “Ladder”, reason rule`."""
    by = "no rule matches" if found.rule is None and found.reason is Reason.NO_RULE else f"by “{found.rule}”"
    parts = [_state(found.state, entry, currency), *([by] if found.rule or found.reason is Reason.NO_RULE else [])]
    verdict = [f"verdict {found.verdict}"] if found.verdict else []
    return ", ".join([*parts, *verdict, f"reason {found.reason}"])


def _state(state: State | None, entry: CampaignEntry, currency: str) -> str:
    if state is None:
        return "keep"
    if not state.running or state.budget is None:
        return "pause"
    names = [each for each in Named if budget_of(NamedBudget(each), entry) == state.budget]
    percent = plain(round(100 * state.budget / entry.base, 1))
    return f"budget {names[0] if names else f'{percent}%'}, {shown(state.budget, currency)}"


def _came_to(rule: Rule, found: Considered) -> str:
    if found.asleep and not found.latched:
        return "is not looked at now (`active`)"
    if len(found.outcomes) > 1:
        return "cannot be told"
    if found.outcomes[0] is None:
        waits = found.state.true_since is not None and rule.hold_for
        return f"holds, but not yet for {wording.duration(rule.hold_for)}" if waits else "does not match"
    return "stays on" if found.latched else "matches"


def _table(looks: tuple[Look, ...]) -> Iterator[str]:
    """Each comparison in columns: metric, value, threshold, truth."""
    rows = [_row(look) for look in looks]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(look: Look) -> tuple[str, str, str, str]:
    return (
        wording.measure(look.compare.measure).rstrip(","),
        wording.reading(look.reading.bounds, look.compare, look.margin),
        wording.threshold(look.compare) + wording.margin_of(look.margin, look.compare.measure),
        look.truth.value,
    )

"""A rule file in plain sentences: what each rule does, to which campaigns, when and until when. Pure.

Said from the loaded rules, not from the text: what is read here is what decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

from service.core.money import round_down, shown
from service.core.rules import vocabulary as words
from service.core.rules import wording
from service.core.rules.budgets import Stated, budget_of, granted
from service.core.rules.currencies import DECIMALS
from service.core.rules.language import (
    EVERY_DAY,
    UNITS,
    Action,
    All,
    Amount,
    Bands,
    CampaignEntry,
    Compare,
    Condition,
    CostPerBooking,
    EditBudget,
    Guardrails,
    MaxStep,
    Named,
    NamedBudget,
    Not,
    Percent,
    RaiseAndCut,
    Rule,
    RuleSet,
    Step,
    Unit,
    Window,
)

ALWAYS = "Where no rule matches, a campaign runs on its base budget."


def explained(rule: Rule, rules: RuleSet) -> str:
    """One rule as one sentence, with the money it means for each of its campaigns."""
    parts = [_when(rule), *_active(rule), _does(rule, rules), *_latch(rule), *_extras(rule)]
    return f"{_campaigns(rule, rules)}: {', '.join(part for part in parts if part)}."


def changed_guardrails(rails: Guardrails) -> Iterator[str]:
    """What a clinic's guardrails change about the defaults, a phrase each."""
    for each in fields(Guardrails):
        value, default = getattr(rails, each.name), getattr(Guardrails(), each.name)
        if value != default:
            was = f" (default {_setting(default, each.name)})" if default is not None else ""
            yield f"{each.name} is {_setting(value, each.name)}{was}"


# --- whom and when ------------------------------------------------------------------------------------------------------


def _campaigns(rule: Rule, rules: RuleSet) -> str:
    if not rule.campaigns:
        return "No campaign"
    if set(rule.campaigns) == set(rules.campaigns):
        return "Every campaign"
    return _and(rule.campaigns)


def _when(rule: Rule) -> str:
    if rule.bands is not None or rule.when is None:
        return "" if rule.bands is not None else "always"
    lasting = f", and has been so for {wording.duration(rule.hold_for)}" if rule.hold_for else ""
    return f"when {phrase(rule.when)}{lasting}"


def phrase(condition: Condition, *, inside: bool = False) -> str:
    """A condition in words: `utilisation over 14 days is at least 95% and …`."""
    match condition:
        case Compare():
            return _compare(condition)
        case Not(term=Compare() as term):
            return _compare(term, negated=True)
        case Not():
            return f"it is not so that ({phrase(condition.term)})"
        case _:
            joint = " and " if isinstance(condition, All) else " or "
            said = joint.join(phrase(term, inside=True) for term in condition.terms)
            return f"({said})" if inside and len(condition.terms) > 1 else said


def _compare(compare: Compare, *, negated: bool = False) -> str:
    what = wording.measure(compare.measure).rstrip(",")
    return f"{what} is {wording.threshold(compare, negated=negated)}"


def _active(rule: Rule) -> Iterator[str]:
    if rule.active is not None:
        yield f"looked at only {window(rule.active)}"


def window(value: Window) -> str:
    """`on mon, tue from 07:00 to 20:00, not on public holidays of AU-NSW`."""
    named = next((name for name, days in words.DAY_GROUPS.items() if days == value.days), None)
    days = named or ("every day" if value.days == EVERY_DAY else ", ".join(words.DAYS[day] for day in value.days))
    whole = (value.starts, value.ends) == (0, 24 * 60)
    hours = "" if whole else f" from {_clock(value.starts)} to {_clock(value.ends)}"
    holidays = f", not on public holidays of {value.public_holidays}" if value.public_holidays else ""
    return f"{'' if days == 'every day' else 'on '}{days}{hours}{holidays}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


# --- what ---------------------------------------------------------------------------------------------------------------


def _does(rule: Rule, rules: RuleSet) -> str:
    entries = [rules.campaigns[name] for name in rule.campaigns]
    if rule.bands is not None:
        return _ladder(rule.bands, entries, rules.currency)
    if rule.then is None:
        return f"tell {rule.notify}, and change nothing"
    return _action(rule.then, entries, rules.currency)


def _ladder(bands: Bands, entries: Sequence[CampaignEntry], currency: str) -> str:
    steps = "; ".join(_step(step, bands, entries, currency) for step in bands.steps)
    margin = wording.stated(bands.margin, UNITS[bands.measure.metric])
    slack = f"; a step is left only {margin} past it" if bands.margin else ""
    return f"by {wording.measure(bands.measure).rstrip(',')}, the first that holds: {steps}{slack}"


def _step(step: Step, bands: Bands, entries: Sequence[CampaignEntry], currency: str) -> str:
    action = _action(step.action, entries, currency)
    if step.op is None or step.threshold is None:
        return f"otherwise {action}"
    return f"{wording.COMPARATORS[step.op]} {wording.stated(step.threshold, UNITS[bands.measure.metric])} {action}"


def _action(action: Action, entries: Sequence[CampaignEntry], currency: str) -> str:
    match action:
        case Percent(percent=percent):
            return f"run on {wording.stated(percent, Unit.PERCENT)} of base{_granted(action, entries, currency)}"
        case NamedBudget(which=which):
            return f"run on its {'base budget' if which is Named.BASE else which}{_granted(action, entries, currency)}"
        case Amount(amount=amount):
            held = any(granted(action, entry) != amount for entry in entries)
            return f"run on {shown(amount, currency)} a day{_granted(action, entries, currency) if held else ''}"
        case CostPerBooking(cost=cost, within=within):
            what = f"openings expected to stay unfilled over {within} day{'s' * (within > 1)} are worth"
            return f"run on what {what} at {shown(cost, currency)} a booking"
        case _:
            return "pause"


def _granted(action: Stated, entries: Sequence[CampaignEntry], currency: str) -> str:
    """` (a 78.00 AUD, b 52.00 AUD)`: what it comes to for each campaign, and where floor or ceiling has the last word."""
    unit = Decimal(1).scaleb(-DECIMALS[currency])
    amounts = [f"{shown(round_down(granted(action, entry), unit), currency)}{_held(action, entry)}" for entry in entries]
    one = len(set(amounts)) == 1
    said = amounts[0] if one else ", ".join(f"{entry.name} {amount}" for entry, amount in zip(entries, amounts, strict=True))
    return f": {said}" if any(_held(action, entry) for entry in entries) else f" ({said})"


def _held(action: Stated, entry: CampaignEntry) -> str:
    wanted = budget_of(action, entry)
    return " (its floor)" if wanted < entry.floor else " (its ceiling)" if wanted > entry.ceiling else ""


def _latch(rule: Rule) -> Iterator[str]:
    if rule.until is not None:
        yield f"and stay so until {phrase(rule.until)}"


def _extras(rule: Rule) -> Iterator[str]:
    if rule.stabilise is not None:
        yield f"raises of its own waiting {wording.duration(rule.stabilise)} instead of the guardrail's time"
    if rule.notify is not None and (rule.then is not None or rule.bands is not None):
        yield f"telling {rule.notify} when it begins"


# --- words --------------------------------------------------------------------------------------------------------------


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _setting(value: object, name: str) -> str:
    match value:
        case timedelta():
            return wording.duration(value)
        case RaiseAndCut(up=up, down=down):
            return f"{wording.duration(up)} for raises and {wording.duration(down)} for cuts"
        case MaxStep(up=most, down=least):
            return f"{most:g}% for raises and {least:g}% for cuts"
        case EditBudget(edits=edits, per=per):
            return f"{edits} in {wording.duration(per)}"
        case Window():
            return window(value)
    return f"{value:g}%" if name in {"dead_band", "blast_radius"} else str(value)

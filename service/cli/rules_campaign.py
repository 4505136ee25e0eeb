"""`governor rules explain --campaign`: why a campaign is as it is, and what would have to change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table
from sqlalchemy import make_url

from service.cli.rule_files import read
from service.cli.tables import console, state
from service.core.canonical import canonical
from service.core.decide.model import Decision, RunInputs
from service.core.errors import InputError
from service.core.rules import wording
from service.core.rules.fields import close, did_you_mean, listing
from service.core.rules.language import RuleSet
from service.core.why.answer import Answer, answered
from service.settings import load
from service.store.store import Store

NOTHING_TIPS = "no change of a single metric would make the rules want something else"
UNSPOKEN = "the campaign could not be read, or this version of the service would propose something else than was proposed then"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a campaign; `changed` says that the file on disk is not the one that the run went by."""

    inputs: RunInputs
    decision: Decision
    answer: Answer | None
    changed: bool


def tell(file: Path, campaign: str, *, as_json: bool) -> None:
    """Print why the latest run decided as it did about a campaign of a rule file. Raises `InputError`."""
    rules = read(file)
    if campaign not in rules.campaigns:
        guess = close(campaign, rules.campaigns)
        raise InputError(f"{file} has no campaign `{campaign}`: {_instead(guess, rules)}")
    told = _told(load().database_url, rules, campaign)
    if as_json:
        click.echo(canonical(_data(told)))
        return
    for part in _parts(told, file):
        console().print(part, soft_wrap=isinstance(part, str))


def _instead(guess: str | None, rules: RuleSet) -> str:
    return did_you_mean(guess) if guess else f"there are {listing(rules.campaigns)}"


# --- what is stored -----------------------------------------------------------------------------------------------------


def _told(url: str, rules: RuleSet, campaign: str) -> Told:
    inputs, decisions = _latest(url, rules.clinic)
    decision = next((each for each in decisions if each.campaign == campaign), None)
    if decision is None:
        raise InputError(f"the latest run of {rules.clinic} did not know `{campaign}` yet: {_run(rules.clinic)}")
    return Told(inputs, decision, answered(inputs, decision), rules.digest != inputs.rules.digest)


def _latest(url: str, clinic: str) -> tuple[RunInputs, tuple[Decision, ...]]:
    """What the latest run that came to a plan worked on and decided. The database is only looked at, never made."""
    never = InputError(f"no run of {clinic} is stored yet: {_run(clinic)}")
    there = make_url(url)
    if there.get_backend_name() == "sqlite" and not Path(there.database or "").is_file():
        raise never

    async def work() -> tuple[RunInputs, tuple[Decision, ...]]:
        store = Store.open(url)
        try:
            found = await store.runs.runs([clinic], planned=True, limit=1)
            if not found.items:
                raise never
            run = found.items[0].id
            return await store.runs.load_inputs(run), await store.decisions.of_run(run)
        finally:
            await store.aclose()

    return asyncio.run(work())


def _run(clinic: str) -> str:
    return f"make one with `governor evaluate {clinic}` (a `--dry-run` is not stored)"


# --- what is printed ----------------------------------------------------------------------------------------------------


def _data(told: Told) -> dict[str, Any]:
    answer = told.answer
    return {
        "clinic": told.decision.clinic,
        "campaign": told.decision.campaign,
        "file_changed": told.changed,
        "decision": told.decision,
        "rules": None if answer is None else answer.rules,
        "tipping": None if answer is None else answer.tipping,
    }


def _parts(told: Told, file: Path) -> Iterator[str | Table]:
    decision, rules = told.decision, told.inputs.rules
    yield escape(
        f"{decision.campaign} ({decision.platform}), {rules.name}: run {decision.run}, {decision.at:%Y-%m-%d %H:%M} UTC"
    )
    if told.changed:
        yield escape(f"{file} has changed since; this is about the file as it was, and the next run goes by the new one.")
    yield escape(f"\n{decision.verdict}, {decision.reason}: {decision.sentence}.")
    yield escape(
        f"before {state(decision.before)}, wanted by the rules {state(decision.desired)}, after {state(decision.after)}"
    )
    yield from (escape(f"- {each.reason}: {each.sentence}") for each in decision.restraints)
    if told.answer is None:
        yield escape(f"\nWhat each rule came to cannot be said: {UNSPOKEN}.")
        return
    yield ""
    yield _trace(told.answer)
    yield "\nIn this order the rules were asked:"
    yield from (escape(f"{n}. {each.rule} {each.part}: {each.sentence}") for n, each in enumerate(told.answer.rules, 1))
    if decision.rule is None and decision.desired is not None:
        yield "No rule matches, so the campaign runs at its base budget."
    yield "\nWhat would make the rules want something else (guardrails come after them):"
    yield from (escape(f"- {each}") for each in told.answer.tipping.sentences or (NOTHING_TIPS,))


def _trace(answer: Answer) -> Table:
    table = Table(padding=(0, 1))
    for heading in ("rule", "comparison", "reading", "holds"):
        table.add_column(heading)
    for each in answer.rules:
        for look in each.looks:
            asked = wording.comparison(look.compare) + wording.margin_of(look.margin, look.compare.measure)
            read = wording.reading(look.reading.bounds, look.compare, look.margin)
            table.add_row(escape(each.rule), asked, read, look.truth.value)
    return table

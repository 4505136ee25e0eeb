"""`governor plans`, `approve` and `reject`: what waits for a person, and the person's word."""

from __future__ import annotations

import click
from rich.markup import escape
from rich.table import Table

from service.answering import answer_decision, answer_plan
from service.app import App
from service.cli.caller import caller
from service.cli.hands import chosen
from service.cli.running import with_app
from service.cli.tables import console, state
from service.core.decide.model import Answer, Approval
from service.core.errors import NotFoundError

ANSWERS = {
    Answer.PENDING: "waits for an answer",
    Answer.APPROVED: "approved by {}, not yet carried out",
    Answer.REJECTED: "rejected by {}",
}


@click.command()
@click.argument("clinics", nargs=-1)
def plans(clinics: tuple[str, ...]) -> None:
    """What the newest plans of CLINICS (all, if none is named) ask people, and what was answered."""

    async def work(app: App) -> list[Approval]:
        found = [await app.store.approvals.standing(clinic) for clinic in await chosen(app, clinics)]
        return [each for questions in found for each in questions.values()]

    questions = with_app(work)
    if not questions:
        click.echo("nothing waits for an answer")
        return
    console().print(_table(questions))
    if any(each.answer is Answer.PENDING for each in questions):
        click.echo("`governor approve ID` or `governor reject ID --reason ...` answers; the next run acts on it")


def _table(questions: list[Approval]) -> Table:
    table = Table(show_lines=True)
    for heading in ("id", "clinic", "campaign", "from", "to", "asked (UTC)", "answer"):
        table.add_column(heading, overflow="fold")
    for each in questions:
        asked = f"{each.asked_at:%a %d %b %H:%M}"
        said = ANSWERS[each.answer].format(each.by) + (f": {each.why}" if each.why else "")
        table.add_row(each.id, each.clinic, each.campaign, state(each.before), state(each.target), asked, escape(said))
    return table


@click.command()
@click.argument("id_", metavar="DECISION|RUN")
@click.option("--reason", default="", help="For those who ask later why it was allowed.")
def approve(id_: str, *, reason: str) -> None:
    """Say yes to what DECISION asks, or to all that the plan of RUN asks."""
    _answer(id_, Answer.APPROVED, reason)


@click.command()
@click.argument("id_", metavar="DECISION|RUN")
@click.option("--reason", required=True, help="For those who find it; the decision's sentence quotes it.")
def reject(id_: str, *, reason: str) -> None:
    """Say no to what DECISION asks, or to all that the plan of RUN asks."""
    _answer(id_, Answer.REJECTED, reason)


def _answer(id_: str, answer: Answer, reason: str) -> None:
    given, refused = with_app(lambda app: _given(app, id_, answer, reason.strip()))
    for each in given:
        click.echo(f"{each.campaign}: {answer} to go from {state(each.before)} to {state(each.target)}")
    for problem in refused:
        click.echo(problem, err=True)
    if answer is Answer.APPROVED:
        clinic = given[0].clinic
        click.echo(f"the next run carries it out if it is still what the rules want; `governor evaluate {clinic}` runs now")
    if refused:
        raise click.exceptions.Exit(1)


async def _given(app: App, id_: str, answer: Answer, why: str) -> tuple[tuple[Approval, ...], tuple[str, ...]]:
    by = caller()
    try:
        decision = await app.store.decisions.decision(id_)
    except NotFoundError:
        found = await answer_plan(app, id_, answer, by, why)
        return found.given, found.refused
    return (await answer_decision(app, decision, answer, by, why),), ()

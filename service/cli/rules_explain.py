"""`governor rules explain`: a rule file in plain sentences."""

from __future__ import annotations

from pathlib import Path

import click

from service.cli.rule_files import read, rule_files
from service.core.canonical import canonical
from service.core.errors import InputError
from service.core.rules.explain import ALWAYS, changed_guardrails, explained
from service.core.rules.language import RuleSet


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--campaign", metavar="NAME", help="Say of this campaign of the one file why it is as it is now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(files: tuple[Path, ...], campaign: str | None, *, as_json: bool) -> None:
    """Say in plain sentences what FILES (all rule files, if none is named) do: each rule, in the order they are asked.

    With --campaign, of the latest stored run: what was decided and why, each comparison that was made, what each rule came
    to, and the smallest changes with which the rules would want something else.
    """
    if campaign is not None:
        _about(files, campaign, as_json=as_json)
        return
    found = [read(file) for file in files or rule_files()]
    if as_json:
        click.echo(canonical({"files": [_data(rules) for rules in found]}))
        return
    click.echo("\n\n".join("\n".join(_lines(rules)) for rules in found))


def _about(files: tuple[Path, ...], campaign: str, *, as_json: bool) -> None:
    from service.cli.rules_campaign import tell  # noqa: PLC0415 - the database takes a while to import

    if len(files) != 1:
        raise InputError("--campaign is about one rule file: name it, as in `rules explain rules/CLINIC.yaml --campaign NAME`")
    tell(files[0], campaign, as_json=as_json)


def _data(rules: RuleSet) -> dict[str, object]:
    said = [{"rule": rule.name, "pack": rule.pack or None, "sentence": explained(rule, rules)} for rule in rules.rules]
    return {"clinic": rules.clinic, "rules": said, "guardrails": [*changed_guardrails(rules.guardrails)]}


def _lines(rules: RuleSet) -> list[str]:
    told = [
        f"{n}. {rule.name}{f' (pack {rule.pack})' * bool(rule.pack)}\n   {explained(rule, rules)}"
        for n, rule in enumerate(rules.rules, 1)
    ]
    changed = [f"   - {each}" for each in changed_guardrails(rules.guardrails)]
    rails = ["Guardrails that are not the default:", *changed] if changed else ["Every guardrail is the default."]
    first = f"{rules.name}, mode {rules.mode}. For each campaign the first of these that matches decides:"
    return [first, *told, ALWAYS, *rails]

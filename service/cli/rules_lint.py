"""`governor rules lint`: what rule files say and can hardly mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from service.cli.rule_files import bytes_of, every_file, read, tell
from service.core.errors import InputError, Problem, RuleFileError, StoreError
from service.core.rules.language import RuleSet
from service.core.rules.lint.checks import lint as look
from service.core.rules.lint.model import NOTHING_OBSERVED, Observed
from service.core.rules.lint.packs import lint_pack
from service.core.rules.lint.places import Source, Sources
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import PackText, check_pack, decode
from service.rulefiles.yaml_tree import parse
from service.settings import load


@dataclass(slots=True)
class _Files:
    """The clinics' files that could be read, what is found in any, and what keeps others from being read."""

    clinics: dict[Path, RuleSet] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    bad: dict[Problem, None] = field(default_factory=dict)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Look at the files alone, not at what the database knows of their clinics.")
def lint(files: tuple[Path, ...], *, offline: bool) -> None:
    """Find in FILES (all of the rule directory, if none is named) what the rules say and can hardly mean.

    Rules that never get their word, contradictions, latches and ladders that flap: file:line, which check, what is wrong, what
    to write instead. Where the database knows the clinic, its metrics' own swing and its booking limits are gone by. Exit
    status 1 when something is found, 2 for a file that cannot be read.
    """
    found = _Files()
    for file in files or every_file():
        try:
            _take(file, found)
        except RuleFileError as error:
            found.bad |= tell(error, found.bad)
    _look(found, offline=offline)
    for problem in sorted(dict.fromkeys(found.problems), key=lambda each: (each.file, each.line)):
        click.echo(problem)
    if found.problems or found.bad:
        raise click.exceptions.Exit(2 if found.bad else 1)


def _take(file: Path, found: _Files) -> None:
    if file.parent.name != "packs":
        found.clinics[file] = read(file)
        return
    rules = check_pack(file.stem, PackText(str(file), bytes_of(file)))
    own = Sources(_source(file))
    problems = [own.problem(finding) for finding in lint_pack(rules)]
    found.problems += problems
    if not problems:
        click.echo(f"{file}: nothing found in {len(rules)} rules")


def _look(found: _Files, *, offline: bool) -> None:
    known = [NOTHING_OBSERVED] * len(found.clinics) if offline else _observed([*found.clinics.values()])
    for (file, rules), seen in zip(found.clinics.items(), known, strict=True):
        sources = _sources(file, rules)
        problems = [sources.problem(finding) for finding in look(rules, seen)]
        found.problems += problems
        if not problems:
            click.echo(f"{file}: nothing found in {len(rules.rules)} rules for {len(rules.campaigns)} campaigns")


def _observed(files: Sequence[RuleSet]) -> list[Observed]:
    """What the database knows of the files' clinics; that it cannot be read is no fault of a file."""
    from service.cli.rehearsals import known  # noqa: PLC0415 - the database takes a while to import

    try:
        return known(load().database_url, [rules.clinic for rules in files])
    except (InputError, StoreError) as error:
        click.echo(f"what was observed of the clinics is not known: {error}", err=True)
        return [NOTHING_OBSERVED] * len(files)


def _sources(file: Path, rules: RuleSet) -> Sources:
    """Where to find the lines: the file, and those packs that it takes rules from."""
    named = {rule.pack for rule in rules.rules if rule.pack}
    packs = {name: Path(pack.file) for name, pack in RuleDirectory(file.parent).packs().items() if name in named}
    return Sources(_source(file), {name: _source(pack) for name, pack in packs.items()})


def _source(file: Path) -> Source:
    return Source(str(file), parse(decode(bytes_of(file), str(file)), str(file))[0])

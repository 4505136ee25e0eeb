"""`governor rules`: the manager's workbench."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from service.cli.rule_files import bytes_of, every_file, read, tell
from service.cli.rules_backtest import backtest
from service.cli.rules_explain import explain
from service.cli.rules_lint import lint
from service.cli.rules_test import refuse_strays, test
from service.core.errors import InputError, Problem, RuleFileError, StoreError
from service.core.rules.language import RuleSet
from service.core.rules.names import unknown
from service.core.rules.schema import json_schema, pack_schema, schema_text
from service.core.rules.trial.schema import schema_of_tests
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.saving import cut_short
from service.rulefiles.source import PackText, Source, check_pack
from service.rulefiles.swallowed import swallowed
from service.rulefiles.trials import rule_file_of, subject_of, tests_of
from service.rulefiles.yaml_tree import parse
from service.settings import load


@click.group()
def rules() -> None:
    """Check rule files, say what they do, try them on the past; print their JSON Schema."""


@rules.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--offline", is_flag=True, help="Look at the files alone, not at what the database knows of their clinics.")
def check(files: tuple[Path, ...], *, offline: bool) -> None:
    """Check FILES (all of the rule directory, if none is named): file:line, what is wrong, what to write instead.

    So are the tests beside a file (CLINIC.test.yaml), which `rules test` runs. Where the database knows the clinic, also what
    the file would change: what it would resume, pause or leave behind.
    """
    told: dict[Problem, None] = {}
    good: dict[Path, RuleSet] = {}
    for file in files or every_file():
        try:
            for line in _fine(file, good):
                click.echo(line)
        except RuleFileError as error:
            told |= tell(error, told)
    if good and not offline:
        _against_stored_state(good)
    if not files:
        _warn_of_other_endings(Path(load().rules_dir))
        refuse_strays(Path(load().rules_dir))
    if told:
        raise click.exceptions.Exit(2)


def _fine(file: Path, good: dict[Path, RuleSet]) -> Iterator[str]:
    """What there is to say of a good file, and of its tests."""
    about = rule_file_of(file)
    if file == about and file.parent.name == "packs":
        check_pack(file.stem, PackText(str(file), bytes_of(file)))
        yield f"{file}: fine."
    elif file == about:
        found = good[file] = read(file)
        for problem in swallowed(bytes_of(file).decode("utf-8"), str(file)):
            click.echo(f"warning: {problem}", err=True)
        yield f"{file}: fine. {len(found.rules)} rules for {len(found.campaigns)} campaigns, mode {found.mode}"
    subject = subject_of(about)
    tests = tests_of(subject)
    if tests is None and file != about:
        raise InputError(f"{file} cannot be read: there is no such file")
    if tests is not None:
        yield f"{subject.tests}: fine. {len(tests.trials)} tests"


def _warn_of_other_endings(directory: Path) -> None:
    """A file that ends in `.yml` looks like a rule file, and nobody is governed by it."""
    for file in sorted([*directory.glob("*.yml"), *directory.glob("packs/*.yml")]):
        click.echo(f"warning: {file} is never read: rule files end in .yaml; rename it to {file.stem}.yaml", err=True)


def _against_stored_state(good: dict[Path, RuleSet]) -> None:
    """Say what each file would change, as far as there is a database; that it cannot be read is no fault of a file."""
    from service.cli.rehearsals import rehearsed  # noqa: PLC0415 - the database takes a while to import

    try:
        found = rehearsed(load().database_url, good.values())
    except (InputError, StoreError) as error:
        click.echo(f"what the files would change is not known: {error}", err=True)
        return
    for file, rehearsal in zip(good, found, strict=True):
        source = Source(str(file), bytes_of(file), RuleDirectory(file.parent).packs())
        if (known := rehearsal.known) is not None:
            for problem in cut_short(source, good[file], known.rules, known.text):
                click.echo(f"warning: {problem}", err=True)
        tree, _ = parse(source.data.decode("utf-8"), str(file))
        if rehearsal.diaries is not None and tree is not None:
            for problem in unknown(tree, str(file), rehearsal.diaries, rehearsal.names):
                click.echo(f"warning: {problem}", err=True)
        for effect in rehearsal.effects:
            click.echo(f"{file.stem}: {effect}")


@rules.command()
@click.option("--pack", is_flag=True, help="The schema of packs, rules/packs/*.yaml.")
@click.option("--test", "tests", is_flag=True, help="The schema of tests, rules/*.test.yaml; with --pack, of packs.")
def schema(*, pack: bool, tests: bool) -> None:
    """Print the JSON Schema of rule files, for editors that complete and explain."""
    if tests:
        click.echo(schema_text(schema_of_tests(pack=pack)), nl=False)
    else:
        click.echo(schema_text(pack_schema() if pack else json_schema()), nl=False)


rules.add_command(backtest)
rules.add_command(explain)
rules.add_command(lint)
rules.add_command(test)

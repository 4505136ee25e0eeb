"""`governor rules`: the manager's workbench."""

from __future__ import annotations

from pathlib import Path

import click

from service.core.errors import InputError, RuleFileError
from service.core.rules.language import RuleSet
from service.core.rules.schema import schema_text
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check as check_text
from service.rulefiles.source import decode
from service.settings import load


@click.group()
def rules() -> None:
    """Check rule files; print their JSON Schema."""


@rules.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check FILES (all of the rule directory, if none is named): file:line, what is wrong, what to write instead."""
    chosen = files or _all()
    failed = False
    for file in chosen:
        try:
            found = _read(file)
        except RuleFileError as error:
            click.echo(str(error), err=True)
            failed = True
        else:
            click.echo(f"{file}: fine. {len(found.rules)} rules for {len(found.campaigns)} campaigns, mode {found.mode}")
    if failed:
        raise click.exceptions.Exit(2)


def _all() -> tuple[Path, ...]:
    directory = RuleDirectory(load().rules_dir)
    found = tuple(directory.path / f"{clinic}.yaml" for clinic in directory.clinics())
    if not found:
        raise InputError(f"no rule files in {directory.path}: name the files, or set GOVERNOR_RULES_DIR")
    return found


def _read(file: Path) -> RuleSet:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None
    return check_text(decode(data, str(file)), str(file))


@rules.command()
def schema() -> None:
    """Print the JSON Schema of rule files, for editors that complete and explain."""
    click.echo(schema_text(), nl=False)

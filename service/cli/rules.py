"""`governor rules`: the manager's workbench."""

from __future__ import annotations

from pathlib import Path

import click

from service.core.errors import InputError, RuleFileError
from service.core.rules.language import RuleSet
from service.core.rules.schema import json_schema, pack_schema, schema_text
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import PackText, check_pack, decode
from service.rulefiles.source import check as check_text
from service.settings import load


@click.group()
def rules() -> None:
    """Check rule files; print their JSON Schema."""


@rules.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check FILES (all of the rule directory, if none is named): file:line, what is wrong, what to write instead."""
    failed = False
    for file in files or every_file():
        try:
            click.echo(f"{file}: {_fine(file)}")
        except RuleFileError as error:
            click.echo(str(error), err=True)
            failed = True
    if failed:
        raise click.exceptions.Exit(2)


def _fine(file: Path) -> str:
    if file.parent.name == "packs":
        check_pack(file.stem, PackText(str(file), _bytes(file)))
        return "fine."
    found = read(file)
    return f"fine. {len(found.rules)} rules for {len(found.campaigns)} campaigns, mode {found.mode}"


def every_file() -> tuple[Path, ...]:
    """The rule files and packs of the rule directory; `InputError` where there are none."""
    directory = RuleDirectory(load().rules_dir)
    found = [directory.path / f"{clinic}.yaml" for clinic in directory.clinics()]
    if not found:
        raise InputError(f"no rule files in {directory.path}: name the files, or set GOVERNOR_RULES_DIR")
    return (*found, *(Path(pack.file) for pack in directory.packs().values()))


def read(file: Path) -> RuleSet:
    """A rule file with the packs beside it; raises `RuleFileError`, and `InputError` where it cannot be read."""
    return check_text(decode(_bytes(file), str(file)), str(file), RuleDirectory(file.parent).packs())


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None


@rules.command()
@click.option("--pack", is_flag=True, help="The schema of packs, rules/packs/*.yaml.")
def schema(*, pack: bool) -> None:
    """Print the JSON Schema of rule files, for editors that complete and explain."""
    click.echo(schema_text(pack_schema() if pack else json_schema()), nl=False)

"""Reading the rule files that somebody names on the command line."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import click

from service.core.errors import InputError, Problem, RuleFileError
from service.core.rules.language import RuleSet
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check, decode
from service.settings import load


def rule_files() -> tuple[Path, ...]:
    """The rule files of the rule directory; `InputError` where there are none."""
    directory = RuleDirectory(load().rules_dir)
    found = tuple(directory.path / f"{clinic}.yaml" for clinic in directory.clinics())
    if not found:
        raise InputError(f"no rule files in {directory.path}: name the files, or set GOVERNOR_RULES_DIR")
    return found


def every_file() -> tuple[Path, ...]:
    """The rule files and packs of the rule directory; `InputError` where there are no rule files."""
    packs = RuleDirectory(load().rules_dir).packs()
    return (*rule_files(), *(Path(pack.file) for pack in packs.values()))


def read(file: Path) -> RuleSet:
    """A rule file with the packs beside it; raises `RuleFileError`, and `InputError` where it cannot be read."""
    return check(decode(bytes_of(file), str(file)), str(file), RuleDirectory(file.parent).packs())


def tell(error: RuleFileError, told: Container[Problem]) -> dict[Problem, None]:
    """Print what is wrong with a file, but for what was told before: a pack's problems are those of each file that lists it."""
    for problem in error.problems:
        if problem not in told:
            click.echo(problem, err=True)
    return dict.fromkeys(error.problems)


def bytes_of(file: Path) -> bytes:
    """What a file holds; `InputError` where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None

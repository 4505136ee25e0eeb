"""`governor rules backtest`: what a rule file would have done with the readings that are stored, or with an invented clinic."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from service.cli.rule_files import read
from service.core.errors import InputError, NotFoundError
from service.core.rules.language import RuleSet
from service.core.rules.windows import regions
from service.rulefiles.directory import RuleDirectory
from service.settings import load

if TYPE_CHECKING:
    from service.backtesting import Tell
    from service.cli.backtest_pages import Result
    from service.core.backtest import Replay

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNITS = {"h": HOUR, "d": DAY, "w": 7 * DAY}
LONGEST = 3 * 366 * DAY

LINE_SECONDS = 30.0
"""How often a line says how far it is, where there is no terminal."""


class Back(click.ParamType[timedelta]):
    """How far back: `48h`, `90d`, `12w`."""

    name = "duration"

    def convert(self, value: str | timedelta, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it, or say how it is written."""
        if isinstance(value, timedelta):
            return value
        written = re.fullmatch(r"([1-9][0-9]{0,4})([hdw])", value.strip())
        if written is None or (found := int(written[1]) * UNITS[written[2]]) > LONGEST:
            self.fail(
                f"{value!r} is no period: write hours, days or weeks such as 48h, 90d or 12w, three years at most", param, ctx
            )
        return found


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--since", default="90d", show_default=True, type=Back(), help="How far back: 48h, 90d, 12w.")
@click.option("--against", type=click.Path(path_type=Path), help="Compare with this file; default: the one in force.")
@click.option("--sandbox", is_flag=True, help="Try the rules on an invented clinic instead of what is stored.")
@click.option("--seed", default=1, show_default=True, help="With --sandbox: the same seed gives the same months.")
@click.option("--changes", "wants_changes", is_flag=True, help="List every change with its reason.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backtest(
    file: Path, since: timedelta, against: Path | None, seed: int, *, sandbox: bool, wants_changes: bool, as_json: bool
) -> None:
    """What FILE would have done: readings of the past go through its rules and guardrails once more. Changes nothing.

    Every stored reading is decided upon again, as if each campaign had started at its base budget and all that was decided
    had been done. With --sandbox the readings are those of an invented clinic that sells what FILE names.
    """
    rules, now = read(file), datetime.now(UTC).replace(minute=0, second=0, microsecond=0) if sandbox else datetime.now(UTC)
    trial = _Trial(str(file), rules, _other(rules, against), now - since, now)
    from service.cli.backtest_pages import page, printed  # noqa: PLC0415 - takes a while to import

    result = _invented(trial, seed) if sandbox else asyncio.run(_stored(trial, load().database_url))
    if as_json:
        click.echo(page(result))
    else:
        printed(result, changes=wants_changes)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What is to be tried: a file, another (with its name) to compare it with, and the period."""

    file: str
    rules: RuleSet
    other: tuple[str, RuleSet] | None
    first: datetime
    last: datetime

    def files(self) -> list[RuleSet]:
        """The file, and the other if there is one."""
        return [self.rules, *([self.other[1]] if self.other else [])]

    def against(self, name: str, known: RuleSet | None) -> _Trial:
        """Compared with what is in force, unless something else was named or that is the same."""
        differs = known is not None and known.digest != self.rules.digest
        return replace(self, other=(name, known)) if self.other is None and differs and known else self

    def result(self, replay: Replay, unlearnt: tuple[str, ...] = (), *, invented: bool = False) -> Result:
        """What came of it."""
        from service.cli.backtest_pages import Result  # noqa: PLC0415 - as above

        return Result(self.file, self.other[0] if self.other else None, self.rules, replay, unlearnt, invented)


def _other(rules: RuleSet, against: Path | None) -> tuple[str, RuleSet] | None:
    """The file that somebody named to compare with."""
    if against is None:
        return None
    found = read(against)
    if found.clinic != rules.clinic:
        raise InputError(f"{against} is about {found.clinic}, not {rules.clinic}: compare files of one clinic")
    return str(against), found


# --- the stored readings ------------------------------------------------------------------------------------------------


async def _stored(trial: _Trial, url: str) -> Result:
    from service.backtesting import backtest as tried  # noqa: PLC0415 - the database takes a while to import
    from service.store.store import Store  # noqa: PLC0415

    if not _there(url):
        raise NotFoundError(f"there is no database at {url} yet, so nothing is stored; --sandbox invents a clinic")
    store = Store.open(url)
    try:
        known = await store.rules.rules_in_force(trial.rules.clinic)
        trial = trial.against("the file in force", known.rules if known else _on_disk(trial.rules.clinic))
        with watched() as tell:
            found = await tried(store, trial.files(), trial.first, trial.last, tell)
        return trial.result(found.replay, found.unlearnt)
    finally:
        await store.aclose()


def _there(url: str) -> bool:
    """Whether there is a database; asking SQLite itself would make one."""
    from sqlalchemy import make_url  # noqa: PLC0415 - as above
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        found = make_url(url)
    except ArgumentError:
        return True  # whoever opens it says what is wrong
    return found.get_backend_name() != "sqlite" or Path(found.database or "").is_file()


def _on_disk(clinic: str) -> RuleSet | None:
    """The clinic's file in the rule directory, if it is there and good."""
    try:
        return RuleDirectory(load().rules_dir).load(clinic).rules
    except (InputError, NotFoundError):
        return None


# --- an invented clinic -------------------------------------------------------------------------------------------------


def _invented(trial: _Trial, seed: int) -> Result:
    from service.core.backtest import Candidate, Moment, Replay, Setting  # noqa: PLC0415 - as above
    from service.rulefiles.public_holidays import between  # noqa: PLC0415
    from service.sandbox.invented import Invented  # noqa: PLC0415

    trial = trial.against("the file in force", _on_disk(trial.rules.clinic))
    files = trial.files()
    asked = {region for rules in files for region in regions(rules)}
    setting = Setting(trial.first, trial.last, {}, between(trial.first, trial.last, asked))
    replay = Replay([Candidate(rules) for rules in files], setting)
    services = {service: None for rules in files for service in rules.services.values()}
    hours = (trial.last - trial.first) // HOUR + 1
    with watched() as tell:
        for at, diaries in Invented(tuple(services), trial.first, seed).hours(hours):
            replay.see(Moment(f"{at:%Y-%m-%dT%H:%M}", at, diaries))
            tell(replay.runs, hours)
    return trial.result(replay, invented=True)


# --- progress -----------------------------------------------------------------------------------------------------------


@contextmanager
def watched() -> Iterator[Tell]:
    """Say on standard error how far it is: a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console  # noqa: PLC0415 - as above
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("readings"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("readings", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@dataclass(slots=True)
class Lines:
    """A line on a stream every `LINE_SECONDS`; nothing for what takes less."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    monotonic: Callable[[], float] = time.monotonic
    _last: float | None = None

    def __call__(self, done: int, total: int) -> None:
        """So many readings of so many are done."""
        now = self.monotonic()
        if self._last is None:
            self._last = now
        if now - self._last >= LINE_SECONDS:
            self._last = now
            self.stream.write(f"{done:,} of {total:,} readings done\n")
            self.stream.flush()

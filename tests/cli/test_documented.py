"""Every command line of the handbook and the README is one: the real parsers take it, whatever it would then find."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from service.cli import governor

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "rules/README.md")}
OPTIONAL = re.compile(r" \[([^]]+)\]")


def lines(page: str) -> list[str]:
    """The command lines that a page shows, in its blocks and within its text."""
    parts = re.split(r"^ *```.*$", page, flags=re.MULTILINE)
    shown = [line.strip() for block in parts[1::2] for line in block.splitlines()]
    inline = [" ".join(found.split()) for text in parts[::2] for found in re.findall(r"`([^`]+)`", text)]
    found = [re.sub(r"^\S*/governor ", "governor ", line) for line in [*shown, *inline]]
    return list(dict.fromkeys(line for line in found if line.startswith("governor ")))


def meant(line: str) -> list[list[str]]:
    """The words of each command line that one with `[optional]` parts and `one | another` stands for."""
    line = line.partition(" #")[0].rstrip()
    plain = OPTIONAL.sub("", line)
    with_each = [plain + " " + way.replace("...", "") for part in OPTIONAL.findall(line) for way in part.split(" | ")]
    first, *others = plain.split(" | ")
    if others:
        return [shlex.split(each) for each in (first, *(f"{first.rpartition(' ')[0]} {other}" for other in others))]
    return [shlex.split(each) for each in (plain, *with_each)]


def parsed(words: list[str]) -> str:
    """The command that the words call, once its parser has taken the rest of them; a mere name needs no arguments."""
    command: click.Command = governor
    rest = words[1:]
    while isinstance(command, click.Group) and rest:
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, f"there is no command {rest[0]!r}"
        command, rest = found, rest[1:]
    if rest and not isinstance(command, click.Group):
        command.make_context(command.name, rest)
    return str(command.name)


@pytest.mark.parametrize(("page", "line"), [(name, line) for name, page in PAGES.items() for line in lines(page)])
def test_every_documented_command_line_is_one(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for words in meant(line):
        try:
            parsed(words)
        except click.ClickException as error:
            pytest.fail(f"{page}: {line}: {error.format_message()}")


@pytest.mark.parametrize(
    "wrong", ["governor init harbour-physio", "governor hold quay --campain x", "governor rules chek", "governor plans --al"]
)
def test_a_command_line_that_is_none_is_told_apart(wrong: str) -> None:
    with pytest.raises((click.ClickException, AssertionError)):
        parsed(shlex.split(wrong))


def test_the_pages_show_most_commands() -> None:
    called = {words[1] for page in PAGES.values() for line in lines(page) for words in meant(line) if len(words) > 1}
    assert called >= {"init", "doctor", "evaluate", "forecast", "serve", "rules", "plans", "approve", "reject", "hold", "audit"}

"""What keeps a text from being YAML, said as a person would say it and at the line of the slip. No I/O.

The parser complains where it noticed, which is often lines below what somebody mistyped: a key without its colon is read on
into the next line, and a bracket that is not closed swallows all that follows. So the line is looked for backwards.
"""

from __future__ import annotations

import re
import unicodedata

import yaml

from service.core.rules.fields import Problems

ADVICE = {
    "mapping values are not allowed": "put text with a colon in quotes, and check the indentation of this line",
    "cannot start any token": "put the value in quotes",
    "could not find expected ':'": "write `key: value`, with a blank after the colon",
    "expected ',' or ']'": "close the list with `]`, with `,` between its items",
    "expected ',' or '}'": "close the mapping with `}`, with `,` between its entries",
    "but found ']'": "take the bracket out, or open it",
    "but found '}'": "take the bracket out, or open it",
    "expected <block end>": "indent this line like the lines it belongs with",
    "expected the node content": "close the bracket that opens here",
    "end of stream": "close the quote or bracket that opens here",
}
COLON_MISSING = "could not find expected ':'"
FLOW_NOT_CLOSED = ("expected ',' or ']'", "expected ',' or '}'")
QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
STRUCTURE = re.compile(r"(^|[{,\[]) *(- *)*([\w-]+:|-)?(?P<blank>\s)")
"""A blank that YAML reads as structure: in the indentation, or behind a key's colon or an item's dash."""


def check_blanks(text: str, problems: Problems) -> None:
    """Blanks that look like spaces and are none for YAML: it takes `then:<no-break space>pause` for one long word."""
    for number, line in enumerate(text.split("\n"), 1):
        bare = QUOTED.sub("", line.split("#", 1)[0])
        if any(_looks_like_a_space(found["blank"]) for found in STRUCTURE.finditer(bare)):
            problems.add(number, "there is a no-break space on this line", "type an ordinary space in its place")


def _looks_like_a_space(char: str) -> bool:
    return char != " " and unicodedata.category(char) == "Zs"


def complain(error: Exception, text: str, opened: int, problems: Problems) -> None:
    """Note what the parser stumbled over; `opened` is the line of the innermost collection that it was reading."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        problems.add(line, "there is a character here that text files do not have", "take it out, or save the file as UTF-8")
    elif isinstance(error, yaml.MarkedYAMLError):
        lines = text.split("\n")
        line, problem = _slip(error, lines, opened)
        problems.add(line, f"this is not readable as YAML: {problem.replace(chr(10), ' ')}", _advice(problem, lines[line - 1]))
    else:
        problems.add(1, "this is not readable as YAML", "look for backslashes in double quotes and lines beginning with %")


def _advice(problem: str, line: str) -> str:
    if '"' in QUOTED.sub("", line):
        return "close the quote that opens on this line"
    return next((advice for part, advice in ADVICE.items() if part in problem), "check indentation, quotes and brackets")


def _slip(error: yaml.MarkedYAMLError, lines: list[str], opened: int) -> tuple[int, str]:
    """The line to look at, from 1, and what is wrong there."""
    problem = error.problem or error.context or "unreadable"
    began = error.context_mark.line + 1 if error.context_mark else None
    noticed = error.problem_mark.line + 1 if error.problem_mark else began or 1
    if "expected the node content" in problem and "<stream end>" in problem:
        return opened, problem
    if began and (problem == COLON_MISSING or "end of stream" in problem or "<stream end>" in problem):
        return began, problem
    if began and problem.startswith(FLOW_NOT_CLOSED) and _indent(lines, noticed) <= _indent(lines, began):
        return began, problem
    if problem.startswith("mapping values are not allowed") and (before := _without_colon(lines, noticed)):
        return before, COLON_MISSING
    return noticed, problem


def _indent(lines: list[str], number: int) -> int:
    line = lines[number - 1] if number <= len(lines) else ""
    return len(line) - len(line.lstrip(" "))


def _without_colon(lines: list[str], number: int) -> int | None:
    """The line before, if it is a key without its colon that was read on into this line, which is blameless."""
    this, before = (lines[n].strip() if 0 <= n < len(lines) else "" for n in (number - 1, number - 2))
    blameless = re.fullmatch(r"(- )?[\w-]+:( [^:]*|)", this)
    return number - 1 if blameless and re.fullmatch(r"(- )?\w[\w-]*(:\S| )[^:]*", before) else None

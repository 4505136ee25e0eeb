"""Whether a rule file was saved whole. No I/O.

A disk that is full, an editor that was killed, a copy that broke off: each leaves the first part of a file, and that may be a
good file with fewer rules. So a text that is nothing but the beginning of the one in force is not taken for an edit. It costs
the manager who did mean to take out the end of a file one more edit, anywhere; and of a text that was edited and then broke
off nobody can tell.
"""

from __future__ import annotations

from dataclasses import replace

from service.core.errors import Problem
from service.core.rules.language import RuleSet
from service.rulefiles.source import Source, decode, parts

QUOTED = 60
"""Characters of what is missing that a message shows."""

ADVICE = (
    "save the whole file again; or, if the rest was taken out on purpose, change something else as well (a comment will do), "
    "and it takes effect"
)


def cut_short(source: Source, said: RuleSet, known: RuleSet, text: str) -> tuple[Problem, ...]:
    """A problem for each part of `source` that breaks off where `text`, which is in force, goes on.

    `said` and `known` are what the two state: where that is the same, nothing is missing but blanks and comments.
    """
    if replace(said, digest=known.digest, revision=known.revision) == known:
        return ()
    before = parts(text)
    packs = {name: (pack.file, decode(pack.data, pack.file)) for name, pack in source.packs.items() if name in before}
    now = {"": (source.file, decode(source.data, source.file)), **packs}
    return tuple(_broken_off(file, text, before[name]) for name, (file, text) in now.items() if _begins(before[name], text))


def _begins(whole: str, text: str) -> bool:
    return whole != text and whole.startswith(text)


def _broken_off(file: str, text: str, whole: str) -> Problem:
    missing = [line.strip() for line in whole[len(text) :].splitlines() if line.strip()]
    first = f"“{missing[0][:QUOTED]}”" if missing else "an empty line"
    more = f" and {len(missing) - 1} more lines" if len(missing) > 1 else ""
    message = (
        f"the file breaks off here, where the version in force goes on with {first}{more}: it may have been saved only in part"
    )
    return Problem(file, max(len(text.splitlines()), 1), message, ADVICE)

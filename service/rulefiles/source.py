"""A rule file's text to a checked rule set: the one way in, for the command line, the API and tests."""

from __future__ import annotations

import hashlib

from service.core.errors import Problem, RuleFileError
from service.core.rules.language import RuleSet
from service.core.rules.shape import read
from service.rulefiles.yaml_tree import parse

LARGEST = 1_000_000
"""Characters; a clinic with 500 campaigns needs a tenth of it."""


def check(text: str, file_name: str) -> RuleSet:
    """The rule set that `text` states, its digest that of the text as UTF-8.

    Raises `RuleFileError` with every problem found, each at `file_name` and a line, whatever the text. Where `file_name`
    ends in `.yaml`, the clinic in the text must have the same name.
    """
    if len(text) > LARGEST:
        raise RuleFileError((Problem(file_name, 1, f"the file has {len(text):,} characters", f"keep it under {LARGEST:,}"),))
    tree, problems = parse(text, file_name)
    if tree is None:
        raise RuleFileError(problems)
    return read(tree, file=file_name, digest=digest_of(text.encode("utf-8", "surrogatepass")), known=problems)


def decode(data: bytes, file_name: str) -> str:
    """The text of a file's bytes; `RuleFileError` with the line where they stop being UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleFileError((Problem(file_name, line, "this is not UTF-8 text", "save the file as UTF-8"),)) from None


def digest_of(data: bytes) -> str:
    """What a revision of a rule file is known by: the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(data).hexdigest()

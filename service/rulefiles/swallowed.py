"""Names that YAML cuts short: what stands behind a blank and a `#` is a comment, whatever its writer meant. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.core.errors import Problem

CUT = re.compile(r"^\s*(?:- *)?name:\s+(?P<kept>[^\s\"'#][^\"'#]*?)\s+(?P<lost>#\S.*)$")
"""A comment has a blank behind its `#`; a word has none."""


def swallowed(text: str, file: str) -> Iterator[Problem]:
    """Each name that goes on behind a `#`."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := CUT.match(line.rstrip()):
            kept, lost = found["kept"], found["lost"]
            message = f"`{lost}` is a comment, so the name is `{kept}`"
            yield Problem(file, number, message, f'write "{kept} {lost}" if it is part of the name, or a blank behind the #')

"""The git revision of rule files that lie in a git work tree: so that a record leads to the commit, its author and its reason.

Asked of the `git` command; where there is none, or no work tree, files simply have no revision.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 5.0
"""A repository on a slow disk; without an answer by then the file has no revision, and the run goes on."""


def revision_of(directory: Path, files: Sequence[Path]) -> str:
    """The newest commit that changed any of `files`, in hex; empty where they are not from git, or were edited since."""
    names = [str(file.relative_to(directory)) for file in files]
    if _git(directory, "status", "--porcelain", "--", *names) != "":
        return ""
    return _git(directory, "log", "-1", "--format=%H", "--", *names) or ""


def _git(directory: Path, *arguments: str) -> str | None:
    """What git answers; None where it cannot or will not."""
    command = shutil.which("git")
    if command is None:
        return None
    try:
        found = subprocess.run(  # noqa: S603 - fixed words, and names of files in the rule directory after `--`
            [command, "--no-optional-locks", "-C", str(directory), *arguments],
            capture_output=True,
            check=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
    except (subprocess.SubprocessError, OSError, UnicodeDecodeError):
        return None
    return found.stdout.strip()

"""The Dockerfile, read; and the steps of its build stage, done in a folder of one's own where there is no Docker.

Absolute paths of the image lie below that folder. What the base image brings is not there: the Python is this machine's.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OURS = re.compile(r"(?<![\w.*/])/(?=(?:opt|src|dist)\b)")
"""Where a path begins that the Dockerfile makes in the build stage."""


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction, its continued lines joined."""

    keyword: str
    arguments: str


Stage = tuple[Step, ...]


def stages(text: str) -> list[Stage]:
    """What comes before the first FROM is left out; each stage begins with its own."""
    found: list[list[Step]] = []
    for step in _steps(text):
        if step.keyword == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return [tuple(stage) for stage in found]


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for whole in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        keyword, _, arguments = whole.strip().partition(" ")
        if keyword:
            yield Step(keyword, arguments.strip())


def read() -> list[Stage]:
    return stages((REPOSITORY / "Dockerfile").read_text("utf-8"))


def only(stage: Stage, keyword: str) -> str:
    (found,) = [step.arguments for step in stage if step.keyword == keyword]
    return found


def environment(stage: Stage) -> dict[str, str]:
    pairs = (pair.partition("=") for step in stage if step.keyword == "ENV" for pair in shlex.split(step.arguments))
    return {name: value for name, _, value in pairs}


def copied(stage: Stage) -> list[str]:
    """What is copied from the repository."""
    words = [shlex.split(step.arguments) for step in stage if step.keyword == "COPY"]
    return [name for each in words if not each[0].startswith("--from=") for name in each[:-1]]


def build(stage: Stage, source: Path, root: Path, python: Path) -> None:
    """Do the steps below `root`, with `python` by that name. Raises `CalledProcessError` where one fails."""
    commands = root / "bin"
    commands.mkdir(parents=True)
    (commands / "python").symlink_to(python)
    keep = {name: value for name, value in os.environ.items() if name in {"HOME", "SSL_CERT_FILE"} or name.startswith("PIP_")}
    variables = {**keep, **environment(stage), "PATH": f"{commands}:/usr/bin:/bin"}
    where = root
    for step in stage:
        match step.keyword:
            case "WORKDIR":
                where = Path(OURS.sub(f"{root}/", step.arguments))
                where.mkdir(parents=True)
            case "COPY":
                _copy(shlex.split(step.arguments), source, where)
            case "RUN":
                _run(OURS.sub(f"{root}/", step.arguments), where, variables)


def _copy(words: list[str], source: Path, where: Path) -> None:
    *names, target = words
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, where / target)
        else:
            shutil.copy(source / name, where / target)


def _run(command: str, where: Path, variables: dict[str, str]) -> None:
    done = subprocess.run(  # noqa: S603 - the Dockerfile's own words
        ["/bin/sh", "-c", command], cwd=where, env=variables, capture_output=True, check=False, encoding="utf-8"
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

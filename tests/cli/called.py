"""The command line in a process of its own, forked from one that has imported the program already.

What a person's call does, without the second that each would take to import the same libraries once more.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

IMPORTED = ("service.cli", "service.app", "service.store.store", "service.core.engine", "service.rulefiles.directory")
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(IMPORTED))


def governor(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Call `governor` with these arguments, in a folder, with `env` as its only settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOVERNOR_")}
    environment = clean | {"GOVERNOR_RULES_SETTLE": "0s"} | env
    with TemporaryDirectory() as kept:
        out, err = Path(kept, "out"), Path(kept, "err")
        child = _forks.Process(target=_call, args=(args, str(cwd), environment, str(out), str(err)))
        child.start()
        child.join(timeout=120)
        if child.exitcode is None:
            child.kill()
            raise TimeoutError(f"governor {' '.join(args)} did not end")
        return subprocess.CompletedProcess(args, child.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _call(args: tuple[str, ...], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for path, number in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8") for number in (1, 2))
    from service.cli import main  # noqa: PLC0415 - in the process that is called

    sys.argv = ["governor", *args]
    try:
        main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()

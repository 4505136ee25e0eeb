"""Folders that the sandbox and the demonstration write into, and nobody else's."""

from __future__ import annotations

from pathlib import Path

from service.core.errors import InputError

MARKER = ".made-by-governor-sandbox"

OURS = (".env", "governor.db*", "sandbox.json", "*.pem", "service-account-*.json", "user-*.json")
"""What is left behind from an earlier time and may be removed."""


def claim(directory: Path) -> None:
    """Make a folder, or take one over that was made here before; raises `InputError` for anybody else's.

    What an earlier time left is removed, by name: a file that somebody put there stays.
    """
    if directory.exists() and not (directory / MARKER).exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory} holds something else: give another --directory")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MARKER).touch()
    for pattern in OURS:
        for file in directory.glob(pattern):
            file.unlink()


def write_environment(file: Path, environment: dict[str, str]) -> None:
    """Write variables as a `.env` file, for nobody else to read."""
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}={value}\n" for name, value in environment.items()))

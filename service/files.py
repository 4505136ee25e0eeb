"""Files that are there as a whole or not at all: written beside their place, put on the disk, and only then given their name.

A name that is taken is never taken over. What a killed process leaves behind is a file ending in `.partial`, which nothing
reads.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from service.core.errors import InputError


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when the block ends; if the block raises, there is none.

    Raises InputError where there is such a file already, or it cannot be written.
    """
    if path.exists():
        raise InputError(f"{path} exists: name a new file")
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as file:
            yield file
            on_disk(file)
        _named(partial, path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)


def on_disk(file: BinaryIO) -> None:
    """Return once what was written is on the disk, as far as the system can tell."""
    file.flush()
    os.fsync(file.fileno())


def _named(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)  # unlike a rename, it never replaces a file
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        partial.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

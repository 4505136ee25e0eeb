"""Folders as a kubelet lays out ConfigMaps and Secrets: every name leads through one link, which is swapped at once."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path

NUMBERS = itertools.count()


def lay_out(volume: Path, files: Mapping[str, str]) -> None:
    """Put these files, by their paths, in place of those that are there: the steps of the kubelet's atomic writer, in order."""
    data = volume / "..data"
    before = data.resolve() if data.is_symlink() else None
    now = volume / f"..{next(NUMBERS)}"
    for path, text in files.items():
        file = now / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    now.mkdir(parents=True, exist_ok=True)
    swapped(data, Path(now.name))
    names = {Path(path).parts[0] for path in files}
    for name in names:
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(Path("..data") / name)
    for link in volume.iterdir():
        if link.name not in names and not link.name.startswith(".."):
            link.unlink()
    if before is not None:
        shutil.rmtree(before)


def swapped(link: Path, target: Path) -> None:
    """Lead a link somewhere else, at once."""
    new = link.with_name(f"{link.name}_tmp")
    new.symlink_to(target)
    new.rename(link)

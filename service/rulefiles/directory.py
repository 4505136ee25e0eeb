"""The directory of rule files: which clinics there are, and what their files say now.

A file is read whole in one go. One saved half-way may still be a good file, with fewer rules: so whoever puts an edit in force
asks first how long ago it was written (`age`). Packs are part of the files that list them: a bad pack is a bad file.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from service.core.errors import InputError, NotFoundError
from service.core.rules.language import RuleSet
from service.core.rules.values import SLUG
from service.rulefiles.git import revision_of
from service.rulefiles.source import PackText, check, decode, digest_of, whole


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A rule file as it was read: what it states, its text with that of its packs, and the SHA-256 of those bytes in hex."""

    rules: RuleSet
    text: str
    digest: str


class RuleDirectory:
    """`<clinic>.yaml` files in one directory. Tests (`<clinic>.test.yaml`), packs and the schema are no clinics."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._revisions: dict[str, str] = {}

    def clinics(self) -> list[str]:
        """The names of all clinics with a file, good or bad, in order; `InputError` where there is no such directory."""
        try:
            names = [entry.name for entry in self.path.iterdir() if entry.suffix == ".yaml" and entry.is_file()]
        except OSError as error:
            raise InputError(f"the rule directory {self.path} cannot be read: {error.strerror or error}") from error
        return sorted(
            name.removesuffix(".yaml") for name in names if not name.startswith(".") and not name.endswith(".test.yaml")
        )

    def load(self, clinic: str) -> LoadedFile:
        """The clinic's file as it is now.

        Raises `RuleFileError` for a bad file, `NotFoundError` where there is none, `InputError` where it cannot be read.
        """
        file = self.path / f"{clinic}.yaml"
        data, packs = self._bytes(clinic, file), self.packs()
        rules = check(decode(data, str(file)), str(file), packs)
        used = [Path(packs[name].file) for name in dict.fromkeys(rule.pack for rule in rules.rules) if name]
        revised = replace(rules, revision=self._revision(rules.digest, [file, *used]))
        return LoadedFile(revised, whole(data, packs).decode("utf-8"), rules.digest)

    def _revision(self, digest: str, files: list[Path]) -> str:
        """The git revision of these files as they are; once a revision is known for a content it stays."""
        if not self._revisions.get(digest):
            self._revisions[digest] = revision_of(self.path, files)
        return self._revisions[digest]

    def digest(self, clinic: str) -> str:
        """What the clinic's file and its packs are known by as they are now, good or bad; raises as `load` does."""
        return digest_of(whole(self._bytes(clinic, self.path / f"{clinic}.yaml"), self.packs()))

    def age(self, clinic: str) -> float:
        """For how many seconds nothing has been written to the clinic's file or a pack; endless where that cannot be told."""
        files = [self.path / f"{clinic}.yaml", *(Path(pack.file) for pack in self.packs().values())]
        try:
            since = time.time() - max(file.stat().st_mtime for file in files)
        except OSError:
            return math.inf
        return since if since >= 0 else math.inf  # written by a clock that is ahead: waiting would not help

    def packs(self) -> dict[str, PackText]:
        """The packs in `packs/`, good or bad, by name and in order; none where there is no such directory."""
        found = (path for path in (self.path / "packs").glob("*.yaml") if not path.name.endswith(".test.yaml"))
        files = sorted(path for path in found if path.is_file() and path.name[0] != ".")
        return {path.stem: PackText(str(path), _read(path)) for path in files}

    def _bytes(self, clinic: str, file: Path) -> bytes:
        if not re.fullmatch(SLUG, clinic):  # also keeps `../` out of the path
            raise NotFoundError(f"there is no clinic {clinic!r}: a clinic's name is lower-case letters, digits and hyphens")
        try:
            return _read(file)
        except FileNotFoundError:
            raise NotFoundError(self._missing(clinic, file)) from None

    def _missing(self, clinic: str, file: Path) -> str:
        near_miss = file.with_suffix(".yml")
        advice = f"; rename {near_miss.name} to {file.name}" if near_miss.is_file() else ""
        return f"there is no clinic {clinic}: {file} does not exist{advice}"


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error

"""The directory of rule files: which clinics there are, and what their files say now.

A file is read whole in one go. One saved half-way may still be a good file, with fewer rules: so whoever puts an edit in force
looks twice, some time apart, and takes nothing but what it has read both times (`look`). That holds whatever the clocks of
file servers say. Packs are part of the files that list them: a bad pack is a bad file.
"""

from __future__ import annotations

import hashlib
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from service.core.errors import InputError, NotFoundError
from service.core.rules.language import RuleSet
from service.core.rules.values import SLUG
from service.rulefiles.git import revision_of
from service.rulefiles.source import PackText, Source, Texts, check_whole, decode

SETTLED = timedelta(seconds=2)
"""Longer than an editor takes to save a file, or a network to bring it."""


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A rule file as it was read: what it states, its text with that of its packs, and the SHA-256 of those bytes in hex."""

    rules: RuleSet
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Look:
    """The SHA-256 of a clinic's file and all packs, and when, by a clock that nobody sets, they were first read so."""

    bytes: str
    since: float


@dataclass(frozen=True, slots=True)
class _Good:
    """The newest good file of a clinic: the SHA-256 of its bytes and of all packs, and what it states."""

    bytes: str
    rules: RuleSet
    text: str


class RuleDirectory:
    """`<clinic>.yaml` files in one directory. Tests (`<clinic>.test.yaml`), packs and the schema are no clinics.

    `settle`: for how long an edit must read the same before it may take effect.
    """

    def __init__(self, path: Path | str, settle: timedelta = SETTLED) -> None:
        self.path, self.settle = Path(path), settle
        self._revisions: dict[str, str] = {}
        self._looks: dict[str, _Look] = {}
        self._good: dict[str, _Good] = {}
        self._digests: dict[str, tuple[str, str]] = {}

    def clinics(self) -> list[str]:
        """The names of all clinics with a file, good or bad, in order; `InputError` where there is no such directory."""
        try:
            names = [entry.name for entry in self.path.iterdir() if entry.suffix == ".yaml" and entry.is_file()]
        except OSError as error:
            raise InputError(f"the rule directory {self.path} cannot be read: {error.strerror or error}") from error
        return sorted(
            name.removesuffix(".yaml") for name in names if not name.startswith(".") and not name.endswith(".test.yaml")
        )

    def has(self, clinic: str) -> bool:
        """Whether `clinics` would name this one."""
        with suppress(OSError):  # a name longer than a file's may be, a directory that may not be read: it is not there
            return re.fullmatch(SLUG, clinic) is not None and (self.path / f"{clinic}.yaml").is_file()
        return False

    def load(self, clinic: str) -> LoadedFile:
        """The clinic's file as it is now.

        Raises `RuleFileError` for a bad file, `NotFoundError` where there is none, `InputError` where it cannot be read.
        """
        return self.loaded(self.read(clinic))

    def read(self, clinic: str) -> Source:
        """The bytes of the clinic's file and of the packs as they are now; raises as `load` does."""
        file = self.path / f"{clinic}.yaml"
        return Source(str(file), self._bytes(clinic, file), self.packs())

    def loaded(self, source: Source) -> LoadedFile:
        """What has been read, checked; raises `RuleFileError` for a bad file."""
        rules, text = self._checked(source)
        used = [source.packs[name].file for name in dict.fromkeys(rule.pack for rule in rules.rules) if name]
        revised = replace(rules, revision=self._revision(rules.digest, [Path(file) for file in (source.file, *used)]))
        return LoadedFile(revised, text, rules.digest)

    def _checked(self, source: Source) -> tuple[RuleSet, str]:
        """What the bytes state, and their text. A good file is kept in mind: the next run finds it as this one did."""
        found = _of(source.data, source.packs)
        known = self._good.get(source.file)
        if known is None or known.bytes != found:
            rules, text = check_whole(decode(source.data, source.file), source.file, source.packs)
            known = self._good[source.file] = _Good(found, rules, text.decode("utf-8"))
        return known.rules, known.text

    def look(self, clinic: str) -> tuple[Source, timedelta]:
        """What `read` reads, and for how long this process has read the same: no time at all at first."""
        try:
            source = self.read(clinic)
        except (InputError, NotFoundError):
            self._looks.pop(clinic, None)
            raise
        now, found = time.monotonic(), _of(source.data, source.packs)
        before = self._looks.get(clinic)
        if before is None or before.bytes != found:
            before = self._looks[clinic] = _Look(found, now)
        return source, timedelta(seconds=now - before.since)

    def _revision(self, digest: str, files: list[Path]) -> str:
        """The git revision of these files as they are; once a revision is known for a content it stays."""
        if not self._revisions.get(digest):
            self._revisions[digest] = revision_of(self.path, files)
        return self._revisions[digest]

    def digest(self, clinic: str) -> str:
        """What the clinic's file and its packs are known by as they are now, good or bad; raises as `load` does."""
        return self.digest_of(self.read(clinic))

    def digest_of(self, source: Source) -> str:
        """`source.digest`; found once for the bytes that a file has, because it takes reading which packs are listed."""
        found = _of(source.data, source.packs)
        known = self._digests.get(source.file)
        if known is None or known[0] != found:
            known = self._digests[source.file] = (found, source.digest)
        return known[1]

    def packs(self) -> dict[str, PackText]:
        """The packs in `packs/`, good or bad, by name and in order; none where there is no such directory."""
        found = (path for path in (self.path / "packs").glob("*.yaml") if not path.name.endswith(".test.yaml"))
        files = sorted(path for path in found if path.is_file() and path.name[0] != ".")
        return {path.stem: PackText(str(path), _pack(path)) for path in files}

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


def _of(data: bytes, packs: Texts) -> str:
    """Bytes that differ in any of these, the names of the packs included, have another."""
    found = hashlib.sha256(hashlib.sha256(data).digest())
    for name, pack in packs.items():
        found.update(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest() + hashlib.sha256(pack.data).digest())
    return found.hexdigest()


def _pack(file: Path) -> bytes:
    try:
        return _read(file)
    except FileNotFoundError:
        raise InputError(f"{file} cannot be read: it is gone") from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error

"""A rule file's text to a checked rule set: the one way in, for the command line, the API and tests."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from service.core.errors import Problem, RuleFileError
from service.core.rules.fields import Problems
from service.core.rules.language import Rule, RuleSet
from service.core.rules.shape import read
from service.core.rules.shape_packs import PackFile
from service.core.rules.shape_packs import pack as read_pack
from service.core.rules.shape_rules import Known
from service.core.rules.tree import Mapping as Tree
from service.core.rules.tree import Node, Scalar, Sequence
from service.rulefiles.yaml_tree import parse

ANNOUNCED = re.compile(r"\n--- # packs/([^\n]+)\.yaml\n")

LARGEST = 1_000_000
"""Characters; a clinic with 500 campaigns needs a tenth of it."""


@dataclass(frozen=True, slots=True)
class PackText:
    """A pack as it lies on disk: its path for messages, and its bytes."""

    file: str
    data: bytes


Texts = Mapping[str, PackText]
"""The packs there are, by name."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a clinic's rules are read from: its file, by the path for messages, and all packs there are, as bytes."""

    file: str
    data: bytes
    packs: Texts

    @property
    def digest(self) -> str:
        """What the file and the packs that it lists are known by, good or bad."""
        return digest_of(whole(self.data, self.packs))


def check(text: str, file_name: str, packs: Texts | None = None) -> RuleSet:
    """The rule set that `text` states with the packs it lists, its digest that of `whole`.

    Raises `RuleFileError` with every problem found, each at its file and a line, whatever the text. Where `file_name` ends in
    `.yaml`, the clinic in the text must have the same name.
    """
    return check_whole(text, file_name, packs or {})[0]


def check_whole(text: str, file_name: str, packs: Texts) -> tuple[RuleSet, bytes]:
    """As `check`, with what `whole` would make of the file and its packs."""
    root, problems = tree(text, file_name)
    if root is None:
        raise RuleFileError(problems)
    named = _listed(root)
    files = {name: pack_tree(pack) if name in named else PackFile(pack.file, None) for name, pack in packs.items()}
    together = _together(text.encode("utf-8", "surrogatepass"), packs, named)
    return read(root, file=file_name, digest=digest_of(together), known=problems, packs=files), together


def check_pack(name: str, pack: PackText) -> tuple[Rule, ...]:
    """The rules of a pack by itself, about no campaign yet.

    Raises `RuleFileError` with every problem but those that only a clinic shows.
    """
    problems = Problems(pack.file)
    found = read_pack(name, pack_tree(pack), Known(None, None, None, decimals=2), problems)
    problems.refuse_if_any()
    return found


def whole(data: bytes, packs: Texts) -> bytes:
    """A rule file and, below it, the packs that it lists: what a revision of a clinic's rules consists of."""
    if not packs:
        return data
    root, _ = parse(data.decode("utf-8", "replace"), "")
    return data if root is None else _together(data, packs, _listed(root))


def _together(data: bytes, packs: Texts, listed: list[str]) -> bytes:
    known = [(name, packs[name]) for name in listed if name in packs]
    return b"".join([data, *(f"\n--- # packs/{name}.yaml\n".encode() + pack.data for name, pack in known)])


def parts(text: str) -> dict[str, str]:
    """The texts that `whole` made one of: the file's own under "", each pack's under its name.

    A good file has no second document, so nothing of its own reads like the line that announces a pack.
    """
    own, *packs = ANNOUNCED.split(text)
    return {"": own, **dict(zip(packs[::2], packs[1::2], strict=True))}


def tree(text: str, file_name: str) -> tuple[Node | None, tuple[Problem, ...]]:
    """The tree of a text and what is wrong with it as YAML; no tree where it cannot be followed, or is too long."""
    if len(text) > LARGEST:
        return None, (Problem(file_name, 1, f"the file has {len(text):,} characters", f"keep it under {LARGEST:,}"),)
    return parse(text, file_name)


def pack_tree(pack: PackText) -> PackFile:
    """A pack's tree, with what is wrong with it as text."""
    try:
        return PackFile(pack.file, *tree(decode(pack.data, pack.file), pack.file))
    except RuleFileError as error:
        return PackFile(pack.file, None, error.problems)


def _listed(root: Node) -> list[str]:
    """The names under `packs`, each once, whatever else the file says."""
    entries = root.entries if isinstance(root, Tree) else ()
    value = next((entry.value for entry in entries if entry.key == "packs"), None)
    items = value.items if isinstance(value, Sequence) else ()
    return list(dict.fromkeys(item.text.strip() for item in items if isinstance(item, Scalar)))


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

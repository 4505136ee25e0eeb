"""Test files on disk: `<clinic>.test.yaml` beside the rule file, `<pack>.test.yaml` beside the pack.

A pack is tested on a made-up clinic with one service and one campaign, so that its tests need no clinic's names.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from service.core.errors import InputError, RuleFileError
from service.core.model import Mode, Platform
from service.core.rules.fields import Problems
from service.core.rules.language import CampaignEntry, Guardrails, Rule, RuleSet, Service
from service.core.rules.shape_packs import PackFile
from service.core.rules.shape_packs import pack as read_pack
from service.core.rules.shape_rules import Known
from service.core.rules.trial.model import TrialFile
from service.core.rules.trial.shape import read
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import PackText, check, decode, pack_tree, tree

TESTS = ".test.yaml"

SERVICE, CAMPAIGN = "any-service", "any-campaign"

STAND_IN = CampaignEntry(
    name=CAMPAIGN,
    platform=Platform.META,
    id="1",
    service=SERVICE,
    base=Decimal("100.00"),
    floor=Decimal("10.00"),
    ceiling=Decimal("200.00"),
    guardrails=Guardrails(),
)
"""The campaign that packs are tested on: round figures, so that 60% is 60.00."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test file is about: the rules as they are asked, and those of them that are the file's own."""

    file: Path
    rules: RuleSet
    own: tuple[Rule, ...]
    pack: str | None = None

    @property
    def tests(self) -> Path:
        """Where its tests are, if there are any."""
        return self.file.with_name(f"{self.file.stem}{TESTS}")


def rule_file_of(file: Path) -> Path:
    """The rule file or pack that a test file is about; any other file is about itself."""
    return file.with_name(f"{file.name.removesuffix(TESTS)}.yaml") if file.name.endswith(TESTS) else file


def subject_of(file: Path) -> Subject:
    """The rules of a rule file or pack; `RuleFileError` where it is bad, `InputError` where it cannot be read."""
    if file.parent.name == "packs":
        return of_pack(file, pack_tree(PackText(str(file), _read(file))))
    rules = check(decode(_read(file), str(file)), str(file), RuleDirectory(file.parent).packs())
    return Subject(file, rules, tuple(rule for rule in rules.rules if not rule.pack))


def of_pack(file: Path, source: PackFile) -> Subject:
    """A pack's rules on the made-up clinic."""
    name, entries, problems = file.stem, {CAMPAIGN: STAND_IN}, Problems(source.file)
    found = read_pack(name, source, Known(frozenset({SERVICE}), entries, None, decimals=2), problems)
    problems.refuse_if_any()
    services = {SERVICE: Service(SERVICE, ("Any",))}
    rules = RuleSet(name, name, "", "AUD", Mode.ENFORCE, services, entries, found, Guardrails())
    return Subject(file, rules, found, name)


def tests_of(subject: Subject) -> TrialFile | None:
    """The tests of a file, checked; None where there are none. `RuleFileError` with every problem of a bad one."""
    try:
        data = subject.tests.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{subject.tests} cannot be read: {error.strerror or error}") from None
    return stated(decode(data, str(subject.tests)), subject)


def stated(text: str, subject: Subject) -> TrialFile:
    """The tests that a text states about a file."""
    name = str(subject.tests)
    root, problems = tree(text, name)
    if root is None:
        raise RuleFileError(problems)
    return read(root, subject.rules, file=name, known=problems, pack=subject.pack)


def strays(directory: Path) -> list[Path]:
    """Test files in a rule directory, and in its `packs/`, that are about no file there is."""
    found = sorted([*directory.glob(f"*{TESTS}"), *(directory / "packs").glob(f"*{TESTS}")])
    return [file for file in found if not rule_file_of(file).is_file()]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from None

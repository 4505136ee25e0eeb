"""The entries of `planted.yaml`, each as a whole file with what must be found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import yaml

from service.core.errors import Problem
from service.core.rules.lint.checks import lint
from service.core.rules.lint.model import NOTHING_OBSERVED, Observed
from service.core.rules.lint.places import Source, Sources
from service.rulefiles.source import check
from service.rulefiles.yaml_tree import parse

FILE = "quay.yaml"
HEAD = """\
version: 1
clinic: quay
name: The Quay
currency: AUD
notify: [marketing]
google_ads: {customer_id: "123-456-7890"}
services:
  physio: {appointment_types: [Physiotherapy]}
  podiatry: {appointment_types: [Podiatry]}
"""
SEARCH = 'search: {platform: google, id: "1", service: physio, base_budget: 60.00, floor: 10.00, ceiling: 120.00}\n'
MARK = re.compile(r" *#! ([a-z-]+)$")

Found = tuple[int, str]
"""A line and a check."""


@dataclass(frozen=True)
class Planted:
    """One entry of the data file, which explains the fields."""

    id: str
    rules: str = ""
    campaigns: str = SEARCH
    more: str = ""

    @property
    def marked(self) -> str:
        """The whole file, marks included: YAML takes them for comments."""
        parts = {"campaigns": self.campaigns} | ({"rules": self.rules} if self.rules else {})
        return HEAD + "".join(f"{key}:\n{indent(part, '  ')}" for key, part in parts.items()) + self.more

    @property
    def expected(self) -> list[Found]:
        """What must be found, and nothing else."""
        lines = enumerate(self.marked.splitlines(), 1)
        return [(number, mark[1]) for number, line in lines if (mark := MARK.search(line))]


def problems(text: str, seen: Observed = NOTHING_OBSERVED) -> list[Problem]:
    """What is found in a file without packs."""
    sources = Sources(Source(FILE, parse(text, FILE)[0]))
    return [sources.problem(finding) for finding in lint(check(text, FILE), seen)]


def found(text: str, seen: Observed = NOTHING_OBSERVED) -> list[Found]:
    """The lines and checks of what is found in a file without packs, in the order of lines."""
    return sorted((problem.line, problem.message.partition(":")[0]) for problem in problems(text, seen))


PLANTED = [Planted(**fields) for fields in yaml.safe_load((Path(__file__).parent / "planted.yaml").read_text("utf-8"))]

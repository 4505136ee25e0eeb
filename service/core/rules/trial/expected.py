"""Reading what is expected of campaigns, and how they are when a test begins. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.core.model import Reason, Verdict
from service.core.rules.fields import Fields, FlawError, Parse, Problems, did_you_mean, listing, near
from service.core.rules.language import CostPerBooking, Named, Pause, RuleSet
from service.core.rules.shape_rules import Known, budgets, reference
from service.core.rules.tree import Entry, Node, Scalar, described, quoted
from service.core.rules.tree import Mapping as Tree
from service.core.rules.trial.model import Budget, Expectation
from service.core.rules.trial.words import DONE, EXPECTED, Outcome, Stage, Start
from service.core.rules.values import one_of, phrase, scalar


@dataclass(frozen=True, slots=True)
class Names:
    """What a test may refer to: campaigns, services, and rules of the file that is tested."""

    rules: RuleSet
    decimals: int

    def budget(self, campaigns: tuple[str, ...]) -> Parse[Budget]:
        """A parser for budgets of these campaigns, written as a rule writes them; what a booking may cost is no budget yet."""
        known = Known(frozenset(self.rules.services), self.rules.campaigns, None, self.decimals)

        def parse(node: Node, what: str) -> Budget:
            found = budgets(known, campaigns, below_floor=True)(node, what)
            if isinstance(found, (CostPerBooking, Pause)):
                raise FlawError(node, f"{what} is what comes out", "write an amount, like 32.14")
            return found

        return parse

    def rule(self, node: Node, what: str) -> str:
        """The name of a rule."""
        names = frozenset(rule.name for rule in self.rules.rules)
        known = f"the rules are {listing(sorted(names))}" if names else "there are no rules"
        return reference(names, "rule", known, phrase)(node, what)

    def campaigns(self, key: str) -> tuple[str, ...]:
        """The campaigns that a key is about: one, or those of a service."""
        if key in self.rules.campaigns:
            return (key,)
        return tuple(name for name, entry in self.rules.campaigns.items() if entry.service == key)


def by_campaign(node: Node, what: str, keys: Mapping[str, str], names: Names, problems: Problems) -> dict[str, Entry]:
    """What is said of each campaign: by its name, by its service, or of all of them at once. A name goes before a service."""
    everything = tuple(names.rules.campaigns)
    if isinstance(node, Scalar):
        return {campaign: Entry(what, node.line, node) for campaign in everything}
    if not isinstance(node, Tree):
        problems.add(node.line, f"{what} is a mapping of campaigns or services, not {described(node)}")
        return {}
    known = {*everything, *names.rules.services}
    if not any(entry.key in known for entry in node.entries) and any(entry.key in keys for entry in node.entries):
        return {campaign: Entry(what, node.line, node) for campaign in everything}
    found: dict[str, Entry] = {}
    for entry in sorted(node.entries, key=lambda each: each.key in names.rules.campaigns):
        if entry.key not in known:
            guess = near(entry.key, known)
            advice = did_you_mean(guess) if guess else f"the campaigns are {listing(everything)}"
            problems.add(entry.line, f"there is no campaign or service {quoted(entry.key)}", advice)
        found |= dict.fromkeys(names.campaigns(entry.key), entry)
    return found


def expectations(node: Node, stage: Stage, names: Names, problems: Problems) -> Iterator[Expectation]:
    """What is expected of each campaign that is named."""
    section = EXPECTED if stage is Stage.WANTED else DONE
    said = by_campaign(node, f"`{stage}`", section.keys, names, problems)
    for name in names.rules.campaigns:
        if name in said:
            yield _expectation(said[name], name, stage, names, problems)


def _expectation(entry: Entry, campaign: str, stage: Stage, names: Names, problems: Problems) -> Expectation:
    if isinstance(entry.value, Scalar):
        outcome = problems.attempt(_outcome, entry.value, f"what is expected of {campaign}", None)
        return Expectation(campaign, stage, entry.line, outcome)
    fields = Fields(entry.value, EXPECTED if stage is Stage.WANTED else DONE, problems)
    if "then" in fields and "budget" in fields:
        fields.flaw("budget", "an expectation has `then` or `budget`, not both", "take one of them out")
    if not fields.present and not fields.broken:
        problems.add(entry.line, f"nothing is expected of {campaign}", "write pause, keep or {budget: 60%}")
    return Expectation(
        campaign,
        stage,
        entry.line,
        fields.read("budget", names.budget((campaign,)), None) if "budget" in fields else fields.read("then", _outcome, None),
        fields.read("rule", names.rule, None),
        fields.read("reason", one_of(Reason), None),
        fields.read("verdict", one_of(Verdict), None),
    )


def _outcome(node: Node, what: str) -> Outcome:
    value = scalar(node, what, "pause, keep or {budget: 60%}")
    if value in list(Outcome):
        return Outcome(value)
    raise FlawError(node, f"{what} cannot be {quoted(value)}", _meant(value, Outcome))


def _meant(value: str, words: type[Outcome | Start]) -> str:
    if value.endswith("%") or value in list(Named) or value[:1].isdigit():
        return f"write {{budget: {value}}}"
    guess = near(value, words)
    return did_you_mean(guess) if guess else f"write {listing(words)} or {{budget: 60%}}"


def starts(node: Node, names: Names, problems: Problems) -> dict[str, Start | Budget]:
    """How campaigns are when a test begins."""
    said = by_campaign(node, "`campaigns`", {"budget": ""}, names, problems)
    read = {name: _start(entry, name, names, problems) for name, entry in said.items()}
    return {name: start for name, start in read.items() if start is not None}


def _start(entry: Entry, campaign: str, names: Names, problems: Problems) -> Start | Budget | None:
    what = f"how {campaign} begins"
    if not isinstance(entry.value, Tree):
        return problems.attempt(_begins, entry.value, what, None)
    stated = {each.key: each.value for each in entry.value.entries}
    if set(stated) != {"budget"}:
        problems.add(entry.line, f"{what} is a word or a budget", f"write {listing(Start)} or {{budget: 60%}}")
        return None
    return problems.attempt(names.budget((campaign,)), stated["budget"], "`budget`", None)


def _begins(node: Node, what: str) -> Start:
    value = scalar(node, what, "running, paused or {budget: 60%}")
    if value in list(Start):
        return Start(value)
    raise FlawError(node, f"{what} cannot be {quoted(value)}", _meant(value, Start))

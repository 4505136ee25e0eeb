"""From a positioned tree to a `RuleSet`: the human first pass over a rule file.

A file is accepted whole or refused whole, with everything that is wrong with it and what to write instead. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import PurePosixPath

from service.core.errors import Problem
from service.core.model import Mode
from service.core.rules import vocabulary as words
from service.core.rules.currencies import DECIMALS
from service.core.rules.fields import Fields, FlawError, Parse, Problems, absent
from service.core.rules.language import CampaignEntry, Guardrails, RuleSet, SharedBudget
from service.core.rules.shape_campaigns import ACCOUNTS, Around, campaigns, google, meta, services
from service.core.rules.shape_guardrails import guardrails
from service.core.rules.shape_packs import Packs, packed, rules, together
from service.core.rules.shape_rules import Known
from service.core.rules.tree import Mapping, Node, quoted
from service.core.rules.values import listed, money, name, one_of, scalar, slug, text, version


def read(tree: Node, *, file: str, digest: str = "", known: Sequence[Problem] = (), packs: Packs | None = None) -> RuleSet:
    """The rule set a file states; `RuleFileError` with every problem, those already `known` among them.

    `file` is its path for messages; where it ends in `.yaml` the clinic's name must be the same as the file's. `packs` are
    those that it may list.
    """
    problems = Problems(file, known)
    if not isinstance(tree, Mapping):
        message = "the file is empty" if absent(tree) else "a rule file is a mapping of keys"
        problems.add(tree.line, message, "start with `version: 1`; rules/README.md shows a whole file")
        problems.refuse_if_any()
    found = _rule_set(Fields(tree, words.FILE, problems), file, digest, packs or {}, problems)
    problems.refuse_if_any()
    return found


def _rule_set(fields: Fields, file: str, digest: str, packs: Packs, problems: Problems) -> RuleSet:
    fields.read("version", version, "")
    currency = fields.read("currency", _currency, "")
    decimals = DECIMALS.get(currency, 2)
    changed = fields.node("guardrails")
    outer = guardrails(changed, Guardrails(), problems, campaign=False) if changed else Guardrails()
    sold = services(fields.node("services"), problems)
    accounts = frozenset(platform for platform, key in ACCOUNTS.items() if key in fields)
    names = None if sold is None else frozenset(sold)
    governed = campaigns(fields.node("campaigns"), Around(names, accounts, outer, money(decimals)), problems)
    notify = fields.read("notify", listed(name, "[marketing]"), None if "notify" in fields else ())
    daily_cap = fields.read("daily_cap", money(decimals), None)
    _check_cap(fields, daily_cap, (governed or {}).values())
    references = Known(names, governed, None if notify is None else frozenset(notify), decimals)
    own = rules(fields.node("rules"), references, problems)
    return RuleSet(
        clinic=fields.read("clinic", _clinic(file), ""),
        name=fields.read("name", text, ""),
        digest=digest,
        currency=currency,
        mode=fields.read("mode", one_of(Mode), Mode.WATCH),
        services=sold or {},
        campaigns=governed or {},
        rules=together(own, packed(fields, packs, references, problems)),
        guardrails=outer,
        google=google(fields.node("google_ads"), problems),
        meta=meta(fields.node("meta"), problems),
        notify=notify or (),
        daily_cap=daily_cap,
        monthly_cap=fields.read("monthly_cap", money(decimals), None),
    )


def _clinic(file: str) -> Parse[str]:
    path = PurePosixPath(file)
    stem = path.stem if path.suffix in {".yaml", ".yml"} else None

    def parse(node: Node, what: str) -> str:
        value = slug(node, what)
        if stem is not None and value != stem:
            raise FlawError(node, f"{what} is {quoted(value)} in a file named {quoted(path.name)}", "give both the same name")
        return value

    return parse


def _currency(node: Node, what: str) -> str:
    value = scalar(node, what, "AUD")
    if value not in DECIMALS:
        meant = value.upper() if value.upper() in DECIMALS else "an ISO 4217 code of three letters, like AUD"
        raise FlawError(node, f"{what} cannot be {quoted(value)}", f"write {meant}")
    return value


def _floors(governed: Iterable[CampaignEntry]) -> Iterator[Decimal]:
    """The floors of budgets that are certainly different ones: campaigns that may share one and are alike count once."""
    alike = set[tuple[Decimal, Decimal, Decimal]]()
    for entry in governed:
        budgets = (entry.base, entry.floor, entry.ceiling)
        if entry.shared_budget is SharedBudget.REFUSE or budgets not in alike:
            yield entry.floor
        if entry.shared_budget is SharedBudget.ALLOW:
            alike.add(budgets)


def _check_cap(fields: Fields, daily_cap: Decimal | None, governed: Iterable[CampaignEntry]) -> None:
    floors = sum(_floors(governed), Decimal(0))
    if daily_cap is not None and daily_cap < floors:
        fields.flaw("daily_cap", f"`daily_cap` is less than all floors together, {floors}", "raise it, or lower the floors")

"""Reading what is sold and what is governed: services, campaigns with their budgets, and the ad accounts. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from service.core.model import Platform
from service.core.rules import vocabulary as words
from service.core.rules.fields import Fields, FlawError, Parse, Problems, entries
from service.core.rules.language import CampaignEntry, GoogleAccount, Guardrails, MetaAccount, Service, SharedBudget
from service.core.rules.shape_guardrails import guardrails
from service.core.rules.shape_rules import reference
from service.core.rules.tree import Entry, Node, Scalar, quoted
from service.core.rules.values import AD_ACCOUNT_ID, CAMPAIGN_ID, CUSTOMER_ID, flag, listed, name, one_of, scalar, text

ACCOUNTS = {Platform.GOOGLE: "google_ads", Platform.META: "meta"}
NOTHING = Decimal(0)


# --- accounts -----------------------------------------------------------------------------------------------------------


def google(node: Node | None, problems: Problems) -> GoogleAccount | None:
    """The Google Ads account, its ids as digits."""
    if node is None:
        return None
    fields = Fields(node, words.GOOGLE_ADS, problems)
    return GoogleAccount(fields.read("customer_id", _customer_id, ""), fields.read("login_customer_id", _customer_id, None))


def _customer_id(node: Node, what: str) -> str:
    value = scalar(node, what, '"123-456-7890"')
    if not re.fullmatch(CUSTOMER_ID, value):
        raise FlawError(node, f"{what} cannot be {quoted(value)}", 'write ten digits, like "123-456-7890"')
    return value.replace("-", "")


def meta(node: Node | None, problems: Problems) -> MetaAccount | None:
    """The Meta ad account."""
    if node is None:
        return None
    return MetaAccount(Fields(node, words.META, problems).read("ad_account_id", _ad_account_id, ""))


def _ad_account_id(node: Node, what: str) -> str:
    value = scalar(node, what, "act_1029384756")
    if not re.fullmatch(AD_ACCOUNT_ID, value):
        advice = f"write act_{value}" if re.fullmatch(CAMPAIGN_ID, value) else "write act_ and digits, like act_1029384756"
        raise FlawError(node, f"{what} cannot be {quoted(value)}", advice)
    return value


# --- services -----------------------------------------------------------------------------------------------------------


def services(node: Node | None, problems: Problems) -> dict[str, Service] | None:
    """The services by name; None where nothing can be said about which there are."""
    found = _named(node, "services", problems)
    if node is not None and found == ():
        problems.add(node.line, "`services` names no service", "name at least one, with its `appointment_types`")
    return None if found is None else {entry.key: _service(entry, problems) for entry in found}


def _named(node: Node | None, what: str, problems: Problems) -> tuple[Entry, ...] | None:
    """The entries of a mapping by names of the file's choice, each name checked."""
    example = "a name, and its keys below it"
    found = None if node is None else problems.attempt(lambda n, w: entries(n, w, example), node, f"`{what}`", None)
    for entry in found or ():
        problems.attempt(name, Scalar(entry.key, entry.line, quoted=True), f"a name in `{what}`", "")
    return found


def _service(entry: Entry, problems: Problems) -> Service:
    fields = Fields(entry.value, words.SERVICE, problems)
    if "practitioners" in fields and "exclude_practitioners" in fields:
        fields.flaw("exclude_practitioners", "`practitioners` already says who counts", "take `exclude_practitioners` out")
    return Service(
        name=entry.key,
        appointment_types=fields.read("appointment_types", listed(text, "[Initial consultation]"), ()),
        locations=fields.read("locations", listed(text, "[City clinic]"), None),
        practitioners=fields.read("practitioners", listed(text, "[Ana Silva]"), None),
        exclude_practitioners=fields.read("exclude_practitioners", listed(text, "[Hydro pod]"), ()),
    )


# --- campaigns ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Around:
    """What the rest of the file means for a campaign. `services` None: unreadable, so any name goes."""

    services: frozenset[str] | None
    accounts: frozenset[Platform]
    guardrails: Guardrails
    amount: Parse[Decimal]


def campaigns(node: Node | None, around: Around, problems: Problems) -> dict[str, CampaignEntry] | None:
    """The campaigns by name; None where nothing can be said about which there are."""
    found = _named(node, "campaigns", problems)
    if found is None:
        return None
    read = {entry.key: _campaign(entry, around, problems) for entry in found}
    _check_ids([(entry.line, read[entry.key]) for entry in found], problems)
    return read


def _campaign(entry: Entry, around: Around, problems: Problems) -> CampaignEntry:
    """A campaign; one whose budgets cannot be read has a ceiling of 0, one without readable id an empty id."""
    fields = Fields(entry.value, words.CAMPAIGN, problems)
    platform = fields.read("platform", one_of(Platform), None)
    if platform and platform not in around.accounts:
        account = ACCOUNTS[platform]
        fields.flaw("platform", f"{entry.key} is on {platform}, and the file has no `{account}`", f"add `{account}:` above")
    floor, base, ceiling = (fields.read(key, around.amount, None) for key in ("floor", "base_budget", "ceiling"))
    _check_budgets(fields, floor, base, ceiling)
    own = fields.node("guardrails")
    return CampaignEntry(
        name=entry.key,
        platform=platform or Platform.GOOGLE,
        id=fields.read("id", _campaign_id, "") if platform else "",
        service=fields.read("service", reference(around.services, "service", "name one from `services:`"), ""),
        base=base or NOTHING,
        floor=floor or NOTHING,
        ceiling=ceiling or NOTHING,
        guardrails=guardrails(own, around.guardrails, problems, campaign=True) if own else around.guardrails,
        protect=fields.read("protect", flag, False),
        shared_budget=_shared_budget(fields, platform),
    )


def _shared_budget(fields: Fields, platform: Platform | None) -> SharedBudget:
    found = fields.read("shared_budget", one_of(SharedBudget), SharedBudget.REFUSE)
    if found is SharedBudget.ALLOW and platform is Platform.META:
        fields.flaw("shared_budget", "campaigns on meta never share a budget", "take `shared_budget` out")
    return found


def _campaign_id(node: Node, what: str) -> str:
    value = scalar(node, what, '"9876543210"')
    if not re.fullmatch(CAMPAIGN_ID, value):
        raise FlawError(node, f"{what} cannot be {quoted(value)}", 'write the platform\'s digits, like "9876543210"')
    return value


def _check_budgets(fields: Fields, floor: Decimal | None, base: Decimal | None, ceiling: Decimal | None) -> None:
    if floor is not None and base is not None and floor > base:
        fields.flaw("floor", f"the floor {floor} is above the base budget {base}", "write floor <= base_budget <= ceiling")
    if base is not None and ceiling is not None and base > ceiling:
        fields.flaw(
            "ceiling", f"the ceiling {ceiling} is below the base budget {base}", "write floor <= base_budget <= ceiling"
        )


def _check_ids(found: list[tuple[int, CampaignEntry]], problems: Problems) -> None:
    """A platform's campaign is governed under one name only, or two budgets would fight over it."""
    seen: dict[tuple[Platform, str], str] = {}
    for line, entry in found:
        first = seen.setdefault((entry.platform, entry.id), entry.name)
        if entry.id and first != entry.name:
            problems.add(
                line, f"{entry.name} is the same {entry.platform} campaign as {first}: {entry.id}", "take one of them out"
            )

"""The draft as the text of a rule file: a document for a marketing manager, and YAML that is safe for any name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from service.core.model import Platform
from service.core.onboarding.campaigns import DraftCampaign, LeftOut
from service.core.onboarding.services import DraftService
from service.core.rules.language import GoogleAccount, MetaAccount

PLATFORMS = {Platform.GOOGLE: "Google Ads", Platform.META: "Meta"}
PLAIN = re.compile(r"[^\W\d_]([^\W_]|[ '&/().+-](?! ))*(?<![ ])")
"""Text that needs no quotes: begins with a letter, and has nothing in it that YAML or a reader could take for syntax."""

WORDS_OF_YAML = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"})
COMMENT_AT = 34
"""The column at which comments beside short values begin."""

WIDEST_COMMENT = 118


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything a first rule file states."""

    clinic: str
    name: str
    currency: str
    made_on: date
    services: tuple[DraftService, ...]
    campaigns: tuple[DraftCampaign, ...]
    left_out: tuple[LeftOut, ...] = ()
    google: GoogleAccount | None = None
    meta: MetaAccount | None = None


def document(draft: Draft) -> str:
    """The text of the file."""
    parts = (_head(draft), _accounts(draft), _services(draft), _campaigns(draft), RULES)
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


# --- text in YAML -------------------------------------------------------------------------------------------------------


def scalar(text: str) -> str:
    """Text as one YAML value: bare where that is safe everywhere, else in double quotes."""
    if PLAIN.fullmatch(text) and text.isprintable() and text.casefold() not in WORDS_OF_YAML:
        return text
    return quoted(text)


def quoted(text: str) -> str:
    """Text in double quotes, whatever is in it."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def remark(text: str) -> str:
    """Text fit for a comment: on one line, nothing in it that a text file does not have."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(line.split())


def _comment(text: str, indent: int = 0) -> Iterator[str]:
    """A comment over as many lines as it takes."""
    line = ""
    for word in remark(text).split():
        if line and indent + len(line) + len(word) > WIDEST_COMMENT:
            yield f"{' ' * indent}# {line}"
            line = ""
        line = f"{line} {word}".strip()
    yield f"{' ' * indent}# {line}"


def _beside(line: str, text: str) -> str:
    return f"{line.ljust(COMMENT_AT)}# {text}" if text else line


# --- the parts of the file ----------------------------------------------------------------------------------------------


def _head(draft: Draft) -> list[str]:
    made = f"{draft.made_on:%d %B %Y}".lstrip("0")
    return [
        "# yaml-language-server: $schema=./schema.json",
        "#",
        *_comment(f"{draft.name}: what the governor may do with this clinic's ads, and when."),
        *_comment(
            f"Written by `governor init` on {made} from what Cliniko and the ad accounts hold. While `mode` is watch, "
            "nothing is changed: go through it once, and mend what is marked CHECK."
        ),
        *_comment(
            "rules/README.md explains every word. After an edit: `governor rules check`, then "
            f"`governor doctor {draft.clinic}`."
        ),
        "version: 1",
        _beside(f"clinic: {scalar(draft.clinic)}", "the same as the file's name; it also names the clinic's credentials"),
        _beside(f"name: {scalar(draft.name)}", "CHECK: as people write it"),
        _beside(f"currency: {draft.currency}", "every amount below; checked against the ad accounts"),
        _beside("mode: watch", "watch: only say · propose: ask first · enforce: act"),
    ]


def _accounts(draft: Draft) -> list[str]:
    lines = []
    if draft.google is not None:
        login = draft.google.login_customer_id
        manager = f", login_customer_id: {quoted(_dashed(login))}" if login else ""
        lines.append(f"google_ads: {{customer_id: {quoted(_dashed(draft.google.customer_id))}{manager}}}")
    if draft.meta is not None:
        lines.append(f"meta: {{ad_account_id: {draft.meta.ad_account_id}}}")
    return lines


def _dashed(id_: str) -> str:
    return f"{id_[:3]}-{id_[3:6]}-{id_[6:]}"


def _services(draft: Draft) -> list[str]:
    lines = [
        *_comment("What the ads sell, grouped by what the names of Cliniko's appointment types share."),
        *_comment("CHECK: the first appointment type of each is what a new patient books; openings are counted in it."),
        "services:",
    ]
    for service in draft.services:
        lines += [
            f"  {scalar(service.name)}:",
            "    appointment_types:",
            *(f"      - {scalar(name)}" for name in service.types),
        ]
        if service.excluded:
            lines.append("    exclude_practitioners:         # CHECK: equipment with a diary of its own?")
            lines += [f"      - {scalar(name)}  # {remark(why)}" for name, why in service.excluded]
        for name in service.doubtful:
            lines += _comment(f"CHECK: is {name} equipment? It counts as a practitioner, because there is nobody else.", 4)
    return lines


def _campaigns(draft: Draft) -> list[str]:
    lines = [
        *_comment(
            "The campaigns, under names of our own. Budgets are per day: `base_budget` is what each has now and means 100%; no "
            "rule ever goes below `floor` or above `ceiling`."
        ),
        *_comment("CHECK the limits: `floor` is a quarter of base and `ceiling` twice it, for want of anything better."),
        "campaigns:" if draft.campaigns else "campaigns: {}",
    ]
    for campaign, line in zip(draft.campaigns, _aligned(draft.campaigns), strict=True):
        lines += [*_comment(_about(campaign), 2), line]
    if draft.left_out:
        lines += ["", *_comment("Left out, because the governor cannot change them:")]
        lines += _left_out(draft.left_out)
    return lines


def _about(campaign: DraftCampaign) -> str:
    notes = [f"{PLATFORMS[campaign.platform]}: {remark(campaign.title) or 'without a name'}"]
    if not campaign.running:
        notes.append("CHECK: it is paused now, so the governor leaves it alone until it runs or is handed over")
    if campaign.guessed:
        notes.append("CHECK the service: nothing in its name says which, so this is the biggest")
    return ". ".join(notes)


def _aligned(campaigns: Sequence[DraftCampaign]) -> Iterator[str]:
    """One line per campaign, with the columns under each other."""
    rows = [
        (
            f"{scalar(each.name)}:",
            f"platform: {each.platform},",
            f"id: {quoted(each.id)},",
            f"service: {scalar(each.service)},",
            f"base_budget: {each.base},",
            f"floor: {each.floor},",
        )
        for each in campaigns
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, campaign in zip(rows, campaigns, strict=True):
        name, *cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {name} {{{' '.join(cells)} ceiling: {campaign.ceiling}}}"


def _left_out(campaigns: Iterable[LeftOut]) -> Iterator[str]:
    for each in campaigns:
        yield from _comment(f"- {PLATFORMS[each.platform]} {each.id} ({remark(each.title) or 'without a name'}): {each.reason}")


RULES = """\
# For each campaign the first rule that matches decides, by the diary of the campaign's own service. Where none matches: base
# budget, and running. These are a beginning; a rule with `service: ...` is about the campaigns of one service only.
rules:
  # Nothing to sell for days: stop paying for clicks. Once paused it stays paused until one of the lines under `until` holds.
  - name: Booked solid
    when: {utilisation: {at_least: 95%}, days_to_next_opening: {at_least: 3}}
    for: 2h
    until:
      any: [{utilisation: {below: 80%}}, {days_to_next_opening: {at_most: 1}}, {slots_opened: {at_least: 5}}]
    then: pause

  # Five or more openings that were not there yesterday, and at least five to fill within the week: spend more, soon.
  - name: Cancellation cluster
    when: {slots_opened: {at_least: 5, since: 24h}, open_slots: {at_least: 5, within: 7d}}
    stabilise: 2h                   # a raise usually waits for 24 hours of agreement; openings this near cannot
    then: {budget: 130%}

  # Otherwise go by how full the fortnight is. `margin`: a step is left only when utilisation has moved 16 points past
  # it: it moves by ten to fifteen within a week without anybody having cancelled.
  - name: Ladder
    bands:
      by: {metric: utilisation, within: 14d, margin: 16%}
      steps:
        - {at_least: 92%, budget: 50%}
        - {at_least: 80%, budget: 80%}
        - {at_least: 55%, budget: base}
        - {otherwise: 120%}""".splitlines()
"""The starter rules; percentages only, so that they hold in any currency."""

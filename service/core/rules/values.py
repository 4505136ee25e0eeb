"""From text to values: money, percentages, durations, counts, names.

Each parser knows the mistakes people make with its kind of value and says what to write instead. The patterns are the
ones the editor's schema uses. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NoReturn, TypeVar

from service.core.rules.currencies import DECIMALS
from service.core.rules.fields import FlawError, Parse, absent, did_you_mean, items, listing, near
from service.core.rules.tree import Node, Scalar, described, quoted

E = TypeVar("E", bound=StrEnum)

NUMBER = r"[0-9]{1,9}(\.[0-9]{1,4})?"
PERCENT = rf"{NUMBER}%"
HOURS = rf"{NUMBER}h"
WHOLE = r"[0-9]{1,9}"
MONEY = r"[0-9]{1,9}(\.[0-9]{1,2})?"
POSITIVE = rf"(?!0+(\.0+)?$){MONEY}"
GROUPED = r"[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]{1,2})?"
CURRENCY = rf"({'|'.join(DECIMALS)}|[A-Z]{{0,2}}¤)"
"""A code, or a sign (`¤` stands for any) with a country before it, as in `AU$`."""
FLAG = r"(true|True|TRUE|false|False|FALSE)"
DURATION = r"[0-9]{1,4}[hd]"
WITHIN = r"([1-9]|1[0-4])d"
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
NAME = r"[a-z0-9]+([-_][a-z0-9]+)*"
CLOCK = r"(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
CUSTOMER_ID = r"([0-9]{10}|[0-9]{3}-[0-9]{3}-[0-9]{4})"
AD_ACCOUNT_ID = r"act_[0-9]{1,20}"
CAMPAIGN_ID = r"[0-9]{1,20}"

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def scalar(node: Node, what: str, example: str) -> str:
    """The text of a single value, which has no outer blanks."""
    value = phrase(node, what, example)
    if isinstance(node, Scalar) and value != node.text:
        raise FlawError(node, f"{what} has blanks around it: {quoted(node.text)}", "take the blanks inside the quotes out")
    return value


def phrase(node: Node, what: str, example: str) -> str:
    """Words of a person's choice, outer blanks removed: names are pasted with blanks, and compared without."""
    if not isinstance(node, Scalar):
        raise FlawError(node, f"{what} is a single value, not {described(node)}", f"write {example}")
    if absent(node):
        raise FlawError(node, f"{what} has no value", f"write {example}, or take the line out")
    return node.text.strip()


def text(node: Node, what: str) -> str:
    """Words of a person's choice."""
    value = phrase(node, what, "a name")
    if not value or len(value) > 200 or any(unicodedata.category(char) in {"Cc", "Cs"} for char in value):
        raise FlawError(node, f"{what} is {quoted(value)}", "write 1 to 200 printable characters")
    return value


def slug(node: Node, what: str) -> str:
    """A clinic's short name."""
    return _matching(node, what, SLUG, "lower-case letters, digits and single hyphens, like harbour-physio")


def version(node: Node, what: str) -> str:
    """The version of the rule language."""
    value = scalar(node, what, "1")
    if value != "1":
        raise FlawError(node, f"{what} {quoted(value)} of the rule language is not known", "write 1")
    return value


def name(node: Node, what: str) -> str:
    """A name that can stand in a web address: of a service, campaign or channel."""
    return _matching(node, what, NAME, "lower-case letters and digits joined by single hyphens, like physio-search")


def _matching(node: Node, what: str, pattern: str, rule: str) -> str:
    value = scalar(node, what, rule)
    if len(value) > 63 or not re.fullmatch(pattern, value):
        suggestion = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63]
        advice = f"write {suggestion}" if suggestion and suggestion != value else f"write {rule}"
        raise FlawError(node, f"{what} cannot be {quoted(value)}: use {rule}", advice)
    return value


def one_of(words: type[E]) -> Parse[E]:
    """One of a few words."""

    def parse(node: Node, what: str) -> E:
        value = scalar(node, what, listing(words, "or"))
        if value not in list(words):
            guess = near(value, words)
            raise FlawError(
                node, f"{what} cannot be {quoted(value)}", did_you_mean(guess) if guess else f"write {listing(words, 'or')}"
            )
        return words(value)

    return parse


def flag(node: Node, what: str) -> bool:
    """`true` or `false` in one of YAML's spellings, and nothing that merely means it."""
    value = scalar(node, what, "true or false")
    if not re.fullmatch(FLAG, value):
        meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
        raise FlawError(
            node, f"{what} is true or false, not {quoted(value)}", f"write {meant.get(value.lower(), 'true or false')}"
        )
    return value.lower() == "true"


def listed(parse: Parse[str], example: str) -> Parse[tuple[str, ...]]:
    """A list of some kind of text, at least one and none twice (ignoring case)."""

    def parse_list(node: Node, what: str) -> tuple[str, ...]:
        found: dict[str, str] = {}
        for item in items(node, what, example):
            value = parse(item, what)
            if value.casefold() in found:
                raise FlawError(item, f"{what} lists {quoted(value)} twice", "take one of them out")
            found[value.casefold()] = value
        return tuple(found.values())

    return parse_list


def percent(lowest: int = 0, highest: int = 100) -> Parse[Decimal]:
    """A percentage between two limits, as the number before the sign."""

    def parse(node: Node, what: str) -> Decimal:
        value = scalar(node, what, "a percentage, like 95%")
        if not re.fullmatch(PERCENT, value):
            raise FlawError(node, f"{what} is a percentage", f"write {_as_percent(value, highest)}")
        number = Decimal(value.removesuffix("%"))
        if not lowest <= number <= highest:
            raise FlawError(node, f"{what} cannot be {value}", f"write a percentage from {lowest}% to {highest}%")
        return number

    return parse


def _as_percent(value: str, highest: int) -> str:
    bare = value.removesuffix("%").strip()
    if not re.fullmatch(NUMBER, bare):
        return "a number and a percent sign, like 95%"
    number = Decimal(bare)
    meant_as_fraction = 0 < number <= 1 and "." in bare
    return f"{plain(number * 100 if meant_as_fraction else number)}%" if number <= highest else "a percentage, like 95%"


def whole(lowest: int = 0, highest: int = 100_000) -> Parse[Decimal]:
    """A count between two limits."""

    def parse(node: Node, what: str) -> Decimal:
        value = scalar(node, what, "a whole number, like 5")
        if not re.fullmatch(WHOLE, value):
            bare = re.match(WHOLE, value)
            meant = bare and value.removeprefix(bare[0]) in {"%", "h", "d", ".0"}
            advice = f"write {bare[0]}" if bare and meant else f"write a whole number from {lowest} to {highest}"
            raise FlawError(node, f"{what} is a count, a whole number, and {quoted(value)} is not", advice)
        if not lowest <= int(value) <= highest:
            raise FlawError(node, f"{what} cannot be {value}", f"write a whole number from {lowest} to {highest}")
        return Decimal(value)

    return parse


def hours(node: Node, what: str) -> Decimal:
    """A number of hours, as the number before the `h`."""
    value = scalar(node, what, "hours, like 12h")
    if re.fullmatch(HOURS, value):
        return Decimal(value.removesuffix("h"))
    if re.fullmatch(NUMBER, value):
        raise FlawError(node, f"{what} is in hours", f"write {value}h")
    days = re.fullmatch(f"({NUMBER})d", value)
    raise FlawError(node, f"{what} is in hours", f"write {plain(Decimal(days[1]) * 24)}h" if days else "write hours, like 12h")


def duration(shortest: timedelta, longest: timedelta) -> Parse[timedelta]:
    """A stretch of whole hours or days between two limits, both allowed."""

    def parse(node: Node, what: str) -> timedelta:
        value = scalar(node, what, "a duration, like 2h or 7d")
        if not re.fullmatch(DURATION, value):
            _not_a_duration(node, what, value)
        length = int(value[:-1]) * (HOUR if value.endswith("h") else DAY)
        if not shortest <= length <= longest:
            raise FlawError(node, f"{what} cannot be {value}", f"write {_limits(shortest, longest)}")
        return length

    return parse


def _limits(shortest: timedelta, longest: timedelta) -> str:
    """In hours as far as people count in hours, like the handbook."""
    if longest <= 3 * DAY:
        return f"{shortest // HOUR}h to {longest // HOUR}h"
    return f"{written(shortest)} to {written(longest)}"


def _not_a_duration(node: Node, what: str, value: str) -> NoReturn:
    if re.fullmatch(r"[0-9]{1,4}", value):
        raise FlawError(node, f"{what} is a duration and {quoted(value)} has no unit", f"write {value}h or {value}d")
    raise FlawError(node, f"{what} is a duration, and {quoted(value)} is not", "write whole hours or days, like 2h or 7d")


def within(node: Node, what: str) -> int:
    """How many local days ahead, 1 to 14."""
    value = scalar(node, what, "days, like 14d")
    if not re.fullmatch(WITHIN, value):
        bare = re.fullmatch(r"([1-9]|1[0-4])(\s*days?)?", value)
        advice = f"write {bare[1]}d" if bare else "write days from 1d to 14d"
        raise FlawError(node, f"{what} is in days from 1d to 14d, and {quoted(value)} is not", advice)
    return int(value[:-1])


def money(decimals: int) -> Parse[Decimal]:
    """A positive amount with at most so many decimals, in the file's currency."""

    def parse(node: Node, what: str) -> Decimal:
        example = "60.00" if decimals else "6000"
        value = scalar(node, what, f"an amount, like {example}")
        if not re.fullmatch(NUMBER, value):
            meant = _meant(value, decimals) or f"a number without sign, currency or separators, like {example}"
            raise FlawError(node, f"{what} is an amount of money, and {quoted(value)} is not", f"write {meant}")
        amount = Decimal(value)
        if amount == 0:
            raise FlawError(node, f"{what} is 0", "write an amount above 0; to stop a campaign write `then: pause`")
        if len(value.partition(".")[2]) > decimals:
            meant = _rounded(value, decimals) or f"an amount like {example}"
            raise FlawError(node, f"{what} has more than {decimals} decimals", f"write {meant}")
        return amount

    return parse


def _meant(value: str, decimals: int) -> str | None:
    """The amount somebody meant who wrote more than digits; None where it could be another, which costs real money."""
    signs = "".join("¤" if unicodedata.category(char) == "Sc" else char for char in value)
    found = re.fullmatch(rf"({CURRENCY}\s*)?(?P<number>[0-9.,]+)(\s*{CURRENCY})?", signs)
    number = found["number"] if found else ""
    if re.fullmatch(GROUPED, number):
        number = number.replace(",", "")
    elif re.fullmatch(r"[0-9]{1,9},[0-9]{2}", number):
        number = number.replace(",", ".")
    fits = re.fullmatch(MONEY, number) and len(number.partition(".")[2]) <= decimals
    return number if fits and Decimal(number) else None


def _rounded(value: str, decimals: int) -> str | None:
    """Without the decimals too many; None where they could be thousands, as in `1.200`, or nothing would be left."""
    amount = Decimal(value).quantize(Decimal(1).scaleb(-decimals))
    return None if len(value.partition(".")[2]) == 3 or not amount else str(amount)


def minutes(node: Node, what: str) -> tuple[int, int]:
    """`07:00-20:00` as minutes after local midnight."""
    value = scalar(node, what, '"07:00-20:00"')
    if not re.fullmatch(f"{CLOCK}-{CLOCK}", value):
        raise FlawError(node, f"{what} is from-to, and {quoted(value)} is not", 'write four-digit times, like "07:00-20:00"')
    starts, ends = (int(clock[:2]) * 60 + int(clock[3:]) for clock in value.split("-"))
    if starts >= ends:
        raise FlawError(node, f"{what} ends before it starts", 'write hours of one day, like "07:00-20:00"')
    return starts, ends


def plain(number: Decimal) -> str:
    """A number without exponent or needless zeros."""
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"


def written(length: timedelta) -> str:
    """A duration as the file writes it."""
    return f"{length // DAY}d" if length and length % DAY == timedelta(0) else f"{length // HOUR}h"

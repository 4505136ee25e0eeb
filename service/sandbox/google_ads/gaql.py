"""The part of the Google Ads Query Language that the sandbox understands, as values; anything else is a QueryError. Pure.

`SELECT f, ... FROM r [WHERE c AND ...] [ORDER BY f [ASC|DESC], ...] [LIMIT n]`, the operators `= != < <= > >= IN NOT IN
BETWEEN DURING` (Google, "Google Ads Query Language grammar").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from service.sandbox.google_ads.refusals import refusal

TOKEN = re.compile(r"\s*(?:('[^']*'|\"[^\"]*\")|(!=|>=|<=|[=<>(),])|(-?[\w.]+))")
COMPARED = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
DURING = {"TODAY": (0, 0), "YESTERDAY": (1, 1), "LAST_7_DAYS": (7, 1), "LAST_14_DAYS": (14, 1), "LAST_30_DAYS": (30, 1)}
"""Days before today at which a named range begins and ends; LAST_n leaves today out."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`field op values`; the operators with one value have one."""

    field: str
    op: str
    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Whether a row's value satisfies it: numbers as numbers, times as times, everything else as text."""
        wanted = [_as(value, one) for one in self.values]
        if self.op in {"IN", "NOT IN"}:
            return (value in wanted) == (self.op == "IN")
        if self.op == "BETWEEN":
            return bool(wanted[0] <= value <= wanted[1])
        return bool(COMPARED[self.op](value, wanted[0]))

    def on(self, today: date) -> Condition:
        """With a named date range written out."""
        if self.op != "DURING":
            return self
        if self.values[0] not in {*DURING, "THIS_MONTH"}:
            raise refusal("query_error.INVALID_VALUE_WITH_DURING_OPERATOR", f"Unknown date range {self.values[0]}.")
        if self.values[0] == "THIS_MONTH":
            return Condition(self.field, "BETWEEN", (str(today.replace(day=1)), str(today)))
        first, last = (str(today - timedelta(days=days)) for days in DURING[self.values[0]])
        return Condition(self.field, "BETWEEN", (first, last))


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query; `order` pairs a field with whether it descends."""

    select: tuple[str, ...]
    resource: str
    where: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int | None


def parse(text: str) -> Query:
    """A query's parts. Raises Refusal with the QueryError the real service would give."""
    return _Parser(_tokens(text)).query()


def _as(value: Any, text: str) -> Any:
    if isinstance(value, bool):
        return text.upper() == "TRUE"
    if isinstance(value, int):
        if not text.lstrip("-").isdigit():
            raise refusal("query_error.BAD_NUMBER", f"Not a number: {text}.")
        return int(text)
    return moment(text) if isinstance(value, datetime) else text


def moment(text: str) -> datetime:
    """`2026-11-22`, `2026-11-22 08:00:00` or with decimals: a time on the account's wall clock."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise refusal("query_error.BAD_VALUE", f"Not a date or time: {text}.") from None


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = TOKEN.match(text, at)
        if match is None:
            raise refusal("query_error.BAD_SYMBOL", f"Unexpected symbol at {at}.")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def query(self) -> Query:
        self.expect("SELECT", "EXPECTED_SELECT")
        select = self.listed()
        self.expect("FROM", "EXPECTED_FROM")
        resource = self.take()
        where = self.conditions() if self.skip("WHERE") else ()
        order = self.orders() if self.skip("ORDER") else ()
        limit = self.limit() if self.skip("LIMIT") else None
        if self.tokens:
            raise refusal("query_error.UNEXPECTED_INPUT", f"Unexpected {self.tokens[0]}.")
        return Query(tuple(select), resource, where, order, limit)

    def take(self) -> str:
        if not self.tokens:
            raise refusal("query_error.UNEXPECTED_END_OF_QUERY", "The query ends too early.")
        return self.tokens.pop(0)

    def skip(self, word: str) -> bool:
        if self.tokens and self.tokens[0].upper() == word:
            self.tokens.pop(0)
            return True
        return False

    def expect(self, word: str, code: str) -> None:
        if not self.skip(word):
            raise refusal(f"query_error.{code}", f"Expected {word}.")

    def listed(self) -> list[str]:
        found = [self.take()]
        while self.skip(","):
            found.append(self.take())
        return found

    def value(self) -> str:
        return self.take().strip("'\"")

    def conditions(self) -> tuple[Condition, ...]:
        found = [self.condition()]
        while self.skip("AND"):
            found.append(self.condition())
        return tuple(found)

    def condition(self) -> Condition:
        field, op = self.take(), self.take().upper()
        if op == "NOT":
            self.expect("IN", "BAD_OPERATOR")
            op = "NOT IN"
        if op in {"IN", "NOT IN"}:
            self.expect("(", "EXPECTED_LIST")
            values = [one.strip("'\"") for one in self.listed()]
            self.expect(")", "EXPECTED_LIST")
            return Condition(field, op, tuple(values))
        if op == "BETWEEN":
            first = self.value()
            self.expect("AND", "EXPECTED_AND")
            return Condition(field, op, (first, self.value()))
        if op != "DURING" and op not in COMPARED:
            raise refusal("query_error.BAD_OPERATOR", f"Unknown operator {op}.")
        return Condition(field, op, (self.value(),))

    def orders(self) -> tuple[tuple[str, bool], ...]:
        self.expect("BY", "EXPECTED_BY")
        found = [self.ordered()]
        while self.skip(","):
            found.append(self.ordered())
        return tuple(found)

    def ordered(self) -> tuple[str, bool]:
        field = self.take()
        descending = self.skip("DESC")
        if not descending:
            self.skip("ASC")
        return field, descending

    def limit(self) -> int:
        text = self.take()
        if not text.isdigit():
            raise refusal("query_error.BAD_LIMIT_VALUE", f"Not a limit: {text}.")
        return int(text)

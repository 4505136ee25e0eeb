"""Records as files for others: NDJSON, which `tools/verify_ledger.py` reads, and CSV for spreadsheets. Pure.

CSV is RFC 4180 in UTF-8, a column for each part of a record, and says the same to the byte: nothing is put before a value to
keep a spreadsheet from taking it for a formula, because it would no longer be what was hashed. Nor is it needed: a chain is a
slug or begins with an underscore, a kind is one of ours, a text begins with a brace, and numbers, instants and hashes begin
with a digit or one of a to f.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from enum import StrEnum

from service.core.canonical import instant
from service.core.ledger import Record, export_line

COLUMNS = ("chain", "seq", "at", "kind", "text", "hash")


class Format(StrEnum):
    """What a file of records is."""

    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES = {Format.NDJSON: "application/x-ndjson", Format.CSV: "text/csv"}


def beginning(form: Format) -> bytes:
    """What such a file begins with."""
    return _csv([COLUMNS]) if form is Format.CSV else b""


def lines(form: Format, records: Iterable[Record]) -> bytes:
    """The lines of some records, each with its end."""
    if form is Format.CSV:
        return _csv((each.chain, each.seq, instant(each.at), each.kind, each.text, each.hash) for each in records)
    return "".join(f"{export_line(record)}\n" for record in records).encode()


def _csv(rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")

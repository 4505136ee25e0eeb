#!/usr/bin/env python3
"""Verify an exported ledger without the service that wrote it: Python 3.9 or later and nothing else.

The export is NDJSON, a record a line: {"chain", "seq", "at", "kind", "text", "hash"}. A record's hash is the SHA-256, in hex,
of the previous record's hash in hex followed by `text` in UTF-8; before the first come 64 zeros. Prints a line a chain. Exit
status 0: all hold; 1: the first broken record of each that does not is named; 2: the arguments are wrong, or no record given.
"""

import argparse
import hashlib
import json
import sys
from typing import Any


def _noted(argument: str) -> tuple[str, int, str]:
    chain, seq, digest = argument.replace("=", ":").split(":")
    return chain, int(seq), digest


def fault(record: dict[str, Any], seq: int, prev_hash: str) -> str:
    """What is wrong with a record that should be number `seq` and follow `prev_hash`; nothing: an empty text."""
    if type(record["seq"]) is not int or record["seq"] != seq:
        return f"#{record['seq']}: comes again, or out of order" if record["seq"] < seq else f"#{seq}: the record is missing"
    if hashlib.sha256((prev_hash + record["text"]).encode("utf-8", "surrogatepass")).hexdigest() != record["hash"]:
        return f"#{seq}: the text is not what was hashed, or the record before is not the one it was linked to"
    said = json.loads(record["text"])
    wrong = [name for name in ("at", "chain", "kind", "seq") if said[name] != record[name]]
    return f"#{seq}: the text does not belong to this {' or '.join(wrong)}" if wrong else ""


def verify(lines: Any, heads: set[tuple[str, int, str]], ends: dict[str, tuple[int, str]]) -> dict[str, str]:
    """The first fault of each chain that has one; `ends` is where the chains begin, and afterwards how far they hold."""
    faults: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            chain, (seq, prev_hash) = record["chain"].encode().decode(), ends.get(record["chain"], (0, "0" * 64))
            found = "" if chain in faults else fault(record, seq + 1, prev_hash)
            ends[chain] = (record["seq"], record["hash"])
            heads.discard((chain, *ends[chain]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            chain, found = f"line {number}", "is not a record"
        faults.update({chain: found} if found else {})
    return {**{chain: f"#{seq}: the record noted as the head is missing, or another" for chain, seq, _ in heads}, **faults}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Verify an exported ledger.")
    parser.add_argument("export", type=argparse.FileType(), help="NDJSON, archives first; - for standard input")
    parser.add_argument("--head", type=_noted, action="append", default=[], metavar="CHAIN=SEQ:HASH", help="must lead there")
    parser.add_argument("--after", type=_noted, action="append", default=[], metavar="CHAIN=SEQ:HASH", help="what it follows")
    given = parser.parse_args()
    given.export.reconfigure(encoding="utf-8", errors="replace")  # whatever the terminal's is
    began = {chain: (seq, digest) for chain, seq, digest in given.after}
    faults = verify(given.export, set(given.head), ends := dict(began))
    held = [f"ok {chain}={seq}:{digest}" for chain, (seq, digest) in ends.items() if chain not in faults]
    print("\n".join([f"BROKEN {chain} {each}" for chain, each in faults.items()] + held))  # noqa: T201 - a command line prints
    sys.exit(1 if faults else 2 if ends == began else 0)

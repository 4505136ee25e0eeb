from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.core.ledger import GENESIS, Head, Kind, Record, canonical, export_line, link, verify, write
from service.core.model import Mode, State

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
VERIFIER = Path(__file__).parents[2] / "tools" / "verify_ledger.py"


@dataclass(frozen=True, slots=True)
class Pair:
    b: object
    a: object


class Size(IntEnum):
    LARGE = 3


class Mixed(str, Enum):  # noqa: UP042 - the older spelling, which str() reads otherwise
    ONE = "one"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, 2]}, '{"a":[1,2],"b":1}'),
        (Pair(1, (2, 3)), '{"a":[2,3],"b":1}'),
        ("Zoë – ☃", '"Zoë – ☃"'),
        ('a"\\\n\u0000', '"a\\"\\\\\\n\\u0000"'),
        ("half \ud83d", '"half ?"'),
        (Decimal("60.00"), '"60.00"'),
        (Decimal("1E+3"), '"1000"'),
        (Decimal("1E-7"), '"0.0000001"'),
        (Decimal("Infinity"), "null"),
        (AT, '"2026-11-22T08:00:00Z"'),
        (AT.replace(microsecond=500), '"2026-11-22T08:00:00.000500Z"'),
        (AT.astimezone(ZoneInfo("Australia/Sydney")), '"2026-11-22T08:00:00Z"'),
        (AT.astimezone(timezone(timedelta(hours=-3))), '"2026-11-22T08:00:00Z"'),
        (date(2026, 11, 22), '"2026-11-22"'),
        (Mode.ENFORCE, '"enforce"'),
        (Size.LARGE, "3"),
        (Mixed.ONE, '"one"'),
        ({Mode.WATCH: Mixed.ONE}, '{"watch":"one"}'),
        (timedelta(0), '"PT0S"'),
        (timedelta(days=7), '"P7D"'),
        (timedelta(hours=26, minutes=5), '"P1DT2H5M"'),
        (timedelta(seconds=0.25), '"PT0.25S"'),
        (-timedelta(hours=2), '"-PT2H"'),
        (math.inf, "null"),
        (-math.inf, "null"),
        (math.nan, "null"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (True, "true"),
        (None, "null"),
    ],
    ids=repr,
)
def test_a_value_has_one_text(value: object, text: str) -> None:
    assert canonical(value) == text
    json.loads(text)


@pytest.mark.parametrize("value", [object(), {1, 2}, b"raw", {1: "a"}, Pair], ids=lambda value: type(value).__name__)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical(value)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        canonical(datetime(2026, 11, 22, 8, 0))  # noqa: DTZ001 - the point


@given(st.timedeltas())
def test_a_duration_reads_back_as_itself(value: timedelta) -> None:
    assert TypeAdapter(timedelta).validate_json(canonical(value)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_the_text_of_plain_json_says_the_same(value: object) -> None:
    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)


# --- records ------------------------------------------------------------------------------------------------------------


def chain_of(count: int, name: str = "harbour-physio", after: Head | None = None) -> list[Record]:
    head, records = after or Head(), list[Record]()
    for n in range(count):
        record = write(name, head, Kind.DECISION, {"n": n, "state": State(running=True, budget=Decimal("60.00"))}, AT)
        head = Head(record.seq, record.hash)
        records.append(record)
    return records


def test_a_record_says_where_it_is_from_and_hashes_to_what_the_design_says() -> None:
    record = write("_system", Head(), Kind.KEY_CREATED, {"key": "k"}, AT)
    assert record.text == '{"at":"2026-11-22T08:00:00Z","chain":"_system","key":"k","kind":"key.created","seq":1}'
    assert (
        record.hash == "db76c5f1c260c70dc99d7e201ef3a2446b5fbcc26d79b810531087b07b964c8e"
    )  # printf '%064d%s' 0 TEXT | sha256sum
    assert record.hash == link(GENESIS, record.text)
    assert record.body == {"key": "k"}


def test_a_body_cannot_claim_another_place() -> None:
    with pytest.raises(ValueError, match="seq"):
        write("_system", Head(), Kind.HOLD, {"seq": 9}, AT)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_whole_chain_holds_and_ends_at_its_head(count: int) -> None:
    records = chain_of(count)
    found = verify(records, known=Head(count, records[-1].hash) if records else None)
    assert found.ok
    assert found.count == count
    assert found.head == (Head(count, records[-1].hash) if records else Head())


def altered(text: str) -> str:
    return text.replace('"60.00"', '"61.00"')


def swapped(records: list[Record]) -> list[Record]:
    return [*records[:2], records[3], records[2], *records[4:]]


def rewritten(records: list[Record]) -> list[Record]:
    head, redone = Head(2, records[1].hash), records[:2]
    for each in records[2:]:
        body = each.body | {"n": 99}
        redone.append(write(each.chain, head, Kind.DECISION, body, AT))
        head = Head(redone[-1].seq, redone[-1].hash)
    return redone


def with_third(**changes: object) -> Callable[[list[Record]], list[Record]]:
    return lambda records: [*records[:2], replace(records[2], **changes), *records[3:]]  # type: ignore[arg-type] # any field


DAMAGE: dict[str, tuple[Callable[[list[Record]], list[Record]], int]] = {
    "text altered": (lambda r: [*r[:2], replace(r[2], text=altered(r[2].text)), *r[3:]], 3),
    "text no longer JSON": (with_third(text="{"), 3),
    "hash altered": (with_third(hash="f" * 64), 3),
    "kind altered": (with_third(kind="hold"), 3),
    "time altered": (with_third(at=AT + timedelta(seconds=1)), 3),
    "chain altered": (with_third(chain="northside-allied"), 3),
    "first missing": (lambda r: r[1:], 1),
    "one missing": (lambda r: [*r[:2], *r[3:]], 3),
    "last missing": (lambda r: r[:-1], 5),
    "all missing": (lambda r: r[:0], 1),
    "reordered": (swapped, 3),
    "doubled": (lambda r: [*r[:3], r[2], *r[3:]], 3),
    "rewritten from the third on": (rewritten, 5),
}


@pytest.mark.parametrize(("damage", "seq"), DAMAGE.values(), ids=DAMAGE)
def test_the_first_broken_record_is_named(damage: Callable[[list[Record]], list[Record]], seq: int) -> None:
    records = chain_of(5)
    found = verify(damage(records), known=Head(5, records[-1].hash))
    assert found.broken
    assert found.broken.seq == seq


def test_a_chain_may_grow_beyond_a_known_head() -> None:
    records = chain_of(5)
    assert verify(records, known=Head(3, records[2].hash)).ok


def test_a_segment_is_checked_from_the_record_it_follows() -> None:
    records = chain_of(5)
    assert verify(records[2:], after=Head(2, records[1].hash)).head.seq == 5
    assert verify(records[2:], after=Head(2, "0" * 64)).broken


# --- the stand-alone verifier -------------------------------------------------------------------------------------------


def run_verifier(tmp_path: Path, lines: list[str], *options: str) -> tuple[int, str]:
    export = tmp_path / "export.ndjson"
    export.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-I", VERIFIER, export, *options], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_the_verifier_is_short_and_needs_nothing() -> None:
    source = VERIFIER.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 60
    assert "service." not in source


def test_the_verifier_passes_interleaved_whole_chains(tmp_path: Path) -> None:
    one, other = chain_of(3), chain_of(3, "_system")
    lines = [export_line(record) for pair in zip(one, other, strict=True) for record in pair]
    code, said = run_verifier(tmp_path, lines, f"--head=_system=2:{other[1].hash}")
    assert code == 0, said
    assert f"ok harbour-physio=3:{one[-1].hash}" in said


@pytest.mark.parametrize(("damage", "seq"), DAMAGE.values(), ids=DAMAGE)
def test_the_verifier_names_the_same_record(damage: Callable[[list[Record]], list[Record]], seq: int, tmp_path: Path) -> None:
    records = chain_of(5)
    code, said = run_verifier(tmp_path, list(map(export_line, damage(records))), f"--head=harbour-physio=5:{records[-1].hash}")
    assert code == 1
    assert f"BROKEN harbour-physio #{seq if damage(records) else 5}: " in said
    assert "Traceback" not in said


def test_the_verifier_accepts_a_segment_after_a_noted_record(tmp_path: Path) -> None:
    records = chain_of(5)
    lines = list(map(export_line, records[2:]))
    assert run_verifier(tmp_path, lines, f"--after=harbour-physio=2:{records[1].hash}")[0] == 0
    assert run_verifier(tmp_path, lines)[0] == 1


@pytest.mark.parametrize(("line", "code"), [("not JSON", 1), ("[]", 1), ('{"chain":"a"}', 1)])
def test_the_verifier_is_not_upset_by_what_is_no_record(line: str, code: int, tmp_path: Path) -> None:
    found, said = run_verifier(tmp_path, [line])
    assert found == code
    assert "Traceback" not in said


def test_an_empty_export_verifies_nothing(tmp_path: Path) -> None:
    assert run_verifier(tmp_path, [])[0] == 2

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
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from service.core.canonical import canonical
from service.core.ledger import GENESIS, Checkpoint, Head, Kind, Record, export_line, exported, kept, link, write
from service.core.model import Mode, State
from service.core.verification import Checking, verify

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


@given(st.integers(1, 4), st.sampled_from(["text", "hash", "kind", "chain"]), st.data())
def test_any_character_changed_in_any_record_is_noticed_there(seq: int, field: str, data: st.DataObject) -> None:
    records = chain_of(4)
    said: str = getattr(records[seq - 1], field)
    place = data.draw(st.integers(0, len(said) - 1))
    other = data.draw(st.characters(exclude_characters=said[place]))
    changed: dict[str, Any] = {field: said[:place] + other + said[place + 1 :]}
    records[seq - 1] = replace(records[seq - 1], **changed)
    found = verify(records).broken
    assert found
    assert found.seq == seq


@pytest.mark.parametrize(
    "text", ["{", "[]", '"x"', "7", "", "{}", '{"at":1,"chain":2,"kind":3,"seq":"1"}', "[" * 5000], ids=len
)
def test_a_text_that_is_no_record_is_named_even_if_it_is_what_was_hashed(text: str) -> None:
    [record] = chain_of(1)
    found = verify([replace(record, text=text, hash=link(GENESIS, text))])
    assert found.broken
    assert found.broken.seq == 1
    assert "the text" in found.broken.problem


@given(st.text(st.characters(exclude_categories=[])), st.datetimes(timezones=st.timezones()))
def test_a_line_of_an_export_is_the_records_canonical_text(said: str, at: datetime) -> None:
    record = Record("a", 7, at, said[:3], said, said[3:])
    assert export_line(record) == canonical(record)


def test_a_record_comes_out_of_its_line_as_it_is_kept() -> None:
    for record in [*chain_of(3, "_system"), replace(chain_of(1)[0], at=AT.replace(microsecond=500))]:
        assert exported(export_line(record).encode()) == kept(record)


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", '{"chain":"a","seq":"1","at":"","kind":"","text":"","hash":""}'])
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="valid"):
        exported(line.encode())


# --- the rest of a chain ------------------------------------------------------------------------------------------------


def cut(records: list[Record], seq: int) -> Checkpoint:
    last = records[seq - 1]
    return Checkpoint(last.chain, seq, last.hash, 1, "old.ndjson", "f" * 64, AT, "ana")


def told(records: list[Record], checkpoint: Checkpoint) -> list[Record]:
    """The chain with the record of a checkpoint, and one more."""
    for kind, body in ((Kind.CHECKPOINT, checkpoint.body), (Kind.PLAN, {})):
        head = Head(records[-1].seq, records[-1].hash)
        records = [*records, write(records[0].chain, head, kind, body, AT)]
    return records


def checked(records: list[Record], *checkpoints: Checkpoint, known: Head | None = None) -> Checking:
    checking = Checking(records[0].chain, known=known, checkpoints=checkpoints)
    for record in records:
        checking.add(kept(record))
    return checking


def test_the_rest_of_a_chain_holds_if_it_follows_the_checkpoint_and_tells_of_it() -> None:
    records = chain_of(5)
    checkpoint = cut(records, 3)
    rest = told(records, checkpoint)[3:]
    found = checked(rest, checkpoint).result()
    assert (found.broken, found.count, found.head.seq, found.after) == (None, 4, 7, checkpoint.head)
    for other in (replace(checkpoint, file="x"), replace(checkpoint, at=AT + timedelta(seconds=1)), cut(records, 2)):
        assert checked(rest, other).result().broken
    assert checked(rest[:2], checkpoint).result().broken
    assert checked(rest[1:], checkpoint).result().broken


def test_a_record_that_tells_of_a_checkpoint_nobody_set_is_named() -> None:
    records = told(chain_of(5), cut(chain_of(5), 3))
    found = checked(records).result()
    assert (found.broken and found.broken.seq) == 6
    assert verify(records).ok  # where there is no other word for it


@pytest.mark.parametrize(
    ("seq", "forged", "holds"), [(2, False, False), (3, False, True), (3, True, False), (4, False, True), (9, False, False)]
)
def test_a_known_head_counts_from_the_checkpoint_on(seq: int, *, forged: bool, holds: bool) -> None:
    records = chain_of(9)
    checkpoint = cut(records, 3)
    rest = told(records[:5], checkpoint)[3:]
    known = Head(seq, "0" * 64 if forged else records[seq - 1].hash)
    assert checked(rest, checkpoint, known=known).result().ok is holds


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


NO_RECORDS = {
    "no JSON": "not JSON",
    "a list": "[]",
    "only a chain": '{"chain":"a"}',
    "too deep": "[" * 100_000,
    "a chain named by half a character": '{"chain":"\\ud800","seq":1,"text":"","hash":""}',
}


@pytest.mark.parametrize("line", NO_RECORDS.values(), ids=NO_RECORDS)
def test_the_verifier_is_not_upset_by_what_is_no_record(line: str, tmp_path: Path) -> None:
    found, said = run_verifier(tmp_path, [line])
    assert (found, said.startswith("BROKEN line 1 is not a record")) == (1, True)
    assert "Traceback" not in said


def test_the_verifier_tells_half_a_character_from_a_question_mark(tmp_path: Path) -> None:
    line = export_line(write("_system", Head(), Kind.PLAN, {"why": "really?"}, AT))
    assert run_verifier(tmp_path, [line])[0] == 0
    code, said = run_verifier(tmp_path, [line.replace("?", r"\ud800")])
    assert (code, said.startswith("BROKEN _system #1: ")) == (1, True), said


@pytest.mark.parametrize("number", ["true", "1.0", '"1"', "null", "NaN"])
def test_the_verifier_takes_only_a_whole_number_for_one(number: str, tmp_path: Path) -> None:
    line = export_line(write("_system", Head(), Kind.PLAN, {}, AT))
    code, said = run_verifier(tmp_path, [line.replace('"seq":1,', f'"seq":{number},')])
    assert (code, said.startswith("BROKEN ")) == (1, True), said


def test_an_empty_export_verifies_nothing(tmp_path: Path) -> None:
    assert run_verifier(tmp_path, [])[0] == 2
    assert run_verifier(tmp_path, [], f"--after=harbour-physio=2:{'0' * 64}")[0] == 2


def test_the_verifier_takes_an_archive_and_the_rest_together_or_the_rest_by_itself() -> None:
    records = chain_of(5)
    records = told(records, cut(records, 3))
    noted = f"--head=harbour-physio=2:{records[1].hash}"
    archive, rest = ([f"{export_line(record)}\n" for record in part] for part in (records[:3], records[3:]))
    command = [sys.executable, "-I", str(VERIFIER), "-"]

    def run(lines: list[str], *options: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([*command, *options], input="".join(lines).encode(), capture_output=True, check=False)  # noqa: S603 - our own script

    assert run(archive + rest, noted).returncode == 0
    assert run(rest, f"--after=harbour-physio=3:{records[2].hash}").returncode == 0
    assert run(rest).returncode == 1
    assert run(rest, f"--after=harbour-physio=3:{records[1].hash}").returncode == 1
    assert run(archive[:2] + rest, noted).returncode == 1


def test_the_verifier_reads_utf_8_whatever_the_terminal_speaks() -> None:
    record = write("_system", Head(), Kind.PLAN, {"name": "Zoë ☃"}, AT)
    command = [sys.executable, str(VERIFIER), "-"]
    done = subprocess.run(  # noqa: S603 - our own script
        command, input=export_line(record).encode(), capture_output=True, check=False, env={"PYTHONIOENCODING": "latin-1"}
    )
    assert done.returncode == 0, done.stdout

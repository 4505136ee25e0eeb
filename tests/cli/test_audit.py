"""`governor audit` as a person meets it: files, heads, keys and archives."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from service.signing import Signer
from tests.cli.called import governor
from tests.core.test_ledger import VERIFIER
from tests.support import RULES

SEED = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose database has three chains: keys, and a run without credentials of each clinic."""
    folder = tmp_path_factory.mktemp("recorded")
    governor("keys", "create", "agency", "--every-clinic", cwd=folder)
    governor("evaluate", cwd=folder, GOVERNOR_RULES_DIR=str(RULES))
    return folder


@pytest.fixture
def folder(recorded: Path, tmp_path: Path) -> Path:
    for file in recorded.glob("governor.db*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def verified(*files: Path, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[bytes]:
    exported = b"".join(file.read_bytes() for file in files)
    return subprocess.run([sys.executable, str(VERIFIER), "-", *options], input=exported, capture_output=True, check=False)  # noqa: S603 - our own


def test_an_export_goes_to_a_new_file_or_to_standard_output_and_is_the_same(folder: Path) -> None:
    file = folder / "all.ndjson"
    assert governor("audit", "export", "--output", str(file), cwd=folder).returncode == 0
    assert file.read_text("utf-8") == governor("audit", "export", cwd=folder).stdout
    assert verified(file).returncode == 0
    again = governor("audit", "export", "--output", str(file), cwd=folder)
    assert (again.returncode, "exists: name a new file" in again.stderr) == (2, True)


def test_an_export_is_narrowed_by_chain_and_time(folder: Path) -> None:
    lines = governor("audit", "export", "--chain", "harbour-physio", cwd=folder).stdout.splitlines()
    assert {json.loads(line)["chain"] for line in lines} == {"harbour-physio"}
    first = json.loads(lines[0])["at"]
    for options, count in (
        (["--since", first], len(lines)),
        (["--before", first], 0),
        (["--since", "2000-01-01"], len(lines)),
        (["--before", "2000-01-01T00:00:00+10:00"], 0),
    ):
        found = governor("audit", "export", "--chain", "harbour-physio", *options, cwd=folder)
        assert len(found.stdout.splitlines()) == count


def test_an_export_as_csv_has_a_header_and_a_row_for_each_line(folder: Path) -> None:
    csv = governor("audit", "export", "--format", "csv", cwd=folder).stdout
    assert csv.startswith("chain,seq,at,kind,text,hash")
    assert len(csv.splitlines()) == len(governor("audit", "export", cwd=folder).stdout.splitlines()) + 1


BAD = {
    "a word for a day": (["export", "--since", "yesterday"], "no date"),
    "a wall-clock time": (["export", "--before", "2026-01-01T08:00"], "UTC offset"),
    "an instant before the calendar": (["export", "--since", "0001-01-01T00:00:00+14:00"], "no date"),
    "a format that there is not": (["export", "--format", "xml"], "'ndjson', 'csv'"),
    "a file in no folder": (["export", "--output", "no/such/file"], "cannot be written"),
    "an archive of nobody": (["archive", "--before", "2026-01-01", "--to", "x", "--chain", "nope"], "no chain 'nope'"),
    "an archive without a day": (["archive", "--to", "x"], "--before"),
    "an archive without a file": (["archive", "--before", "2026-01-01"], "--to"),
    "a head of nobody": (["head", "--chain", "nope"], "no chain 'nope'"),
    "a key where there is none": (["key"], "set GOVERNOR_AUDIT_SIGNING_KEY"),
}


@pytest.mark.parametrize(("args", "says"), BAD.values(), ids=BAD)
def test_a_bad_call_says_what_is_wrong(folder: Path, args: list[str], says: str) -> None:
    result = governor("audit", *args, cwd=folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert "Traceback" not in result.stderr


def test_a_head_that_was_noted_down_is_what_the_verifier_takes(folder: Path) -> None:
    heads = governor("audit", "head", cwd=folder).stdout.splitlines()
    file = folder / "all.ndjson"
    governor("audit", "export", "--output", str(file), cwd=folder)
    assert len(heads) == 3
    assert verified(file, options=tuple(f"--head={head}" for head in heads)).returncode == 0
    forged = heads[0][:-1] + ("0" if heads[0][-1] != "0" else "1")
    assert verified(file, options=(f"--head={forged}",)).returncode == 1


def test_heads_are_signed_with_the_key_that_is_handed_over(folder: Path) -> None:
    shown = governor("audit", "key", cwd=folder, GOVERNOR_AUDIT_SIGNING_KEY=SEED)
    signer = Signer.of(SEED)
    assert (shown.stdout, shown.stderr) == (signer.public_key, f"key id: {signer.key_id}\n")
    said = governor("audit", "head", "--json", "--chain", "_system", cwd=folder, GOVERNOR_AUDIT_SIGNING_KEY=SEED)
    [item] = json.loads(said.stdout)["items"]
    assert item["signed"]["public_key"] == shown.stdout
    assert json.loads(item["signed"]["text"])["hash"] == item["hash"]
    assert SEED not in said.stdout + said.stderr
    unsigned = json.loads(governor("audit", "head", "--json", cwd=folder).stdout)["items"]
    assert [each["signed"] for each in unsigned] == [None] * 3


def test_an_archive_and_the_rest_verify_together_and_the_same_call_again_takes_no_more(folder: Path) -> None:
    old, rest = folder / "old.ndjson", folder / "rest.ndjson"
    call = ["audit", "archive", "--before", "2999-01-01", "--to", str(old)]
    made = governor(*call, cwd=folder)
    assert made.returncode == 0, made.stderr
    followed = [line.rpartition(" ")[2] for line in made.stdout.splitlines() if "the rest follows" in line]
    governor("audit", "export", "--output", str(rest), cwd=folder)
    assert verified(old, rest).returncode == 0
    assert verified(rest).returncode == 1
    assert verified(rest, options=tuple(f"--after={each}" for each in followed)).returncode == 0
    again = governor(*call, cwd=folder)
    assert (again.returncode, "is a finished archive" in again.stdout) == (0, True)
    checked = governor("audit", "verify", cwd=folder)
    assert (checked.returncode, checked.stdout.count("after record")) == (0, len(followed))
    assert "nothing to archive" in governor("audit", "archive", "--before", "2000-01-01", "--to", "x", cwd=folder).stdout

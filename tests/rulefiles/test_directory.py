from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import InputError, NotFoundError, RuleFileError
from service.rulefiles.directory import RuleDirectory
from tests.rulefiles.mistakes import HARBOUR, RULES


def test_the_shipped_directory_has_two_clinics() -> None:
    assert RuleDirectory(RULES).clinics() == ["harbour-physio", "northside-allied"]


def test_a_loaded_file_carries_its_text_and_the_digest_of_its_bytes() -> None:
    loaded = RuleDirectory(str(RULES)).load("harbour-physio")
    assert loaded.text.encode() == (RULES / "harbour-physio.yaml").read_bytes()
    assert loaded.digest == loaded.rules.digest == hashlib.sha256((RULES / "harbour-physio.yaml").read_bytes()).hexdigest()


def test_the_digest_is_of_the_bytes_however_lines_end(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + HARBOUR.replace("\n", "\r\n").encode()
    (tmp_path / "harbour-physio.yaml").write_bytes(data)
    loaded = RuleDirectory(tmp_path).load("harbour-physio")
    assert loaded.digest == loaded.rules.digest == hashlib.sha256(data).hexdigest()
    assert loaded.text.encode() == data


def test_tests_packs_the_schema_and_hidden_files_are_no_clinics(tmp_path: Path) -> None:
    for name in ("a.yaml", "a.test.yaml", "schema.json", ".b.yaml", "README.md", "c.yml"):
        (tmp_path / name).write_text("")
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "holidays.yaml").write_text("")
    (tmp_path / "d.yaml").mkdir()
    assert RuleDirectory(tmp_path).clinics() == ["a"]


def test_a_file_saved_half_way_is_refused_and_whole_again_loads(tmp_path: Path) -> None:
    file = tmp_path / "harbour-physio.yaml"
    directory = RuleDirectory(tmp_path)
    file.write_text(HARBOUR[: HARBOUR.index("{utilisation")], "utf-8")
    with pytest.raises(RuleFileError):
        directory.load("harbour-physio")
    file.write_text(HARBOUR, "utf-8")
    assert directory.load("harbour-physio").rules.clinic == "harbour-physio"


def test_a_problem_names_the_file_as_it_was_found(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(b"\xff")
    with pytest.raises(RuleFileError) as refused:
        RuleDirectory(tmp_path).load("x")
    assert str(refused.value).startswith(f"{file}:1: ")


@pytest.mark.parametrize("clinic", ["nobody", "../rules/harbour-physio", "Harbour-Physio", "", "harbour-physio.test", "a\n"])
def test_a_clinic_without_a_file_does_not_exist(clinic: str) -> None:
    with pytest.raises(NotFoundError, match="there is no clinic"):
        RuleDirectory(RULES).load(clinic)


def test_a_file_with_the_wrong_ending_is_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(HARBOUR)
    with pytest.raises(NotFoundError, match=r"rename a\.yml to a\.yaml"):
        RuleDirectory(tmp_path).load("a")


def test_a_missing_directory_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        RuleDirectory(tmp_path / "rules").clinics()


def test_an_unreadable_file_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(InputError, match=r"a\.yaml cannot be read: Is a directory"):
        RuleDirectory(tmp_path).load("a")


def test_a_look_tells_for_how_long_a_file_and_its_packs_have_read_the_same(tmp_path: Path) -> None:
    file, pack = tmp_path / "a.yaml", tmp_path / "packs" / "p.yaml"
    pack.parent.mkdir()
    for written in (file, pack):
        written.write_text("one", "utf-8")
    directory = RuleDirectory(tmp_path)
    for written in (file, pack):
        written.write_text("two", "utf-8")
        source, stood = directory.look("a")
        assert stood == timedelta(0)
        again, stood = directory.look("a")
        assert (again, stood > timedelta(0)) == (source, True)
    file.unlink()
    with pytest.raises(NotFoundError):
        directory.look("a")
    file.write_text("two", "utf-8")
    assert directory.look("a")[1] == timedelta(0)

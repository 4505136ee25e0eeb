"""Rule files in a ConfigMap as Kubernetes mounts it, and in git-sync's work trees: links that are swapped under the reader."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from service.core.errors import InputError, NotFoundError
from service.rulefiles.directory import RuleDirectory
from tests.kubelet import lay_out, swapped
from tests.rulefiles.mistakes import RULES
from tests.rulefiles.test_git import commit, git
from tests.rulefiles.test_packs import FIRST, listing

CLINIC = "harbour-physio"
PACK = "packs/full-diary.yaml"
SHIPPED = {str(path.relative_to(RULES)): path.read_text("utf-8") for path in RULES.rglob("*.yaml")}


def test_what_is_mounted_reads_as_the_folder_it_was_made_of(tmp_path: Path) -> None:
    lay_out(tmp_path, SHIPPED)
    mounted, plain = RuleDirectory(tmp_path), RuleDirectory(RULES)
    assert mounted.clinics() == plain.clinics()
    assert list(mounted.packs()) == list(plain.packs()) != []
    assert [mounted.load(name).digest for name in mounted.clinics()] == [plain.load(name).digest for name in plain.clinics()]


def test_an_edit_a_new_clinic_and_one_that_goes_are_seen(tmp_path: Path) -> None:
    lay_out(tmp_path, SHIPPED)
    directory = RuleDirectory(tmp_path)
    before = directory.load(CLINIC).digest
    edited = SHIPPED[f"{CLINIC}.yaml"] + "# edited\n"
    lay_out(tmp_path, {f"{CLINIC}.yaml": edited, "new.yaml": "", PACK: SHIPPED[PACK]})
    assert directory.load(CLINIC).text == edited
    assert directory.load(CLINIC).digest != before
    assert directory.clinics() == [CLINIC, "new"]
    assert not directory.has("northside-allied")
    with pytest.raises(NotFoundError):
        directory.load("northside-allied")


def test_a_volume_that_is_empty_still_has_no_clinics(tmp_path: Path) -> None:
    lay_out(tmp_path, {})
    assert RuleDirectory(tmp_path).clinics() == []


SETTLE = timedelta(milliseconds=20)


def test_a_file_and_its_packs_are_taken_from_one_state_however_often_it_is_swapped(tmp_path: Path) -> None:
    """One read may have the file of before and the pack of after; nobody takes what has not been read twice."""
    states = [{"a.yaml": f"{name}\n", **{f"packs/p{i}.yaml": f"{name}\n" for i in range(20)}} for name in ("one", "two")]
    lay_out(tmp_path, states[0])
    directory, enough = RuleDirectory(tmp_path, SETTLE), threading.Event()

    def swapping() -> None:
        while not enough.wait(SETTLE.total_seconds() * 2):
            states.reverse()
            lay_out(tmp_path, states[0])

    thread = threading.Thread(target=swapping)
    thread.start()
    taken = set[str]()
    try:
        for _ in range(2000):
            try:
                source, stood = directory.look("a")
            except (InputError, NotFoundError):  # a pack was there when they were listed, and is not any more: looked at again
                continue
            if stood >= SETTLE:
                (state,) = {source.data, *(pack.data for pack in source.packs.values())}
                taken.add(state.decode().strip())
            if taken == {"one", "two"}:
                break
    finally:
        enough.set()
        thread.join()
    assert taken == {"one", "two"}


def test_the_work_trees_of_git_sync_are_followed_to_the_commit(tmp_path: Path) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    repository, root = tmp_path / "repository", tmp_path / "root"
    shutil.copytree(RULES, repository / "rules")
    git(tmp_path, "init", "-q", str(repository))
    first = commit(repository, "first")
    root.mkdir()

    def synced(revision: str) -> None:
        tree = root / ".worktrees" / revision
        git(repository, "worktree", "add", "--detach", str(tree), revision)
        swapped(root / "current", tree.relative_to(root))

    synced(first)
    directory = RuleDirectory(root / "current" / "rules")
    assert directory.load(CLINIC).rules.revision == first
    file = repository / "rules" / f"{CLINIC}.yaml"
    file.write_text(listing("first"), "utf-8")
    (repository / "rules" / "packs" / "first.yaml").write_text(FIRST, "utf-8")
    second = commit(repository, "a pack")
    synced(second)
    git(repository, "worktree", "remove", str(root / ".worktrees" / first))
    assert directory.load(CLINIC).rules.revision == second
    assert "first" in directory.packs()

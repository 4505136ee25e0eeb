"""Half of a rule file is not taken for an edit, wherever it breaks off."""

from __future__ import annotations

import pytest

from service.core.errors import RuleFileError
from service.core.rules.language import RuleSet
from service.rulefiles.saving import cut_short
from service.rulefiles.source import PackText, Source, check, whole
from tests.support import RULES

FILE = "northside-allied.yaml"
TEXT = (RULES / FILE).read_text("utf-8")
PACK = (RULES / "packs" / "full-diary.yaml").read_text("utf-8")
ENDS = sorted({end + more for end in range(TEXT.index("\nrules:"), len(TEXT)) if TEXT[end] == "\n" for more in (0, 1, 25, 31)})
"""The ends of lines, the beginnings of the next, and places within."""


def read(source: Source) -> RuleSet:
    return check(source.data.decode(), source.file, source.packs)


def packed(text: str, pack: str) -> Source:
    listing = text.replace("\nservices:", "\npacks: [full-diary]\nservices:")
    return Source(FILE, listing.encode(), {"full-diary": PackText("packs/full-diary.yaml", pack.encode())})


def problems(before: Source, now: Source) -> list[str]:
    text = whole(before.data, before.packs).decode()
    return [str(problem) for problem in cut_short(now, read(now), read(before), text)]


def test_a_file_that_breaks_off_anywhere_is_bad_or_refused_or_says_the_same() -> None:
    known, taken = check(TEXT, FILE), 0
    for end in ENDS:
        source = Source(FILE, TEXT[:end].encode(), {})
        try:
            said = read(source)
        except RuleFileError:
            continue
        refused = cut_short(source, said, known, TEXT)
        assert bool(refused) == (len(TEXT[end:].strip()) > 0), TEXT[:end][-60:]
        taken += bool(refused)
    assert taken > 5


@pytest.mark.parametrize("crlf", [False, True])
def test_it_says_where_and_how_to_go_on(crlf: bool) -> None:
    text = TEXT.replace("\n", "\r\n") if crlf else TEXT
    end = text.index("        - {above: 85%")
    (found,) = problems(Source(FILE, text.encode(), {}), Source(FILE, text[:end].encode(), {}))
    line = text[:end].count("\n")
    assert found.startswith(
        f"{FILE}:{line}: the file breaks off here, where the version in force goes on with “- {{above: 85%,"
    )
    assert "and 2 more lines: it may have been saved only in part; save the whole file again" in found
    assert "a comment will do" in found


def test_a_pack_that_breaks_off_is_named() -> None:
    end = PACK.index("  - name: Nearly full")
    (found,) = problems(packed(TEXT, PACK), packed(TEXT, PACK[:end]))
    assert found.startswith(f"packs/full-diary.yaml:{PACK[:end].count(chr(10))}: the file breaks off here")


def test_an_edit_is_an_edit() -> None:
    end = TEXT.index("        - {above: 85%")
    before = Source(FILE, TEXT.encode(), {})
    assert problems(before, Source(FILE, f"# shorter\n{TEXT[:end]}".encode(), {})) == []
    assert problems(before, Source(FILE, f"{TEXT[:end]}# shorter\n".encode(), {})) == []
    assert problems(before, packed(TEXT, PACK)) == []
    assert problems(packed(TEXT, PACK), before) == []

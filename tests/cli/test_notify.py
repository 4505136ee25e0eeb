"""`governor notify test`, and what a pass on the command line tells, against a web server that takes notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from service.cli.notify import _chosen
from service.settings import Settings
from tests.channels.receivers import Receiver, receiver
from tests.cli.called import governor
from tests.support import RULES

NOBODY = "json://ops:s3cret-pw@127.0.0.1:9/s3cret-path"


@pytest.fixture
def web() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def test_without_a_name_all_that_have_an_address_are_tried() -> None:
    both = {"owner": SecretStr(NOBODY), "front_desk": SecretStr(NOBODY)}
    assert _chosen(Settings(notify=both, _env_file=None), ()) == ("front_desk", "owner")


@pytest.mark.parametrize(
    ("args", "env", "says"),
    [
        ((), {}, "no channel has an address; set GOVERNOR_NOTIFY__MARKETING"),
        (("front-desk",), {"GOVERNOR_NOTIFY__MARKETING": NOBODY}, "(these have: marketing); set GOVERNOR_NOTIFY__FRONT_DESK"),
        ((), {"GOVERNOR_QUIET_HOURS": "9pm"}, "GOVERNOR_QUIET_HOURS: Value error, write quiet hours as two times of the day"),
        ((), {"GOVERNOR_PUBLIC_URL": "governor"}, "GOVERNOR_PUBLIC_URL: Value error, write the address people open"),
    ],
    ids=["none", "unknown", "quiet hours", "address"],
)
def test_what_cannot_be_tried_is_bad_input(tmp_path: Path, args: tuple[str, ...], env: dict[str, str], says: str) -> None:
    result = governor("notify", "test", *args, cwd=tmp_path, **env)
    assert (result.returncode, result.stdout, says in result.stderr) == (2, "", True)
    assert "s3cret" not in result.stderr


def test_a_pass_on_the_command_line_tells_what_it_found(tmp_path: Path, web: Receiver) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    good = (RULES / "harbour-physio.yaml").read_text("utf-8").replace("notify: [marketing]", "notify: [marketing, front-desk]")
    (rules / "harbour-physio.yaml").write_text(good, "utf-8")
    env = {"GOVERNOR_NOTIFY__MARKETING": web.address(), "GOVERNOR_NOTIFY__FRONT_DESK": NOBODY}
    governor("evaluate", cwd=tmp_path, **env)
    (rules / "harbour-physio.yaml").write_text(good + "bad: 1\n", "utf-8")
    result = governor("evaluate", cwd=tmp_path, **env)
    titles = [post["title"] for post in web.posts]
    assert (result.returncode, titles) == (1, ["Harbour Physio: rule file refused (1), readings missing (3)"])
    assert "notices are not sent: front-desk (JSON): it was not delivered; the address" in result.stderr
    assert "s3cret" not in result.stderr + str(web.posts)

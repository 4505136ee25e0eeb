"""`governor notify test` with channels that take a message and channels that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from service.cli.notify import notify
from tests.channels.receivers import Receiver


def test_each_channel_named_is_tried_and_said_to_work_or_not(
    web: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    nobody = "json://ops:s3cret-pw@127.0.0.1:9/s3cret-path"
    for name, address in {"MARKETING": web.address(), "FRONT_DESK": nobody, "OWNER": web.address(), "TYPO": "s3cret"}.items():
        monkeypatch.setenv(f"GOVERNOR_NOTIFY__{name}", address)
    with pytest.raises(SystemExit) as ended:
        notify.main(["test", "marketing", "front-desk", "typo"])
    structlog.reset_defaults()
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (1, "marketing: sent\n")
    assert shown.err.splitlines() == [
        "front-desk: not sent (JSON): it was not delivered; the address, or the way there, is wrong",
        "typo: not sent: GOVERNOR_NOTIFY__TYPO is no address that Apprise knows; write one such as mailto://... or slack://...",
    ]
    assert [post["title"] for post in web.posts] == ["Ad-spend governor: a test"]
    assert "“marketing”" in web.posts[0]["message"]

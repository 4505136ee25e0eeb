"""Receivers on loopback, and Apprise imported: that a library of its own is deprecated is nothing that we can mend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from service.channels.sending import _apprise
from tests.channels.receivers import Mailbox, Receiver, mailbox, receiver


@pytest.fixture(scope="session", autouse=True)
def _apprise_is_there() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _apprise().server("json://127.0.0.1")  # it loads its plugins when the first address is read


@pytest.fixture
def web() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running

"""A command with a defect."""

from __future__ import annotations

import click

from service.settings import load


@click.command()
def broken() -> None:
    """Load the settings, and fail as nobody foresaw, quoting one of them."""
    token = load(env_file=None).meta.access_token
    assert token is not None
    raise ZeroDivisionError(f"https://graph.facebook.com/me?access_token={token.get_secret_value()}")

"""`governor notify`: whether notices reach people."""

from __future__ import annotations

import asyncio
import logging
import socket

import click

from service.channels.sending import Send, ThroughApprise
from service.cli.stoppable import run
from service.core.errors import InputError, OutsideError, SettingsError
from service.logs import configure, redacted
from service.settings import Settings, load, variable

SUBJECT = "Ad-spend governor: a test"
TEXT = "This is a test of the channel “{channel}”, sent from {host}. If you can read it, notices will reach you here."


@click.group()
def notify() -> None:
    """Try the channels that notices go out through."""


@notify.command()
@click.argument("channels", nargs=-1)
def test(channels: tuple[str, ...]) -> None:
    """Send a test message through CHANNELS (all that have an address, if none is named).

    Exit status 0 when each took it, 1 when one did not.
    """
    configure(logging.ERROR)
    settings = load()
    found = run(_tried(settings, _chosen(settings, channels), ThroughApprise()))
    for channel, trouble in found.items():
        click.echo(f"{channel}: {trouble or 'sent'}", err=bool(trouble))
    if any(found.values()):
        raise click.exceptions.Exit(1)


def _chosen(settings: Settings, channels: tuple[str, ...]) -> tuple[str, ...]:
    """The channels to try. Raises `InputError` for one without an address, and where there is none at all."""
    there = ", ".join(sorted(settings.notify)) or "none"
    for channel in channels:
        if settings.channel(channel) is None:
            raise InputError(f"{channel} has no address (these have: {there}); set {variable('notify', channel)}")
    if not channels and not settings.notify:
        raise InputError(f"no channel has an address; set {variable('notify', 'marketing')}, say, to an Apprise URL")
    return channels or tuple(sorted(settings.notify))


async def _tried(settings: Settings, channels: tuple[str, ...], send: Send) -> dict[str, str]:
    """By channel, what went wrong; '' where nothing did."""
    done = await asyncio.gather(*(_try(settings, channel, send) for channel in channels))
    return dict(zip(channels, done, strict=True))


async def _try(settings: Settings, channel: str, send: Send) -> str:
    address, text = settings.channel(channel), TEXT.format(channel=channel, host=socket.gethostname())
    if address is None:
        raise InputError(f"{channel} has no address")
    try:
        await send(channel, address, SUBJECT, redacted(text))
    except (OutsideError, SettingsError) as error:
        said = redacted(str(error)).removeprefix(f"{channel} ").removeprefix(f"{channel}: ")
        return f"not sent {said}" if said.startswith("(") else f"not sent: {said}"
    return ""

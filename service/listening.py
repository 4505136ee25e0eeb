"""A socket to serve on, that sends small answers at once. Not pure: it binds an address."""

from __future__ import annotations

import socket

WAITING = 2048
"""Connections that may wait to be accepted: what uvicorn asks for by itself."""


def listening(host: str, port: int) -> socket.socket:
    """A listening TCP socket on an IPv4 or IPv6 address; port 0 takes a free one. Raises OSError.

    It says outright that it is TCP. asyncio turns Nagle's algorithm off (`TCP_NODELAY`) only on such sockets, and
    `socket.create_server` leaves the protocol to be guessed: every answer on a kept connection then waits 40 ms for the
    acknowledgement of its head.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(WAITING)
    except OSError:
        listener.close()
        raise
    return listener

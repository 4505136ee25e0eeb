"""A web server and a mail server that take notices."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any


@dataclass
class Receiver:
    """What was posted; each answer is `status`, once the gate is open."""

    port: int = 0
    status: int = 200
    posts: list[dict[str, Any]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def address(self, path: str = "hook") -> str:
        return f"json://ops:s3cret-pw@127.0.0.1:{self.port}/{path}"


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A web server on loopback."""
    state = Receiver()
    state.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.posts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            state.gate.wait(30)
            self.send_response(state.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        yield from _serving(server, state)
        state.gate.set()


@dataclass
class Mailbox:
    """Mails as they came in. Of the recipients those in `unknown` are refused."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """As much of a mail server as it takes to hand it a mail (RFC 5321)."""
    state = Mailbox()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                word = line[:4].upper()
                if word == "DATA":
                    self._say("354 go on")
                    state.mails.append(self._mail())
                refused = word == "RCPT" and any(each in line for each in state.unknown)
                self._say("550 nobody here" if refused else "221 bye" if word == "QUIT" else "250 fine")

        def _mail(self) -> str:
            lines = []
            while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
                lines.append(line)
            return "".join(lines)

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        yield from _serving(server, state)


def _serving(server: Any, state: Any) -> Iterator[Any]:
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.gate.set() if isinstance(state, Receiver) else None
        server.shutdown()
        thread.join()

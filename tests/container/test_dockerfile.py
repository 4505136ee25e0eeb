"""What the Dockerfile promises, as far as reading it tells; `test_image.py` does its steps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.google_ads.sdk import API_VERSION
from service.settings import Settings
from tests.container.dockerfile import REPOSITORY, copied, environment, only, read

BUILD, FINAL = range(2)


def test_the_linter_has_nothing_to_say_and_no_rule_is_switched_off() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert linter is not None
    found = subprocess.run(  # noqa: S603 - the linter that is installed beside Python
        [linter, "--disable-ignore-pragma", str(REPOSITORY / "Dockerfile")],
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (found.returncode, found.stdout) == (0, "")


def test_it_runs_as_somebody_whom_it_makes_with_that_number() -> None:
    final = read()[FINAL]
    made = next(step.arguments for step in final if "useradd" in step.arguments)
    assert only(final, "USER") == "10001:10001"
    assert "groupadd --gid 10001 governor" in made
    assert "useradd --uid 10001 --gid 10001" in made


def test_only_the_environment_reaches_the_final_stage_and_pip_does_not() -> None:
    final = read()[FINAL]
    assert [step.arguments for step in final if step.keyword == "COPY"] == ["--from=build /opt/governor /opt/governor"]
    ran = " ".join(step.arguments for step in final if step.keyword == "RUN")
    assert "pip uninstall" in ran
    assert not re.search(r"\bapt|\binstall (?!-d)", ran)


def test_every_download_is_locked_and_nothing_is_compiled_from_source() -> None:
    installs = [part for step in read()[BUILD] for part in step.arguments.split("&&") if "pip" in part and "install" in part]
    from_outside = [each for each in installs if "/dist/" not in each]
    assert len(from_outside) == 2
    for each in from_outside:
        assert "--require-hashes -r requirements/" in each
        assert "--only-binary :all:" in each
    assert all("--no-deps" in each for each in installs)


def test_what_is_copied_is_let_through() -> None:
    let_through = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    assert let_through[0] == "*"
    assert {f"!{name}" for name in copied(read()[BUILD])} <= set(let_through)


def test_its_variables_are_settings_and_its_label_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    final = read()[FINAL]
    for name, value in environment(final).items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert settings.rules_dir == Path("/rules")
    assert settings.database_url == "sqlite+aiosqlite:////data/governor.db"
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"VERSION={version}" in [step.arguments for step in final if step.keyword == "ARG"]


def test_the_google_ads_version_that_is_used_is_not_removed() -> None:
    (removed,) = [found for step in read()[BUILD] for found in re.findall(r"googleads/(v\S+?)'", step.arguments)]
    assert re.fullmatch(removed, API_VERSION) is None
    named = re.compile(r"googleads\.(v\d+)")
    imported = {found for file in (REPOSITORY / "service").rglob("*.py") for found in named.findall(file.read_text("utf-8"))}
    assert imported == {API_VERSION}


class Answering(BaseHTTPRequestHandler):
    """Says on every path how it is."""

    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody wants to know."""


class Ailing(Answering):
    status = 503


@pytest.mark.parametrize(
    ("api", "worker", "healthy"),
    [(Answering, None, True), (None, Answering, True), (None, None, False), (Ailing, None, False), (None, Ailing, False)],
    ids=["a server", "a worker", "neither", "a server that is not well", "a worker that is not well"],
)
def test_whichever_process_is_there_is_asked_how_it_is(
    api: type[Answering] | None, worker: type[Answering] | None, *, healthy: bool
) -> None:
    _, *words = json.loads(only(read()[FINAL], "HEALTHCHECK").partition("CMD ")[2])
    with ExitStack() as stack:
        for port, handler in (("8000", api), ("8001", worker)):
            listener = stack.enter_context(HTTPServer(("127.0.0.1", 0), handler or Answering))
            words = [word.replace(port, str(listener.server_port)) for word in words]
            if handler is None:
                listener.server_close()
            else:
                thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
                thread.start()
                stack.callback(thread.join)
                stack.callback(listener.shutdown)
        found = subprocess.run([sys.executable, *words], check=False, capture_output=True)  # noqa: S603 - the Dockerfile's own words
    assert (found.returncode == 0) == healthy


@pytest.mark.soak
def test_every_dependency_is_there_ready_made_for_the_image(tmp_path: Path) -> None:
    image = next(step.arguments for step in read()[FINAL] if step.keyword == "FROM")
    assert image == "${PYTHON_IMAGE}"
    version = re.search(r"PYTHON_IMAGE=python:(3\.\d+)-slim", (REPOSITORY / "Dockerfile").read_text("utf-8"))
    assert version is not None
    glibc = [f"--platform=manylinux{each}_x86_64" for each in ("2014", "_2_17", "_2_28", "_2_34")]
    command = ["-m", "pip", "download", "--only-binary=:all:", "--no-deps", "--require-hashes", "--quiet", *glibc]
    where = [f"--python-version={version[1]}", "--dest", str(tmp_path), "-r", str(REPOSITORY / "requirements" / "runtime.txt")]
    found = subprocess.run([sys.executable, *command, *where], check=False, capture_output=True, encoding="utf-8")  # noqa: S603 - our own words
    assert found.returncode == 0, found.stderr[-2000:]

"""What the Dockerfile promises, as far as reading it tells; `test_image.py` does its steps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

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

"""What the chart tells the service is what the service understands; what is secret is only ever named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from helm_python import HelmError
from pydantic import BaseModel, SecretStr

from service.rulefiles.directory import RuleDirectory
from service.settings import Settings
from tests.cli.test_documented import lines as documented
from tests.cli.test_documented import meant, parsed
from tests.helm.chart import HELM, SHAPES, by_component, governor_env, notes, of_kind, pods, rendered, shape
from tests.kubelet import lay_out
from tests.rulefiles.mistakes import RULES

READ_BEFORE = {"SECRETS_DIR"}
"""Where settings are read from is none of them."""

PLANTED = "planted-Xy7Qm2"


def _leaves(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, bool]]:
    """Every variable that a setting is read from, without the prefix, and whether it is a secret."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *get_args(field.annotation)]
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        path = f"{before}{name.upper()}"
        if dict in {getattr(kind, "__origin__", None) for kind in kinds}:
            yield from _leaves(inner, f"{path}__HARBOUR__") if inner else [(f"{path}__A_NAME", SecretStr in kinds)]
        elif inner is not None:
            yield from _leaves(inner, f"{path}__")
        else:
            yield path, SecretStr in kinds


LEAVES = dict(_leaves(Settings))
OURS = {"DATABASE_URL", "REDIS_URL", "RULES_DIR", "SECRETS_DIR", "KILL_SWITCH"}
"""The chart sets these itself."""


def test_settings_are_found() -> None:
    assert LEAVES["CLINICS__HARBOUR__META__ACCESS_TOKEN"] is LEAVES["NOTIFY__A_NAME"] is LEAVES["OTEL__HEADERS__A_NAME"] is True
    assert LEAVES["CLINICS__HARBOUR__CLINIKO_USER"] is LEAVES["EVALUATE_EVERY"] is False
    assert len(LEAVES) > 30


@pytest.mark.parametrize("name", SHAPES)
def test_every_variable_is_a_setting(name: str) -> None:
    known = {re.sub("HARBOUR|A_NAME", ".+", leaf) for leaf in LEAVES} | READ_BEFORE
    for each in pods(shape(name)):
        names = [variable["name"] for variable in each.governor["env"]]
        assert len(names) == len(set(names))
        ours = [variable.removeprefix("GOVERNOR_") for variable in names if variable.startswith("GOVERNOR_")]
        assert [variable for variable in ours if not any(re.fullmatch(leaf, variable) for leaf in known)] == []


@pytest.mark.parametrize("name", ["default", "one replica", "git"])
def test_the_service_reads_them(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = governor_env(by_component(shape(name))["api"].governor)
    for variable, value in given.items():
        monkeypatch.setenv(variable, str(tmp_path) if variable == "GOVERNOR_SECRETS_DIR" else value)
    settings = Settings(_env_file=None)
    assert settings.database_url == "sqlite+aiosqlite:////data/governor.db"
    assert settings.rules_dir == Path("/rules/current/rules" if name == "git" else "/rules")
    if name == "one replica":
        assert settings.api.requests_per_minute == 60
        assert settings.google_ads.json_key_file_path == Path("/etc/governor/secrets/google-ads.json")


def test_the_kill_switch_is_said_only_when_it_is_on() -> None:
    """The environment goes before the Secret, in which it can be switched on while the service runs."""
    assert "GOVERNOR_KILL_SWITCH" not in governor_env(by_component(shape("default"))["api"].governor)
    assert governor_env(by_component(shape("everything"))["api"].governor)["GOVERNOR_KILL_SWITCH"] == "true"
    assert "kill switch is on" in notes(SHAPES["everything"])


# --- command lines ----------------------------------------------------------------------------------------------------------


def _said(text: str) -> Iterator[list[str]]:
    for line in re.findall(r'(?:-- |")governor ([a-z][^"\n]*)', text):
        yield line.split()


def test_every_command_line_is_one() -> None:
    lines = [each.governor["args"] for name in SHAPES for each in pods(shape(name))]
    lines += [line for text in (*map(notes, SHAPES.values()), *_alerts()) for line in _said(text)]
    lines += [words[1:] for line in documented((HELM / "README.md").read_text("utf-8")) for words in meant(line)]
    assert {line[0] for line in lines} >= {"serve", "evaluate", "worker", "migrate", "keys", "doctor", "hold", "notify"}
    for line in lines:
        parsed(["governor", *line])


def _alerts() -> Iterator[str]:
    for rule in of_kind(shape("everything"), "PrometheusRule").values():
        for group in rule["spec"]["groups"]:
            yield from (alert["annotations"]["description"] for alert in group["rules"])


# --- secrets ----------------------------------------------------------------------------------------------------------------


def _refused(values: dict[str, Any]) -> str:
    with pytest.raises(HelmError) as refused:
        rendered(values)
    assert PLANTED not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", sorted(name for name, secret in LEAVES.items() if secret))
def test_a_secret_is_not_taken_as_a_value(name: str) -> None:
    assert f"settings.{name} is a secret" in _refused({"settings": {name: PLANTED}})
    assert "valueFrom.secretKeyRef" in _refused({"extraEnv": [{"name": f"GOVERNOR_{name}", "value": PLANTED}]})
    assert "valueFrom.secretKeyRef" in _refused({"extraEnv": [{"name": f"governor_{name.lower()}", "value": PLANTED}]})
    given = {"name": f"GOVERNOR_{name}", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    assert given in by_component(rendered({"extraEnv": [given]}))["api"].governor["env"]


@pytest.mark.parametrize("name", ["CLINICS", "META", "GOOGLE_ADS", "NOTIFY", "OTEL", "OTEL__HEADERS", "CLINICS__HARBOUR"])
def test_a_group_that_holds_secrets_is_not_taken_either(name: str) -> None:
    assert f"settings.{name} is a secret" in _refused({"settings": {name: f'{{"access_token": "{PLANTED}"}}'}})


@pytest.mark.parametrize("name", sorted(name for name, secret in LEAVES.items() if not secret and name not in OURS))
def test_what_is_no_secret_is_taken(name: str) -> None:
    api = by_component(rendered({"settings": {name: "1"}}))["api"]
    assert governor_env(api.governor)[f"GOVERNOR_{name}"] == "1"


@pytest.mark.parametrize(("value", "told"), [(1_000_000, "1000000"), (1.5, "1.5"), (True, "true"), ("1h", "1h"), ('"', '"')])
def test_a_setting_is_told_as_it_is_written(value: object, told: str) -> None:
    api = by_component(rendered({"settings": {"API__REQUESTS_PER_MINUTE": value}}))["api"]
    assert governor_env(api.governor)["GOVERNOR_API__REQUESTS_PER_MINUTE"] == told


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_the_chart_sets_is_set_by_its_own_values(name: str) -> None:
    assert f"settings.{name}: set " in _refused({"settings": {name: PLANTED}})
    assert f"extraEnv GOVERNOR_{name}: set " in _refused({"extraEnv": [{"name": f"GOVERNOR_{name}", "value": PLANTED}]})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"database": {"url": f"postgresql+psycopg://a:{PLANTED}@b/c"}}, "additional properties 'url' not allowed"),
        ({"redis": {"url": f"redis://:{PLANTED}@b"}}, "additional properties 'url' not allowed"),
        ({"secrets": {"metaAccessToken": PLANTED}}, "additional properties 'metaAccessToken' not allowed"),
        (
            {**SHAPES["git"], "rules": {"gitSync": {"enabled": True, "repo": f"https://me:{PLANTED}@git.example/r.git"}}},
            "names a user or a password",
        ),
        ({"extraEnv": [{"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": f"authorization={PLANTED}"}]}, "is a secret"),
    ],
)
def test_there_is_no_value_for_a_password(values: dict[str, Any], words: str) -> None:
    assert words in _refused(values)


@pytest.mark.parametrize("name", SHAPES)
def test_no_secret_is_made(name: str) -> None:
    assert of_kind(shape(name), "Secret") == {}


# --- rule files -------------------------------------------------------------------------------------------------------------


def test_rule_files_and_packs_lie_where_the_service_reads_them(tmp_path: Path) -> None:
    files = {path.name: path.read_text("utf-8") for path in RULES.glob("*.yaml")}
    packs = {path.name: path.read_text("utf-8") for path in (RULES / "packs").glob("*.yaml")}
    values = {"rules": {"files": files, "packs": packs}, "secrets": {"existingSecret": "s"}}
    manifests = rendered(values)
    (volume,) = [each for each in by_component(manifests)["api"].spec["volumes"] if each["name"] == "rules"]
    mounted = dict[str, str]()
    for source in volume["projected"]["sources"]:
        data = of_kind(manifests, "ConfigMap")[source["configMap"]["name"]]["data"]
        items = source["configMap"].get("items", [{"key": key, "path": key} for key in data])
        mounted |= {item["path"]: data[item["key"]] for item in items}
    lay_out(tmp_path, mounted)
    there, shipped = RuleDirectory(tmp_path), RuleDirectory(RULES)
    assert there.clinics() == shipped.clinics() != []
    assert [there.load(name).digest for name in there.clinics()] == [shipped.load(name).digest for name in there.clinics()]


def test_existing_config_maps_are_mounted_the_same() -> None:
    values = {
        "rules": {"existingConfigMap": "files", "existingPacks": {"configMap": "packs", "keys": ["full-diary.yaml"]}},
        "secrets": {"existingSecret": "s"},
    }
    manifests = rendered(values)
    assert of_kind(manifests, "ConfigMap") == {}
    (volume,) = [each for each in by_component(manifests)["api"].spec["volumes"] if each["name"] == "rules"]
    assert volume["projected"]["sources"] == [
        {"configMap": {"name": "files"}},
        {"configMap": {"name": "packs", "items": [{"key": "full-diary.yaml", "path": "packs/full-diary.yaml"}]}},
    ]


def test_an_edit_of_a_rule_file_restarts_nothing() -> None:
    def api(text: str) -> dict[str, Any]:
        values = {"rules": {"files": {"a.yaml": text}}, "secrets": {"existingSecret": "s"}}
        return by_component(rendered(values))["api"].owner

    assert api("one") == api("two")

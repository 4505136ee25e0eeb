"""Values that cannot work are refused, with what to write instead."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from helm_python import HelmError

from tests.helm.chart import HELM, NGINX, POSTGRESQL, SHAPES, chart, rendered

REDIS: dict[str, Any] = {"redis": {"existingSecret": "r"}}
GIT: dict[str, Any] = {"gitSync": {"enabled": True, "repo": "https://git.example/r.git"}}
SECRETS: dict[str, Any] = {"secrets": {"existingSecret": "s"}}

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "two replicas on SQLite": ({"api": {"replicas": 2}}, "api.replicas is 2 on SQLite.*set database.kind=postgresql"),
    "scaling on SQLite": ({"api": {"autoscaling": {"enabled": True}}}, "api.autoscaling is enabled on SQLite"),
    "workers on SQLite": ({"workers": {"replicas": 1}, **REDIS}, "workers cannot share a SQLite file"),
    "Redis on SQLite": (REDIS, "workers cannot share a SQLite file"),
    "a CronJob on SQLite": ({"cronJob": {"enabled": True}}, "a CronJob cannot share a SQLite file"),
    "an address for SQLite": ({"database": {"existingSecret": "d"}}, "set database.kind=postgresql, or unset"),
    "PostgreSQL nowhere": ({"database": {"kind": "postgresql"}}, "set database.existingSecret"),
    "several that all evaluate": ({**POSTGRESQL, "api": {"replicas": 2}}, "each would make the hourly pass: set redis"),
    "workers without Redis": ({**POSTGRESQL, "workers": {"replicas": 1}}, "workers take their work from Redis"),
    "scaled workers without Redis": ({**POSTGRESQL, "workers": {"autoscaling": {"enabled": True}}}, "set redis.existingSecret"),
    "Redis without workers": ({**POSTGRESQL, **REDIS}, "evaluates nothing.*set workers.replicas"),
    "CronJob and workers": ({**SHAPES["workers"], "cronJob": {"enabled": True}}, "would both evaluate"),
    "least above most": ({**POSTGRESQL, "api": {"autoscaling": {"minReplicas": 9, "enabled": True}}}, "set it to 6 at most"),
    "git and files": ({**SECRETS, "rules": {**GIT, "files": {"a.yaml": ""}}}, "from git or from a ConfigMap, not both"),
    "git and a ConfigMap": ({**SECRETS, "rules": {**GIT, "existingConfigMap": "c"}}, "from git or from a ConfigMap, not both"),
    "files and a ConfigMap": ({**SECRETS, "rules": {"files": {"a.yaml": ""}, "existingConfigMap": "c"}}, "keep one of the two"),
    "packs without keys": ({**SECRETS, "rules": {"existingPacks": {"configMap": "c"}}}, "needs both configMap and keys"),
    "git from nowhere": ({**SECRETS, "rules": {"gitSync": {"enabled": True}}}, "set rules.gitSync.repo"),
    "git over ssh without a key": (
        {**SECRETS, "rules": {"gitSync": {"enabled": True, "repo": "ssh://git@git.example/r.git"}}},
        "over ssh: set rules.gitSync.existingSecret",
    ),
    "rules without secrets": ({"rules": {"files": {"a.yaml": ""}}}, "nothing says where the clinics' keys are"),
    "a key file in no Secret": ({"secrets": {"googleKeyFile": "g.json"}}, "set secrets.existingSecret to the Secret"),
    "the prefix twice": ({"settings": {"GOVERNOR_EVALUATE_EVERY": "1h"}}, "write it without GOVERNOR_"),
    "an Ingress nobody gets through": (
        {"ingress": {"enabled": True, "hosts": ["a.example"]}},
        "ingress is enabled, and the network policy lets nobody in",
    ),
    "a route nobody gets through": ({"httpRoute": {"enabled": True, "parentRefs": [{"name": "g"}]}}, "httpRoute is enabled"),
    "an Ingress without a host": ({"ingress": {"enabled": True}, "networkPolicy": {"apiFrom": NGINX}}, "set ingress.hosts"),
    "a route without a gateway": (
        {"httpRoute": {"enabled": True}, "networkPolicy": {"enabled": False}},
        "httpRoute.parentRefs",
    ),
    "metrics nobody can read": ({"metrics": {"monitors": {"enabled": True}}}, "does not let Prometheus in"),
    "alerts on nothing": ({"metrics": {"prometheusRule": {"enabled": True}}}, "set metrics.monitors.enabled=true"),
    "a balancer nobody gets through": ({"service": {"type": "LoadBalancer"}}, "service.type is LoadBalancer, and the network"),
    "a word that is none": ({"replicaCount": 2}, "additional properties 'replicaCount' not allowed"),
    "another database": ({"database": {"kind": "mysql"}}, "/database/kind.*'sqlite', 'postgresql'"),
    "a tag for a digest": ({"image": {"digest": "1.2"}}, "/image/digest"),
    "a rule file that is none": ({"rules": {"files": {"a.yml": ""}}}, "additional properties 'a.yml' not allowed"),
    "more rules than a ConfigMap holds": (
        {**SECRETS, "rules": {"files": {"a.yaml": "#" * 600_000, "b.yaml": "é" * 300_000}}},
        "rules.files are 1200000 bytes.*set rules.gitSync",
    ),
    "a way out to no port, which would be to every one": (
        {"networkPolicy": {"outsidePorts": []}},
        "/networkPolicy/outsidePorts",
    ),
    "a name that a Service cannot bear": ({"fullnameOverride": "1_Governor"}, "/fullnameOverride"),
    "another one": ({"nameOverride": "2nd"}, "/nameOverride"),
    "no replica": ({"api": {"replicas": 0}}, "/api/replicas"),
}


@pytest.mark.parametrize(("values", "words"), CASES.values(), ids=CASES)
def test_it_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(HelmError, match=f"(?s){words}"):
        rendered(values)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(HelmError) as refused:
        rendered({"api": {"replicas": 2}, "cronJob": {"enabled": True}, "settings": {"META__ACCESS_TOKEN": "x"}})
    assert str(refused.value).count("\n- ") == 3


@pytest.mark.parametrize(
    "values",
    [
        {**POSTGRESQL, "api": {"replicas": 1}},
        {**SHAPES["workers"], "workers": {"replicas": 1}},
        {"rules": {"files": {"a.yaml": ""}}, "extraEnv": [
            {
                "name": "GOVERNOR_CLINICS__A__CLINIKO_API_KEY",
                "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}},
            }
        ]},
        {"ingress": {"enabled": True, "hosts": ["a.example"]}, "networkPolicy": {"enabled": False}},
        {"persistence": {"existingClaim": "ours"}},
        {"serviceAccount": {"create": False, "name": "ours"}},
    ],
)  # fmt: skip
def test_these_are_not(values: dict[str, Any]) -> None:
    assert rendered(values)


README = (HELM / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_handbook_has_an_example_for_each_shape_but_the_default() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_handbook_work(example: str) -> None:
    assert rendered({"secrets": {"existingSecret": "governor"}, **yaml.safe_load(example)})


def test_the_handbook_names_every_value() -> None:
    table = README[README.index("## Values") :]
    assert [name for name in chart().values if not re.search(rf"`{name}\b", table)] == []

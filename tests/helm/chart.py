"""The chart, rendered by Helm's own engine; the usual shapes; and ways to walk through what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import helm_python
import yaml

from tests.container.dockerfile import REPOSITORY

HELM = REPOSITORY / "helm"
RELEASE, NAMESPACE = "gov", "ads"

Values = Mapping[str, Any]
Manifest = dict[str, Any]

RULES: Values = {"rules": {"existingConfigMap": "our-rules"}, "secrets": {"existingSecret": "our-secrets"}}
POSTGRESQL: Values = {"database": {"kind": "postgresql", "existingSecret": "our-database"}}
NGINX = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}]
PROMETHEUS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]

SHAPES: dict[str, Values] = {
    "default": {},
    "one replica": {
        "secrets": {"existingSecret": "our-secrets", "googleKeyFile": "google-ads.json"},
        "settings": {"CLINIKO__CONTACT_EMAIL": "ops@agency.example", "API__REQUESTS_PER_MINUTE": 60, "EVALUATE_EVERY": "1h"},
        "rules": {
            "files": {"harbour-physio.yaml": "clinic: {}\n", "harbour-physio.test.yaml": ""},
            "packs": {"full-diary.yaml": "pack: x\n"},
        },
    },
    "workers": {
        **RULES,
        **POSTGRESQL,
        "redis": {"existingSecret": "our-redis"},
        "workers": {"replicas": 3},
        "api": {"replicas": 2},
    },
    "cron job": {**RULES, **POSTGRESQL, "cronJob": {"enabled": True}, "api": {"replicas": 2}},
    "git": {
        "secrets": {"existingSecret": "our-secrets"},
        "rules": {
            "gitSync": {"enabled": True, "repo": "https://git.example/rules.git", "existingSecret": "git", "path": "rules"}
        },
    },
    "everything": {
        **POSTGRESQL,
        "redis": {"existingSecret": "our-redis"},
        "secrets": {"existingSecret": "our-secrets", "googleKeyFile": "google-ads.json"},
        "rules": {"gitSync": {"enabled": True, "repo": "git@git.example:rules.git", "existingSecret": "git"}},
        "image": {"repository": "registry.example/ad-spend-governor", "digest": f"sha256:{'a' * 64}"},
        "imagePullSecrets": [{"name": "registry"}],
        "killSwitch": True,
        "settings": {"PUBLIC_URL": "https://governor.example", "CLINICS__HARBOUR_PHYSIO__CLINIKO_USER": "front"},
        "extraEnv": [
            {"name": "GOVERNOR_META__APP_SECRET", "valueFrom": {"secretKeyRef": {"name": "meta", "key": "secret"}}},
            {"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"},
        ],
        "api": {"autoscaling": {"enabled": True}},
        "workers": {
            "autoscaling": {
                "enabled": True,
                "extraMetrics": [
                    {
                        "type": "External",
                        "external": {
                            "metric": {"name": "governor_queue_jobs"},
                            "target": {"type": "AverageValue", "averageValue": "5"},
                        },
                    }
                ],
            }
        },
        "service": {"type": "LoadBalancer", "annotations": {"a.example/b": "c"}},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "annotations": {"cert-manager.io/issuer": "letsencrypt"},
            "hosts": ["governor.example"],
            "tls": [{"secretName": "governor-tls", "hosts": ["governor.example"]}],
        },
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["governor.example"]},
        "serviceAccount": {"annotations": {"iam.example/role": "governor"}},
        "networkPolicy": {
            "apiFrom": NGINX,
            "metricsFrom": PROMETHEUS,
            "databaseTo": [{"ipBlock": {"cidr": "10.0.5.0/24"}}],
            "redisTo": [{"podSelector": {"matchLabels": {"app": "redis"}}}],
            "outsidePorts": [443, 587],
            "extraEgress": [{"ports": [{"port": 4318}], "to": [{"podSelector": {"matchLabels": {"app": "collector"}}}]}],
        },
        "metrics": {
            "monitors": {"enabled": True, "labels": {"release": "prometheus"}},
            "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
            "dashboard": {"enabled": True, "annotations": {"folder": "Ads"}},
        },
        "podAnnotations": {"a.example/pod": "yes"},
        "podLabels": {"team": "growth"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {},
            }
        ],
        "priorityClassName": "high",
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": True}],
    },
}
"""What people install, and everything at once."""


@cache
def chart() -> helm_python.Chart:
    return helm_python.Chart.load(HELM)


def rendered(values: Values) -> list[Manifest]:
    """Every manifest, hooks included. Raises what Helm raises."""
    texts = chart().render(dict(values), name=RELEASE, namespace=NAMESPACE)
    files = (text for path, text in texts.items() if Path(path).suffix == ".yaml")
    return [manifest for text in files for manifest in yaml.safe_load_all(text) if manifest]


def notes(values: Values) -> str:
    texts = chart().render(dict(values), name=RELEASE, namespace=NAMESPACE)
    return next(text for path, text in texts.items() if path.endswith("NOTES.txt"))


@cache
def shape(name: str) -> list[Manifest]:
    """A shape's manifests; to be looked at, not changed."""
    return rendered(SHAPES[name])


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """Those of a kind by name."""
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


@dataclass(frozen=True, slots=True)
class Pods:
    """The pods that a manifest makes."""

    owner: Manifest
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def governor(self) -> dict[str, Any]:
        (found,) = [each for each in self.containers if each["name"] == "governor"]
        return found

    @property
    def component(self) -> str:
        return self.labels["app.kubernetes.io/component"]


def pods(manifests: list[Manifest]) -> Iterator[Pods]:
    for each in manifests:
        match each["kind"]:
            case "Deployment" | "Job":
                template = each["spec"]["template"]
            case "CronJob":
                template = each["spec"]["jobTemplate"]["spec"]["template"]
            case _:
                continue
        yield Pods(each, template["metadata"]["labels"], template["spec"])


def by_component(manifests: list[Manifest]) -> dict[str, Pods]:
    return {each.component: each for each in pods(manifests)}


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return selector.items() <= labels.items()


def governor_env(container: Mapping[str, Any]) -> dict[str, Any]:
    """The variables of a container by name: their values, or where they come from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}

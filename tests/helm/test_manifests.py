"""What the chart renders is what Kubernetes takes, and hangs together."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from service.store.leases import TERM
from tests.container.dockerfile import REPOSITORY, environment, only, read
from tests.helm.chart import (
    HELM,
    SHAPES,
    Manifest,
    Pods,
    by_component,
    chart,
    governor_env,
    of_kind,
    pods,
    rendered,
    selects,
    shape,
)

KUBERNETES = ("1.31", "1.34", "1.36")
NOT_KUBERNETES = {"ServiceMonitor", "PodMonitor", "PrometheusRule", "HTTPRoute"}
FINAL = read()[1]
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["version"]

everything = pytest.mark.parametrize("name", SHAPES)


@pytest.mark.parametrize("version", KUBERNETES)
@everything
def test_the_linter_has_neither_errors_nor_warnings(name: str, version: str) -> None:
    found = helm_python.lint(HELM, dict(SHAPES[name]), strict=True, kube_version=f"v{version}.0")
    assert [each for each in found["messages"] if each["error"] != "icon is recommended"] == found["errors"] == []


@pytest.mark.parametrize("version", KUBERNETES)
@everything
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    for manifest in shape(name):
        if manifest["kind"] not in NOT_KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_it_installs_where_there_is_no_prometheus_operator() -> None:
    with helm_python.Config(storage_driver="memory", kubeconfig_content="apiVersion: v1\nkind: Config\n") as config:
        release = config.install(chart(), "gov", {}, namespace="ads", dry_run="client")
    kinds = {manifest["kind"] for manifest in yaml.safe_load_all(release["manifest"])}
    assert kinds == {"ConfigMap", "Deployment", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceAccount"}
    assert "governor keys create" in release["notes"]


def test_every_value_is_described() -> None:
    def undescribed(schema: dict[str, Any], values: Any, path: str) -> Iterator[str]:
        for name, value in values.items():
            about = schema["properties"].get(name)
            if about is None or not about.get("description"):
                yield f"{path}{name}"
            elif "properties" in about:
                assert about["additionalProperties"] is False
                yield from undescribed(about, value, f"{path}{name}.")

    assert [*undescribed(json.loads((HELM / "values.schema.json").read_text("utf-8")), chart().values, "")] == []


@everything
def test_every_object_is_named_once_and_labelled(name: str) -> None:
    manifests = shape(name)
    names = [(each["kind"], each["metadata"]["name"]) for each in manifests]
    assert len(names) == len(set(names))
    for each in manifests:
        assert len(each["metadata"]["name"]) <= 63
        assert each["metadata"]["namespace"] == "ads"
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "gov"
        assert {f"app.kubernetes.io/{part}" for part in ("name", "component", "version", "managed-by")} <= labels.keys()


def test_long_names_are_cut_and_still_fit() -> None:
    for manifest in rendered({**SHAPES["cron job"], "fullnameOverride": "a" * 60}):
        assert len(manifest["metadata"]["name"]) <= (52 if manifest["kind"] == "CronJob" else 63)


# --- pods ------------------------------------------------------------------------------------------------------------------

SHARED = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


@everything
def test_every_pod_keeps_to_the_restricted_standard(name: str) -> None:
    for each in pods(shape(name)):
        spec, whole = each.spec, each.spec["securityContext"]
        assert whole["runAsNonRoot"] is True
        assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
        assert whole["runAsUser"] == whole["fsGroup"] == int(only(FINAL, "USER").partition(":")[0])
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert spec["automountServiceAccountToken"] is False
        assert all(len(volume.keys() - {"name"} & SHARED) == 1 for volume in spec["volumes"])
        for container in each.containers:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own.get("runAsUser", 1) != 0
            assert not {"privileged", "procMount"} & own.keys()
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
            assert not any("hostPort" in port for port in container.get("ports", []))


@everything
def test_what_is_mounted_is_there_and_only_what_must_be_is_writable(name: str) -> None:
    for each in pods(shape(name)):
        there = {volume["name"] for volume in each.spec["volumes"]}
        assert {mount["name"] for container in each.containers for mount in container["volumeMounts"]} == there
        writable = {mount["mountPath"] for mount in each.governor["volumeMounts"] if not mount.get("readOnly")}
        assert writable <= {"/tmp", "/data"}  # noqa: S108 - its own
        assert all("sizeLimit" in volume["emptyDir"] for volume in each.spec["volumes"] if "emptyDir" in volume)


@everything
def test_what_serves_is_probed_and_given_time_to_stop(name: str) -> None:
    served = [each for each in pods(shape(name)) if each.owner["kind"] == "Deployment"]
    assert served
    for each in served:
        (port,) = each.governor["ports"]
        paths = {kind: each.governor[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        for kind in paths:
            assert each.governor[kind]["httpGet"]["port"] == port["name"]
            assert each.governor[kind]["timeoutSeconds"] > 3  # for so long the service waits for its database
        assert each.spec["terminationGracePeriodSeconds"] == 60
        arguments = each.governor["args"]
        assert arguments[arguments.index("--port") + 1] == str(port["containerPort"])
        assert arguments[arguments.index("--host") + 1] == "0.0.0.0"  # noqa: S104 - in a pod of its own


def test_the_port_of_the_image_is_the_port_of_the_api() -> None:
    (port,) = by_component(shape("default"))["api"].governor["ports"]
    assert str(port["containerPort"]) == only(FINAL, "EXPOSE")
    assert f"in ({port['containerPort']}, 8001)" in only(FINAL, "HEALTHCHECK")


def test_by_default_it_is_what_the_image_does_by_itself() -> None:
    api = by_component(shape("default"))["api"]
    assert api.owner["spec"]["replicas"] == 1
    assert api.owner["spec"]["strategy"] == {"type": "Recreate"}
    given, image = governor_env(api.governor), environment(FINAL)
    assert given == {name: value for name, value in image.items() if name.startswith("GOVERNOR_")}
    assert {"name": "data", "mountPath": "/data"} in api.governor["volumeMounts"]
    claim = next(volume["persistentVolumeClaim"]["claimName"] for volume in api.spec["volumes"] if volume["name"] == "data")
    assert of_kind(shape("default"), "PersistentVolumeClaim")[claim]["metadata"]["annotations"] == {
        "helm.sh/resource-policy": "keep"
    }


def test_an_image_is_held_by_its_digest() -> None:
    for each in pods(shape("everything")):
        assert each.governor["image"] == f"registry.example/ad-spend-governor@sha256:{'a' * 64}"
        assert each.spec["imagePullSecrets"] == [{"name": "registry"}]
    (default,) = pods(shape("default"))
    assert default.governor["image"] == f"ad-spend-governor:{VERSION}"
    assert chart().version == VERSION


def test_what_is_said_of_all_pods_is_said_of_all_pods() -> None:
    found = [*pods(shape("everything"))]
    assert {each.component for each in found} == {"api", "worker", "migration"}
    for each in found:
        assert each.labels["team"] == "growth"
        assert each.spec["nodeSelector"] == {"kubernetes.io/os": "linux"}
        assert each.spec["priorityClassName"] == "high"
        assert each.spec["tolerations"]
        assert "/etc/ca" in {mount["mountPath"] for mount in each.governor["volumeMounts"]}


def test_who_runs_may_be_left_to_the_cluster() -> None:
    git = {**SHAPES["git"]["rules"]["gitSync"], "runAsUser": None}
    nobody = {"podSecurity": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    (found,) = pods(rendered({**SHAPES["git"], **nobody, "rules": {"gitSync": git}}))
    for security in (found.spec["securityContext"], *(container["securityContext"] for container in found.containers)):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & security.keys()
    assert found.spec["securityContext"]["runAsNonRoot"] is True


# --- what leads to what -----------------------------------------------------------------------------------------------------


def _selectors(manifest: Manifest) -> Iterator[dict[str, str]]:
    spec = manifest.get("spec", {})
    match manifest["kind"]:
        case "Service":
            yield spec["selector"]
        case "Deployment" | "PodDisruptionBudget" | "PodMonitor":
            yield spec["selector"]["matchLabels"]
        case "NetworkPolicy":
            yield spec["podSelector"]["matchLabels"]


@everything
def test_every_selector_finds_the_pods_of_its_own_component(name: str) -> None:
    manifests = shape(name)
    for manifest in manifests:
        for selector in _selectors(manifest):
            found = [each for each in pods(manifests) if selects(selector, each.labels)]
            assert [each.component for each in found] == [manifest["metadata"]["labels"]["app.kubernetes.io/component"]]


@everything
def test_every_port_that_is_named_exists(name: str) -> None:
    manifests = shape(name)
    parts = by_component(manifests)

    def ports(component: str) -> set[str]:
        return {port["name"] for port in parts[component].governor.get("ports", [])}

    (service,) = of_kind(manifests, "Service").values()
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in ports("api")
    for policy in of_kind(manifests, "NetworkPolicy").values():
        named = {each["port"] for rule in policy["spec"]["ingress"] for each in rule["ports"]}
        assert named <= ports(policy["metadata"]["labels"]["app.kubernetes.io/component"])
    for monitor in of_kind(manifests, "ServiceMonitor").values():
        assert selects(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
        assert [each["port"] for each in monitor["spec"]["endpoints"]] == [port["name"]]
    for monitor in of_kind(manifests, "PodMonitor").values():
        assert {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]} == ports("worker")
    for route in (*of_kind(manifests, "Ingress").values(), *of_kind(manifests, "HTTPRoute").values()):
        assert f'"name": "{service["metadata"]["name"]}"' in json.dumps(route["spec"]["rules"])


def test_a_route_leads_from_the_gateway_to_the_service() -> None:
    (route,) = of_kind(shape("everything"), "HTTPRoute").values()
    (service,) = of_kind(shape("everything"), "Service").values()
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["spec"] == {
        "parentRefs": [{"name": "gateway"}],
        "hostnames": ["governor.example"],
        "rules": [
            {
                "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                "backendRefs": [{"name": service["metadata"]["name"], "port": service["spec"]["ports"][0]["port"]}],
            }
        ],
    }


def test_scaling_is_of_deployments_that_leave_it_their_number() -> None:
    manifests = shape("everything")
    deployments = of_kind(manifests, "Deployment")
    scalers = of_kind(manifests, "HorizontalPodAutoscaler")
    assert scalers.keys() == deployments.keys() == of_kind(manifests, "PodDisruptionBudget").keys()
    for scaler in scalers.values():
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["apiVersion"]) == ("Deployment", "apps/v1")
        assert "replicas" not in deployments[target["name"]]["spec"]
    assert [each["type"] for each in scalers["gov-ad-spend-governor-worker"]["spec"]["metrics"]] == [
        "ContainerResource",
        "External",
    ]


@pytest.mark.parametrize(("name", "budgets"), [("default", 0), ("one replica", 0), ("cron job", 1), ("workers", 2)])
def test_only_what_there_are_several_of_has_a_disruption_budget(name: str, budgets: int) -> None:
    found = of_kind(shape(name), "PodDisruptionBudget")
    assert len(found) == budgets
    assert {each["spec"]["maxUnavailable"] for each in found.values()} <= {1}


def test_replicas_go_to_different_nodes() -> None:
    for each in pods(shape("workers")):
        if each.owner["kind"] == "Deployment":
            (spread,) = each.spec["topologySpreadConstraints"]
            assert selects(spread["labelSelector"]["matchLabels"], each.labels)


# --- hooks ------------------------------------------------------------------------------------------------------------------


def _hook(manifest: Manifest) -> int | None:
    annotations = manifest["metadata"].get("annotations", {})
    return int(annotations["helm.sh/hook-weight"]) if "helm.sh/hook" in annotations else None


def test_the_migration_needs_nothing_that_is_not_there_yet() -> None:
    for name in ("workers", "cron job", "everything"):
        manifests = shape(name)
        migration = by_component(manifests)["migration"]
        assert migration.owner["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert "serviceAccountName" not in migration.spec
        made = {each["metadata"]["name"] for each in manifests if each["kind"] in {"ConfigMap", "PersistentVolumeClaim"}}
        assert not [volume for volume in migration.spec["volumes"] for other in made if other in json.dumps(volume)]
        hooks = {each["kind"]: _hook(each) for each in manifests if _hook(each) is not None}
        assert hooks.keys() == {"Job", "NetworkPolicy"}
        assert (hooks["NetworkPolicy"] or 0) < (hooks["Job"] or 0)


def test_on_sqlite_the_server_migrates_and_there_is_no_job() -> None:
    assert "migration" not in by_component(shape("default"))
    assert "migration" not in by_component(rendered({**SHAPES["workers"], "migration": {"enabled": False}}))


# --- the network ------------------------------------------------------------------------------------------------------------


def _egress(manifests: list[Manifest], component: str) -> dict[int, list[Any]]:
    (policy,) = [
        each
        for each in of_kind(manifests, "NetworkPolicy").values()
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == component
    ]
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    return {port["port"]: rule.get("to", []) for rule in policy["spec"]["egress"] for port in rule["ports"]}


@everything
def test_every_pod_has_a_policy(name: str) -> None:
    manifests = shape(name)
    policies = of_kind(manifests, "NetworkPolicy").values()
    for each in pods(manifests):
        found = [policy for policy in policies if selects(policy["spec"]["podSelector"]["matchLabels"], each.labels)]
        assert len(found) == 1
        assert (found[0]["spec"]["ingress"] == []) or name == "everything"


def test_only_who_is_named_comes_in() -> None:
    policies = of_kind(shape("everything"), "NetworkPolicy")
    came = {
        name: [
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for rule in policy["spec"]["ingress"]
            for peer in rule["from"]
        ]
        for name, policy in policies.items()
    }
    assert came == {
        "gov-ad-spend-governor": ["ingress-nginx", "monitoring"],
        "gov-ad-spend-governor-worker": ["monitoring"],
        "gov-ad-spend-governor-migrate": [],
    }


def test_each_reaches_what_it_needs_and_nothing_else() -> None:
    assert _egress(shape("default"), "api").keys() == {53, 443}
    assert _egress(shape("cron job"), "evaluation").keys() == {53, 443, 5432}
    assert _egress(shape("workers"), "worker").keys() == {53, 443, 5432, 6379}
    assert _egress(shape("everything"), "worker").keys() == {53, 443, 587, 22, 5432, 6379, 4318}
    assert _egress(shape("everything"), "migration").keys() == {53, 5432, 4318}
    assert _egress(shape("everything"), "worker")[5432] == [{"ipBlock": {"cidr": "10.0.5.0/24"}}]


def test_outside_is_neither_the_cluster_nor_the_clouds_metadata() -> None:
    v4, v6 = (peer["ipBlock"] for peer in _egress(shape("default"), "api")[443])
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"} <= {*v4["except"]}
    assert {"fc00::/7", "fe80::/10"} <= {*v6["except"]}


# --- shapes -----------------------------------------------------------------------------------------------------------------


def _who(name: str) -> dict[str, list[str]]:
    return {component: each.governor["args"] for component, each in by_component(shape(name)).items()}


def test_in_each_shape_one_kind_of_process_evaluates() -> None:
    serve, worker = ["serve", "--host", "0.0.0.0", "--port", "8000"], ["worker", "--host", "0.0.0.0", "--port", "8001"]  # noqa: S104 - in a pod
    assert _who("default") == _who("one replica") == _who("git") == {"api": serve}
    assert _who("workers") == _who("everything") == {"api": serve, "worker": worker, "migration": ["migrate"]}
    assert _who("cron job") == {"api": [*serve, "--api-only"], "evaluation": ["evaluate"], "migration": ["migrate"]}
    for name in SHAPES:
        told = {each.component for each in pods(shape(name)) if "GOVERNOR_REDIS_URL" in governor_env(each.governor)}
        assert told == ({"api", "worker"} if name in {"workers", "everything"} else set())


def test_passes_do_not_overlap_and_end_before_the_next() -> None:
    (job,) = of_kind(shape("cron job"), "CronJob").values()
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert 0 < job["spec"]["startingDeadlineSeconds"] < 3600
    assert job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] < 3600
    assert job["spec"]["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert job["spec"]["timeZone"] == "Etc/UTC"


def _git(each: Pods) -> dict[str, dict[str, Any]]:
    return {container["name"]: container for container in each.containers if container["name"].startswith("git-sync")}


def test_git_is_asked_once_before_and_on_and_on_beside() -> None:
    for name, credentials in (("git", "GITSYNC_PASSWORD_FILE"), ("everything", "GITSYNC_SSH_KEY_FILE")):
        for each in pods(shape(name)):
            if each.component == "migration":
                assert _git(each) == {}
                continue
            first, beside = _git(each)["git-sync-first"], _git(each)["git-sync"]
            assert first in each.spec["initContainers"]
            assert governor_env(first)["GITSYNC_ONE_TIME"] == "true"
            assert governor_env(beside)["GITSYNC_MAX_FAILURES"] == "-1"
            assert credentials in governor_env(first)
            assert governor_env(each.governor)["GOVERNOR_RULES_DIR"] in {"/rules/current/rules", "/rules/current"}
            assert first["image"].rpartition(":")[2].startswith("v4.")


def test_a_pass_begun_by_kubernetes_ends_although_git_is_followed() -> None:
    values = {**SHAPES["cron job"], "rules": SHAPES["git"]["rules"]}
    assert _git(by_component(rendered(values))["evaluation"]).keys() == {"git-sync-first"}


def test_a_pass_of_the_cron_job_that_is_killed_leaves_its_clinics_free_by_the_next() -> None:
    (job,) = of_kind(shape("cron job"), "CronJob").values()
    pod = by_component(shape("cron job"))["evaluation"].spec
    longest = job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] + pod["terminationGracePeriodSeconds"]
    assert longest + TERM.total_seconds() < 3600


def test_the_migration_may_be_made_by_another_role_than_the_services() -> None:
    owner = {"migration": {"existingSecret": "owner", "key": "URL"}}
    given = {each.component: governor_env(each.governor) for each in pods(rendered({**SHAPES["workers"], **owner}))}
    addresses = {component: env["GOVERNOR_DATABASE_URL"]["secretKeyRef"] for component, env in given.items()}
    ours = {"name": "our-database", "key": "DATABASE_URL"}
    assert addresses == {"api": ours, "worker": ours, "migration": {"name": "owner", "key": "URL"}}


def test_how_quickly_replicas_come_and_go_may_be_said() -> None:
    slowly = {"scaleDown": {"stabilizationWindowSeconds": 900}}
    values = {**SHAPES["workers"], "workers": {"autoscaling": {"enabled": True, "behavior": slowly}}}
    (scaler,) = of_kind(rendered(values), "HorizontalPodAutoscaler").values()
    assert scaler["spec"]["behavior"] == slowly
    assert all("behavior" not in each["spec"] for each in of_kind(shape("everything"), "HorizontalPodAutoscaler").values())


def test_an_upgrade_that_may_have_left_sqlite_says_what_that_means() -> None:
    def noted(name: str, *, upgrade: bool) -> bool:
        texts = chart().render(dict(SHAPES[name]), name="gov", namespace="ads", is_upgrade=upgrade, is_install=not upgrade)
        return any("From SQLite to PostgreSQL" in text for path, text in texts.items() if path.endswith("NOTES.txt"))

    assert noted("workers", upgrade=True)
    assert not noted("workers", upgrade=False)
    assert not noted("default", upgrade=True)
    assert "### From SQLite to PostgreSQL" in (HELM / "README.md").read_text("utf-8")

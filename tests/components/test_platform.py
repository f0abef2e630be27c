"""What is protected, in which order things come, and what the outputs say."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pulumi
import pytest

from components import platform
from components.platform import Platform
from components.recording import Recorded, Recorder, record
from components.tenancy import tenancy
from corral.kubernetes import Access
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, every_runtime, registered, with_tenants

ROLE_BINDING = "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"
NAMESPACE = "kubernetes:core/v1:Namespace"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def up(
    monkeypatch: pytest.MonkeyPatch,
    wait: Callable[[Access], None],
    *,
    monitor: Recorder | None = None,
    tenants: tuple[str, ...] = ("acme", "zeta"),
) -> dict[str, Recorded]:
    """Runs the platform for real (no preview), with another wait for enforcement."""
    monkeypatch.setattr(platform, "await_enforcement", wait)
    settings = with_tenants(*tenants)
    return record(lambda: Platform("corral", settings), preview=False, monitor=monitor)


def of_type(resources: dict[str, Recorded], token: str) -> list[Recorded]:
    return [resource for resource in resources.values() if resource.type == token]


def cluster_provider(settings: Settings) -> Recorded:
    """The provider of everything on the cluster."""
    providers = of_type(registered(settings), "pulumi:providers:kubernetes")
    (found,) = [provider for provider in providers if provider.name == "cluster"]
    return found


def test_people_s_work_is_protected_on_a_cluster_of_theirs() -> None:
    protected = [resource for resource in registered(every_runtime()).values() if resource.protect]
    assert [(resource.type, resource.name) for resource in protected] == [(NAMESPACE, "everything")]


def test_an_embedded_cluster_can_be_thrown_away() -> None:
    assert not [resource for resource in registered(LOCAL).values() if resource.protect]


def test_the_embedded_cluster_is_reached_by_a_path_that_every_machine_has() -> None:
    provider = cluster_provider(LOCAL)
    assert provider.inputs["kubeconfig"] == ".corral/kubeconfig"
    assert provider.inputs["context"] == "corral"


def test_another_cluster_is_reached_as_the_settings_say() -> None:
    provider = cluster_provider(every_runtime())
    assert provider.inputs["kubeconfig"] == "/etc/corral/kubeconfig"
    assert provider.inputs["context"] == "c"


@pytest.mark.parametrize(
    ("settings", "identity"), [(LOCAL, "embedded/corral"), (every_runtime(), "existing/c")]
)
def test_a_cluster_at_a_new_address_is_no_other_cluster(settings: Settings, identity: str) -> None:
    provider = cluster_provider(settings)
    assert provider.inputs["clusterIdentifier"] == identity


def test_lists_and_secrets_change_in_place() -> None:
    """By default they are deleted and made anew: whoever reads them finds none meanwhile."""
    inputs = cluster_provider(every_runtime()).inputs
    assert inputs["enableConfigMapMutable"] == inputs["enableSecretMutable"]
    assert inputs["enableSecretMutable"] in (True, "true")


def test_outputs_are_the_component_s_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Platform] = []
    namespaces: list[list[str]] = []

    def program() -> None:
        built.append(Platform("corral", LOCAL))
        built[0].namespaces.apply(namespaces.append)

    monkeypatch.setattr(platform, "await_enforcement", lambda _: None)
    resources = record(program, preview=False)
    (root,) = of_type(resources, "corral:platform:Platform")
    assert root.outputs == {
        "context": built[0].context,
        "runtime_classes": list(built[0].runtime_classes),
        "policies": list(built[0].policies),
        "namespaces": namespaces[0],
        "egress_addresses": [],
    }
    assert namespaces == [["agents-acme", "agents-trusted-ci"]]


def tenants_bindings(resources: dict[str, Recorded]) -> list[Recorded]:
    """Rights in tenants' namespaces."""
    return [
        binding
        for binding in of_type(resources, ROLE_BINDING)
        if binding.inputs["metadata"]["namespace"].startswith("agents-")
    ]


def test_nobody_gets_rights_before_the_fences_stand() -> None:
    resources = registered(LOCAL)
    for binding in tenants_bindings(resources):
        needed = {resources[urn].type.rsplit(":", 1)[1] for urn in binding.dependencies}
        assert needed == {
            "Namespace",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "LimitRange",
            "ResourceQuota",
            "ServiceAccount",
            "ClusterRole",
        }
        quotas = [urn for urn in binding.dependencies if ":ResourceQuota::" in urn]
        tenant = binding.name.split("/")[0]
        assert len(quotas) == 1 + len(LOCAL.tenants[tenant].agents)


def test_rights_hang_on_every_policy() -> None:
    resources = registered(LOCAL)
    bound = {
        r.urn for r in resources.values() if r.type.endswith(":ValidatingAdmissionPolicyBinding")
    }
    assert bound
    for binding in tenants_bindings(resources):
        assert bound <= everything_before(binding, resources), "deleted in the wrong order"


def everything_before(resource: Recorded, resources: dict[str, Recorded]) -> set[str]:
    found: set[str] = set()
    waiting = set(resource.dependencies)
    while waiting:
        urn = waiting.pop()
        if urn not in found:
            found.add(urn)
            waiting |= resources[urn].dependencies
    return found


def test_nobody_gets_rights_before_admission_is_seen_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monitor = Recorder()
    there_before: set[str] = set()

    def wait(_: Access) -> None:
        there_before.update(monitor.requests)

    resources = up(monkeypatch, wait, monitor=monitor)
    bindings = tenants_bindings(resources)
    assert len(bindings) == 6
    at_the_time = [resources[urn].type for urn in there_before]
    assert not there_before & {binding.urn for binding in bindings}
    assert at_the_time.count(NAMESPACE) >= 1, "what the wait is about was there"


def test_admission_that_refuses_nothing_leaves_tenants_without_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def wait(_: Access) -> None:
        raise pulumi.RunError("not enforced")

    monitor = Recorder()
    with pytest.raises(pulumi.RunError, match="not enforced"):
        up(monkeypatch, wait, monitor=monitor)
    assert tenants_bindings(monitor.requests) == []
    assert of_type(monitor.requests, "kubernetes:core/v1:ResourceQuota") != []


@pytest.mark.parametrize("existing", [True, False])
def test_a_preview_asks_the_cluster_nothing(
    monkeypatch: pytest.MonkeyPatch, existing: bool
) -> None:
    def wait(_: Access) -> None:
        raise AssertionError("a preview must not wait for what it doesn't create")

    monkeypatch.setattr(platform, "await_enforcement", wait)
    monitor = Recorder(existing=existing)
    assert of_type(record(lambda: Platform("corral", LOCAL), monitor=monitor), ROLE_BINDING)


def test_the_wait_holds_up_nothing_but_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    fenced = threading.Event()
    monitor = Watching("zeta/orchestrator", fenced)

    def wait(_: Access) -> None:
        assert fenced.wait(timeout=30), "tenants' fences waited for admission"

    up(monkeypatch, wait, monitor=monitor)


class Watching(Recorder):
    """Says when a resource of some name was registered."""

    def __init__(self, name: str, seen: threading.Event) -> None:
        super().__init__()
        self._name = name
        self._seen = seen

    def RegisterResource(self, request: object) -> object:  # noqa: N802 - the SDK calls it so
        answer = super().RegisterResource(request)
        if getattr(request, "name", "") == self._name:
            self._seen.set()
        return answer


def test_tenants_are_registered_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenancy, "AT_ONCE", 2)
    names = tuple(f"tenant-{number}" for number in range(9))
    resources = up(monkeypatch, lambda _: None, tenants=names)
    assert [r.name for r in of_type(resources, "corral:tenancy:TenantNamespace")] == list(names)
    order = list(resources)
    last = order.index(next(urn for urn in order if urn.endswith("::tenant-8")))
    first = order.index(next(urn for urn in order if urn.endswith("::tenant-0/orchestrator")))
    assert first < last, "the ninth came before the first had its fences"


@pytest.mark.parametrize("at_once", [1, 32])
def test_one_tenant_s_failure_doesn_t_keep_others_from_being_registered(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(tenancy, "AT_ONCE", at_once)
    monitor = Recorder(fails=[(NETWORK_POLICY, "acme/corral-default-deny")])
    resources = up(monkeypatch, lambda _: None, monitor=monitor, tenants=("acme", "zeta"))
    assert "zeta/corral-default-deny" in [r.name for r in of_type(resources, NETWORK_POLICY)]


def test_admission_that_failed_isn_t_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: Access) -> None:
        raise AssertionError("a minute would pass until the error that is there already")

    account = ("kubernetes:core/v1:ServiceAccount", "probe/sandbox")
    resources = up(monkeypatch, wait, monitor=Recorder(fails=[account]))
    for binding in tenants_bindings(resources):
        needed = [urn for urn in binding.dependencies if urn.endswith("::probe/sandbox")]
        assert needed, "the engine wouldn't skip the rights"

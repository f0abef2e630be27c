"""What all registered resources have in common, whatever the stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pulumi_kubernetes
import pytest
from pulumi.output import Unknown

from components.recording import SERVICE_TYPE, STACK_TYPE, Recorded
from corral.settings.stack import Settings
from tests.components.examples import LOCAL, every_part, every_runtime, registered, with_tenants

STACKS = {
    "local": LOCAL,
    "every-runtime": every_runtime(),
    "every-part": every_part(),
    "no-tenants": with_tenants(),
    "many-tenants": with_tenants(*(f"tenant-{number}" for number in range(70))),
}
SECRET_MARK = "4dabf18193072939515e22adb298388d"
SECRET_TYPE, CHART_TYPE = "kubernetes:core/v1:Secret", "kubernetes:helm.sh/v4:Chart"
PLAIN = (str, int, float, bool)


@pytest.fixture(params=STACKS, scope="module")
def resources(request: pytest.FixtureRequest) -> dict[str, Recorded]:
    return registered(STACKS[request.param])


def objects(resources: dict[str, Recorded]) -> list[Recorded]:
    found = [resource for resource in resources.values() if resource.kubernetes]
    return [resource for resource in found if resource.type != CHART_TYPE]


def components(resources: dict[str, Recorded]) -> list[Recorded]:
    return [resource for resource in resources.values() if resource.type.startswith("corral:")]


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def test_type_tokens_say_layer_and_class(resources: dict[str, Recorded]) -> None:
    for resource in components(resources):
        package, layer, name = resource.type.split(":")
        assert package == "corral"
        assert layer in ("platform", "isolation", "network", "observability", "tenancy")
        assert name[0].isupper()


def test_everything_is_below_the_platform(resources: dict[str, Recorded]) -> None:
    (root,) = [resource for resource in resources.values() if STACK_TYPE in resource.parent]
    assert root.type == "corral:platform:Platform"
    for resource in resources.values():
        assert resource is root or resource.parent in resources


def test_every_object_uses_the_platform_s_own_provider(resources: dict[str, Recorded]) -> None:
    (provider,) = [
        r
        for r in resources.values()
        if (r.type, r.name) == ("pulumi:providers:kubernetes", "cluster")
    ]
    for resource in objects(resources):
        assert resource.provider.startswith(provider.urn), (
            f"{resource.urn} would go to whatever cluster somebody's kubeconfig points to"
        )


def test_every_object_has_a_name_and_a_label_of_ours(resources: dict[str, Recorded]) -> None:
    for resource in objects(resources):
        metadata = resource.inputs["metadata"]
        assert isinstance(metadata["name"], str)
        assert metadata["labels"]["app.kubernetes.io/managed-by"] == "corral", resource.urn


def test_no_two_registrations_are_the_same_object(resources: dict[str, Recorded]) -> None:
    identities = Counter(
        (r.type, r.inputs["metadata"].get("namespace"), r.inputs["metadata"]["name"])
        for r in objects(resources)
    )
    assert [identity for identity, count in identities.items() if count > 1] == []


def test_what_is_in_a_namespace_waits_for_it(resources: dict[str, Recorded]) -> None:
    namespaces = {
        resource.inputs["metadata"]["name"]: resource.urn
        for resource in objects(resources)
        if resource.type == "kubernetes:core/v1:Namespace"
    }
    for resource in objects(resources):
        namespace = resource.inputs["metadata"].get("namespace")
        if namespace is not None:
            assert namespaces[namespace] in resource.dependencies, resource.urn


def test_previews_know_everything_but_addresses_and_secrets_stand_in_secrets_alone(
    resources: dict[str, Recorded],
) -> None:
    for resource in resources.values():
        addressed = any(f"{SERVICE_TYPE}::" in urn for urn in resource.dependencies)
        for leaf in leaves([resource.inputs, resource.outputs]):
            known = isinstance(leaf, PLAIN) or (addressed and isinstance(leaf, Unknown))
            assert known, f"{resource.urn}: {leaf!r}"
            assert leaf != SECRET_MARK or resource.type == SECRET_TYPE, resource.urn


def test_components_register_their_outputs(resources: dict[str, Recorded]) -> None:
    for resource in components(resources):
        assert resource.outputs, f"{resource.urn} would look unfinished to the engine"


def test_types_are_those_of_the_generated_classes(resources: dict[str, Recorded]) -> None:
    for token in {resource.type for resource in objects(resources)}:
        _, module, kind = token.split(":")
        if module.startswith("monitoring.coreos.com/"):
            continue  # Prometheus' operator defines them; there are no classes of them.
        assert generated(module, kind).pulumi_type == token


def generated(module: str, kind: str) -> Any:
    """pulumi-kubernetes' own class: `rbac.authorization.k8s.io/v1` Role → rbac.v1.Role."""
    group, version = module.split("/")
    package = getattr(pulumi_kubernetes, group.split(".")[0])
    return getattr(getattr(package, version), kind)


def test_immutable_fields_are_replaced_in_the_right_order(resources: dict[str, Recorded]) -> None:
    wanted = {
        "kubernetes:node.k8s.io/v1:RuntimeClass": ("handler",),
        "kubernetes:scheduling.k8s.io/v1:PriorityClass": ("value", "preemptionPolicy"),
        "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef",),
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef",),
        "kubernetes:apps/v1:DaemonSet": ("spec.selector",),
        "kubernetes:apps/v1:Deployment": ("spec.selector",),
    }
    for resource in objects(resources):
        assert resource.replace_on_changes == wanted.get(resource.type, ()), resource.urn
        assert resource.delete_before_replace == (resource.type in wanted), (
            "names are fixed: a new object can't come before the old one went"
        )


def urns(settings: Settings) -> set[str]:
    return set(registered(settings))


def test_a_tenant_that_comes_or_goes_renames_nothing_of_others() -> None:
    before, after = urns(with_tenants("acme", "zeta")), urns(with_tenants("acme", "beta", "zeta"))
    assert before < after
    assert all("::beta" in urn for urn in after - before)


def test_the_order_of_tenants_names_nothing() -> None:
    assert urns(with_tenants("acme", "zeta")) == urns(with_tenants("zeta", "acme"))


@pytest.mark.parametrize("names", [("a", "a-sandbox"), ("a", "a-corral-agents"), ("x-y", "x")])
def test_tenants_whose_names_begin_alike_don_t_meet(names: tuple[str, str]) -> None:
    registered(with_tenants(*names))
    registered(with_tenants(*reversed(names)))


def test_a_thousand_tenants_are_as_few_objects_each_as_one() -> None:
    one = LOCAL.tenants["trusted-ci"].model_copy(update={"agents": {"judge": 3}})
    few = LOCAL.model_copy(update={"tenants": {"one": one}})
    per_tenant = [
        resource for resource in objects(registered(few)) if "TenantNamespace" in resource.urn
    ]
    assert sorted(resource.type.rsplit(":", 1)[1] for resource in per_tenant) == [
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "ResourceQuota",
        "RoleBinding",
        "RoleBinding",
        "ServiceAccount",
        "ServiceAccount",
    ]

"""Rendered charts as objects: names, scopes and order as the Kubernetes provider has them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from corral.embedded.engine.kubernetes_yaml import load_yaml
from corral.embedded.engine.manifests import ChartObject, chart_objects, scope_unknown
from corral.embedded.engine.registration import ResourceFailed


def objects(text: str, prefix: str = "chart", skip_await: bool = False) -> list[ChartObject]:
    return chart_objects(
        dedent(text),
        prefix=prefix,
        namespace="home",
        namespaced=scope_unknown,
        skip_await=skip_await,
    )


def one(text: str, prefix: str = "chart") -> ChartObject:
    [found] = objects(text, prefix)
    return found


@pytest.mark.parametrize(
    ("version", "kind", "type", "name"),
    [
        ("v1", "ConfigMap", "kubernetes:core/v1:ConfigMap", "chart:home/x"),
        ("core/v1", "ConfigMap", "kubernetes:core/v1:ConfigMap", "chart:home/x"),
        ("v1", "Namespace", "kubernetes:core/v1:Namespace", "chart:x"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment", "chart:home/x"),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
            "chart:x",
        ),
        ("example.dev/v1", "Role", "kubernetes:example.dev/v1:Role", "chart:x"),
    ],
)
def test_types_and_names_follow_from_the_object(
    version: str, kind: str, type: str, name: str
) -> None:
    found = one(f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: x}}}}")
    assert (found.type, found.name) == (type, name)


def test_a_namespace_that_an_object_names_is_kept() -> None:
    found = one("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: away}}")
    assert found.name == "chart:away/x"


def test_without_a_prefix_names_stand_alone() -> None:
    assert one("{apiVersion: v1, kind: Secret, metadata: {name: x}}", prefix="").name == "home/x"


CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: things.example.dev}}
spec: {{group: example.dev, names: {{kind: Thing}}, scope: {scope}}}
---
"""
THING = "{apiVersion: example.dev/v1, kind: Thing, metadata: {name: x}}"


@pytest.mark.parametrize(
    ("scope", "name"), [("Namespaced", "chart:home/x"), ("Cluster", "chart:x")]
)
def test_the_scope_of_a_kind_that_the_chart_defines_is_read_from_its_definition(
    scope: str, name: str
) -> None:
    definition, thing = objects(CRD.format(scope=scope) + THING)
    assert definition.name == "chart:things.example.dev"
    assert thing.name == name
    assert thing.needs == (0,), "it can't be created before its kind is there"


def test_the_scope_of_other_kinds_is_asked_for() -> None:
    [found] = chart_objects(
        THING,
        prefix="c",
        namespace="home",
        namespaced=lambda version, kind: (version, kind) == ("example.dev/v1", "Thing"),
        skip_await=False,
    )
    assert found.document["metadata"]["namespace"] == "home"


def test_lists_are_unrolled_and_empty_documents_are_dropped() -> None:
    found = objects(
        """
        ---
        # nothing
        ---
        apiVersion: v1
        kind: ConfigMapList
        items:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
          - {apiVersion: v1, kind: List, items: [
              {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}]}
        """
    )
    assert [item.name for item in found] == ["chart:home/a", "chart:home/b"]


def test_objects_come_after_their_namespace_and_what_they_name() -> None:
    found = objects(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: a
          namespace: made
          annotations:
            config.kubernetes.io/depends-on: >-
              /namespaces/made/Secret/s, rbac.authorization.k8s.io/ClusterRole/r
        ---
        {apiVersion: v1, kind: Namespace, metadata: {name: made}}
        ---
        {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: made}}
        ---
        {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}
        """
    )
    names = [item.name for item in found]
    assert names == ["chart:made", "chart:r", "chart:made/s", "chart:made/a"]
    assert {names[i] for i in found[3].needs} == {"chart:made", "chart:r", "chart:made/s"}


def test_a_resource_policy_keeps_the_object() -> None:
    found = one(
        "{apiVersion: v1, kind: ConfigMap, "
        "metadata: {name: x, annotations: {helm.sh/resource-policy: keep}}}"
    )
    assert found.retain_on_delete


def test_skipping_the_wait_leaves_pulumis_annotation() -> None:
    [found] = objects(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, annotations: null}}",
        skip_await=True,
    )
    assert found.document["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: [t0ken", "isn't YAML: did not find expected ',' or ']' in line 3"),
        ("just t0ken", "holds a str where an object should be"),
        ("{apiVersion: v1, metadata: {name: x}}", "without apiVersion, kind or metadata.name"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {}}", "metadata.name"),
        (THING + "\n---\n" + THING, "renders Thing x twice"),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, annotations: "
            "{config.kubernetes.io/depends-on: /Node/n}}}",
            "names Node n in config.kubernetes.io/depends-on, which isn't in the chart",
        ),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, annotations: "
            "{config.kubernetes.io/depends-on: n}}}",
            "which isn't <group>/<kind>/<name>",
        ),
        (
            "{apiVersion: v1, kind: Node, metadata: {name: x, annotations: "
            "{config.kubernetes.io/depends-on: /Node/x}}}",
            "depend on each other: Node x",
        ),
    ],
)
def test_what_is_no_manifest_fails_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ResourceFailed) as raised:
        objects(text)
    assert reason in str(raised.value)
    assert "t0ken" not in str(raised.value), "what is rendered may be secret"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12:30", "12:30"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("=", "="),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.5", 1.5),
        ("0644", 420),
        ("0x1F", 31),
        ("'1e3'", "1e3"),
        ("1.2.3", "1.2.3"),
        ("v1", "v1"),
        ("10Gi", "10Gi"),
        ("on", True),
        ("~", None),
        (".", "."),
        ("+5", 5),
        ("089", 89),
    ],
)
def test_scalars_are_read_as_kubernetes_tools_read_them(text: str, value: object) -> None:
    [document] = load_yaml(f"a: {text}")
    assert document == {"a": value}
    assert type(document["a"]) is type(value)

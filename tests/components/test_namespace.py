"""Namespaces carry what Pod Security and admission go by."""

from __future__ import annotations

import pytest

from components.documents import Document
from components.tenancy.namespace import system_namespace_document, tenant_namespace_document
from components.tenancy.probe_namespace import (
    probe_account_document,
    probe_namespace_document,
    probe_quota_document,
)
from components.versions import KUBERNETES, kubernetes_minor
from corral.embedded.cluster.pins import PINS
from corral.settings.tiers import Tier

ACME = tenant_namespace_document("acme", Tier.GVISOR)


@pytest.mark.parametrize("document", [ACME, system_namespace_document()])
@pytest.mark.parametrize("mode", ["enforce", "audit", "warn"])
def test_pod_security_is_restricted_at_a_named_release(document: Document, mode: str) -> None:
    labels = document["metadata"]["labels"]
    assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"
    assert labels[f"pod-security.kubernetes.io/{mode}-version"] == "v1.36"


def test_the_release_is_the_one_that_the_embedded_cluster_runs() -> None:
    assert PINS["kube-apiserver"].version == f"v{KUBERNETES}"
    assert KUBERNETES.startswith(kubernetes_minor().removeprefix("v"))


def test_a_tenant_s_namespace_says_whose_it_is_and_on_which_tier() -> None:
    assert ACME["metadata"]["name"] == "agents-acme"
    labels = ACME["metadata"]["labels"]
    assert labels["corral.dev/tenant"] == "acme"
    assert labels["corral.dev/tier"] == "gvisor"


def test_the_system_s_namespace_is_no_tenant_s() -> None:
    assert "corral.dev/tenant" not in system_namespace_document()["metadata"]["labels"]


def test_admission_stands_alone_where_it_is_tried() -> None:
    labels = probe_namespace_document()["metadata"]["labels"]
    assert labels["corral.dev/tenant"] == "admission-probe"
    assert not [key for key in labels if key.startswith("pod-security")]


def test_nothing_runs_where_admission_is_tried() -> None:
    assert probe_quota_document()["spec"] == {"hard": {"pods": "0"}}


def test_probes_have_an_account_with_parameters() -> None:
    account = probe_account_document()
    assert account["metadata"]["name"] == "sandbox"
    assert account["metadata"]["annotations"]["corral.dev/tenant"] == "admission-probe"

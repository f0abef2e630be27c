"""The client against a real API server: what a double can't know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import (
    Access,
    Api,
    ApiError,
    CredentialError,
    Discovery,
    KubeconfigError,
    Unreachable,
)
from tests.kubernetes.doubles import Clock

pytestmark = pytest.mark.cluster

SPACE = "client-tests"
MAPS = f"/api/v1/namespaces/{SPACE}/configmaps"


@pytest.fixture(scope="module", autouse=True)
def space(api: Api) -> Iterator[None]:
    document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    api.apply(f"/api/v1/namespaces/{SPACE}", document)
    yield
    api.delete(f"/api/v1/namespaces/{SPACE}")


def config(name: str, **data: str) -> dict[str, object]:
    metadata = {"name": name, "namespace": SPACE, "labels": {"of": "client-tests"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_an_object_lives_and_dies(api: Api) -> None:
    api.apply(f"{MAPS}/a", config("a", x="1"))
    assert api.get(f"{MAPS}/a")["data"] == {"x": "1"}
    assert api.patch(f"{MAPS}/a", {"data": {"x": "2"}})["data"] == {"x": "2"}
    operation = {"op": "remove", "path": "/data/x"}
    assert "data" not in api.patch(f"{MAPS}/a", [operation], kind="json")
    assert api.delete(f"{MAPS}/a") is not None
    assert api.find(f"{MAPS}/a") is None
    assert api.delete(f"{MAPS}/a") is None


def test_a_dry_run_leaves_nothing_behind(api: Api) -> None:
    assert api.apply(f"{MAPS}/dry", config("dry"), dry_run=True)["metadata"]["uid"]
    assert api.create(MAPS, config("dry"), dry_run=True)["metadata"]["uid"]
    assert api.find(f"{MAPS}/dry") is None


def test_a_field_outside_of_the_schema_is_an_error_and_not_retried(api: Api) -> None:
    with pytest.raises(ApiError, match="field not declared in schema") as caught:
        api.apply(f"{MAPS}/a", {**config("a"), "nonsense": 1})
    assert caught.value.typing_failed


def test_a_creation_that_is_there_already_says_so(api: Api) -> None:
    api.create(MAPS, config("twice"))
    with pytest.raises(ApiError) as caught:
        api.create(MAPS, config("twice"))
    assert (caught.value.status, caught.value.reason) == (409, "AlreadyExists")


def test_only_the_object_that_was_meant_is_deleted(api: Api) -> None:
    api.apply(f"{MAPS}/mine", config("mine"))
    with pytest.raises(ApiError) as caught:
        api.delete(f"{MAPS}/mine", uid="somebody-elses")
    assert caught.value.status == 409
    assert api.find(f"{MAPS}/mine") is not None


def test_a_listing_comes_whole_however_small_its_pages(api: Api) -> None:
    names = {f"page-{number}" for number in range(7)}
    for name in names:
        api.apply(f"{MAPS}/{name}", config(name))
    found = [item["metadata"]["name"] for item in api.list(MAPS, labels="of=client-tests", page=2)]
    assert names <= set(found)
    assert len(found) == len(set(found))
    assert next(api.list(MAPS, fields="metadata.name=page-3"))["metadata"]["name"] == "page-3"


def test_kinds_are_found_by_version_and_by_group(api: Api) -> None:
    discovery = Discovery(api)
    roles = discovery.find("rbac.authorization.k8s.io/v1", "Role")
    assert roles is not None
    assert roles == discovery.preferred("Role.rbac.authorization.k8s.io")
    assert roles.path("r", SPACE).endswith(f"/v1/namespaces/{SPACE}/roles/r")
    namespaces = discovery.find("v1", "Namespace")
    assert namespaces is not None
    assert namespaces.path("n", "ignored") == "/api/v1/namespaces/n"
    assert discovery.find("v1", "Nonsense") is None
    assert discovery.preferred("Nonsense.dev") is None


def test_a_kind_that_came_later_is_found(api: Api) -> None:
    discovery = Discovery(api)
    assert discovery.find("client.tests.corral.dev/v1", "Late") is None
    schema = {"openAPIV3Schema": {"type": "object"}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "lates.client.tests.corral.dev"},
        "spec": {
            "group": "client.tests.corral.dev",
            "names": {"kind": "Late", "plural": "lates"},
            "scope": "Cluster",
            "versions": [version],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    api.apply(f"{path}/lates.client.tests.corral.dev", definition)
    for _ in range(1000):  # each asks the server
        if (found := discovery.find("client.tests.corral.dev/v1", "Late")) is not None:
            break
    assert found is not None
    assert not found.namespaced


def changed(cluster: EmbeddedCluster, folder: Path, section: str, **keys: object) -> Access:
    """The cluster's kubeconfig with other keys for its cluster or its user."""
    document = yaml.safe_load(cluster.kubeconfig.read_text())
    inner = {"clusters": "cluster", "users": "user"}[section]
    for entry in document[section]:
        entry[inner].update(keys)
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return Access(kubeconfig=file, context="corral")


def test_a_server_with_another_certificate_is_not_talked_to(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    access = changed(control_plane, tmp_path, "clusters", **{"tls-server-name": "somebody.else"})
    with pytest.raises(CredentialError, match="not trusted"):
        Api.connect(access, retries=Clock().retries()).get("/version")


def test_a_name_that_the_certificate_has_is_accepted(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    access = changed(control_plane, tmp_path, "clusters", **{"tls-server-name": "localhost"})
    assert Api.connect(access).get("/version")["major"] == "1"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_is_not_looked_at_only_where_the_kubeconfig_says_so(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    keys = {"tls-server-name": "somebody.else", "certificate-authority-data": None}
    strict = changed(control_plane, tmp_path, "clusters", **keys)
    with pytest.raises(CredentialError, match="not trusted"):
        Api.connect(strict, retries=Clock().retries()).get("/version")
    loose = {**keys, "insecure-skip-tls-verify": True}
    access = changed(control_plane, tmp_path, "clusters", **loose)
    assert Api.connect(access).get("/version")["major"] == "1"


def test_a_wrong_token_is_refused_by_the_server(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    nothing = dict.fromkeys(
        ("client-certificate", "client-certificate-data", "client-key", "client-key-data")
    )
    access = changed(control_plane, tmp_path, "users", token="wrong", **nothing)
    with pytest.raises(ApiError) as caught:
        Api.connect(access).get("/api/v1/namespaces")
    assert caught.value.status == 401


def test_a_server_that_is_not_there_is_named(
    control_plane: EmbeddedCluster, tmp_path: Path
) -> None:
    access = changed(control_plane, tmp_path, "clusters", server="https://127.0.0.1:1")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 does not answer: connection refused"):
        Api.connect(access, retries=Clock().retries()).get("/version")


def test_the_clusters_own_context_has_to_be_named(control_plane: EmbeddedCluster) -> None:
    with pytest.raises(KubeconfigError, match="corral"):
        Access(kubeconfig=control_plane.kubeconfig, context="another").endpoint()

"""The control plane as a process, on a real API server, asked as Envoy asks it."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

from components.network.gateway.parts import shared_part, tenant_part
from components.network.gateway.upstream import public_way
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api
from corral.settings.egress import Egress
from tests.warden.egress.ports import free_port
from warden.egress.certificates import Pair, authority, client_certificate
from warden.egress.record import ANNOTATION, ENDS_ANNOTATION, parse_record
from warden.egress.world import COREFILE_KEY, OWNER_LABEL, PART_KEY

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[3]
NAMESPACE = "corral-egress"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
WAY = public_way(["10.42.0.2:53"], [])
PATIENCE = 20.0
INSPECTED = {"host": "api.openai.com", "inspect": {"credential": {"secret": "openai"}}}


def until(question: Callable[[], bool], what: str) -> None:
    """Waits until it is so."""
    ends = time.monotonic() + PATIENCE
    while not question():
        assert time.monotonic() < ends, f"not within {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


@dataclass
class Control:
    """The running control plane, as a gateway sees it."""

    process: subprocess.Popen[bytes]
    kubeconfig: Path
    url: str
    figures: str
    """Where it tells of itself."""
    http: urllib3.PoolManager

    def ask(self, kind: str, **question: Any) -> dict[str, Any]:
        """The answer's document; {} for 304 and 503."""
        answer = self.http.request("POST", f"{self.url}/v3/discovery:{kind}", json=question)
        assert answer.status in (200, 304, 503), answer.data
        return answer.json() if answer.status == 200 else {}

    def doors(self) -> dict[str, str]:
        """Generations of doors, by name."""
        return {
            each["name"]: each["filter_chains"][0]["name"]
            for each in self.ask("listeners").get("resources", [])
            if "address" in each
        }


@pytest.fixture
def namespaces(api: Api) -> Iterator[None]:
    """The namespaces that it works in, new and empty, gone afterwards."""
    names = (NAMESPACE, "agents-egress-test")
    for name in names:
        labels = {"corral.dev/tenant": "egress-test"} if name != NAMESPACE else {}
        meta = {"name": name, "labels": labels}
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        api.apply(f"/api/v1/namespaces/{name}", document, manager="test")
    yield
    for kind in (MAPS, SECRETS):
        for each in api.list(kind):
            if each["metadata"]["name"].startswith("egress"):
                api.delete(f"{kind}/{each['metadata']['name']}")


@pytest.fixture
def control(
    control_plane: EmbeddedCluster,
    api: Api,
    namespaces: None,  # noqa: ARG001 - they must be there before it starts
    tmp_path: Path,
) -> Iterator[Control]:
    """It runs, and has said that it listens."""
    with replica(control_plane, api, tmp_path) as found:
        yield found


@contextmanager
def replica(cluster: EmbeddedCluster, api: Api, folder: Path) -> Iterator[Control]:
    """One that runs, until it isn't needed any more."""
    port, health, figures = free_port(), free_port(), free_port()
    with (folder / "control.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "warden.egress"),
                *("--kubeconfig", str(cluster.kubeconfig)),
                *("--address", "127.0.0.1", "--port", str(port), "--health-port", str(health)),
                *("--metrics-port", str(figures)),
                *("--host", "localhost"),
            ],
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": "warden"},
            cwd=ROOT,
        )
        try:
            until(lambda: listens(port), f"it listens: {(folder / 'control.log').read_text()}")
            shown = certificates(api, folder)
            http = urllib3.PoolManager(ssl_context=trusting(shown, shows=shown), retries=False)
            yield Control(
                process=process,
                kubeconfig=cluster.kubeconfig,
                url=f"https://localhost:{port}",
                figures=f"https://localhost:{figures}/metrics",
                http=http,
            )
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)


def certificates(api: Api, where: Path) -> Path:
    """The folder that pods of gateways have: a Secret that the control plane made."""
    folder = where / "client"
    folder.mkdir()
    for key, text in api.get(f"{SECRETS}/egress-control-client")["data"].items():
        (folder / key).write_bytes(base64.b64decode(text))
    return folder


def trusting(folder: Path, *, shows: Path | None) -> ssl.SSLContext:
    """A client that trusts what is in one folder, and shows what is in another."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    if shows is not None:
        context.load_cert_chain(shows / "tls.crt", shows / "tls.key")
    return context


def listens(port: int) -> bool:
    """Whether somebody does."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def put(api: Api, owner: str, part: dict[str, Any]) -> None:
    """The program's ConfigMap of that owner."""
    name = f"egress-{owner}"
    api.apply(
        f"{MAPS}/{name}",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {OWNER_LABEL: owner}},
            "data": {PART_KEY: json.dumps(part), COREFILE_KEY: f"# {owner}"},
        },
        manager="program",
    )


def put_tenant(api: Api, *allow: dict[str, Any]) -> None:
    """The tenant `egress-test` with that list."""
    egress = Egress.model_validate({"number": 1, "allow": list(allow)})
    put(api, "egress-test", tenant_part("egress-test", egress, way=WAY).as_document())


def by_name(answer: dict[str, Any]) -> dict[str, Any]:
    """Resources of an answer by their names."""
    return {each["name"]: each for each in answer["resources"]}


def both(generation: int) -> dict[str, str]:
    """The tenant's doors, of that generation."""
    return dict.fromkeys(("egress-test.proxy", "egress-test.tls"), f"generation-{generation}")


def test_a_tenants_life(control: Control, api: Api) -> None:
    assert control.ask("listeners") == {}, "nothing is answered before all of it is known"
    put(api, "shared", shared_part([WAY]).as_document())
    put_tenant(api, {"host": "api.github.com"}, {"host": "pypi.org"})
    until(lambda: control.doors() == both(1), "it is served")

    put_tenant(api, {"host": "api.github.com"}, {"host": "pypi.org"}, {"host": "docs.python.org"})
    until(lambda: "docs.python.org" in str(control.ask("scoped-routes")), "a name more is served")
    assert control.doors() == both(1), "and nobody's tunnels are cut"

    put_tenant(api, {"host": "pypi.org"})
    until(lambda: control.doors() == both(2), "names less are another generation")
    assert "api.github.com" not in str(control.ask("scoped-routes"))
    recorded = api.get(f"{MAPS}/egress-egress-test")["metadata"]["annotations"][ANNOTATION]
    assert parse_record(recorded).generation == 2

    version = control.ask("listeners")["version_info"]
    assert control.ask("listeners", version_info=version) == {}, "304: nothing changed"

    namespace = "/api/v1/namespaces/agents-egress-test"
    api.patch(namespace, {"metadata": {"labels": {"corral.dev/quarantine": "true"}}})
    until(lambda: control.doors() == {}, "a tenant in quarantine has no doors")
    api.patch(namespace, {"metadata": {"labels": {"corral.dev/quarantine": None}}})
    until(lambda: control.doors() == both(2), "and gets them back")

    api.delete(f"{MAPS}/egress-egress-test")
    until(lambda: control.doors() == {}, "a tenant that is gone is gone")


def test_a_package_mirror_in_quarantine_is_shut_out_as_its_tenant_s(
    control: Control, api: Api
) -> None:
    """Its pod is in the egress' own namespace, and says whose it is."""
    put(api, "shared", shared_part([WAY]).as_document())
    put_tenant(api, {"host": "pypi.org"})
    until(lambda: control.doors() == both(1), "it is served")
    account = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default"
    until(lambda: api.find(account) is not None, "pods can be made there")
    labels = {"corral.dev/tenant": "egress-test", "corral.dev/quarantine": "true"}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "mirror", "namespace": NAMESPACE, "labels": labels},
        "spec": {"containers": [{"name": "nginx", "image": "example.org/nginx:1"}]},
    }
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    api.create(pods, pod)
    try:
        address = {"podIP": "10.9.8.7", "podIPs": [{"ip": "10.9.8.7"}]}
        api.patch(f"{pods}/mirror/status", {"status": address})
        until(lambda: control.doors() == both(2), "what it has open is cut")
        assert "10.9.8.7" in str(control.ask("listeners")), "and it doesn't come in again"
    finally:
        api.delete(f"{pods}/mirror")


def test_keys_are_made_in_the_cluster_and_stay_the_same(control: Control, api: Api) -> None:
    put(api, "shared", shared_part([WAY]).as_document())
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "egress-egress-test-openai",
            "namespace": NAMESPACE,
            "labels": {"egress.corral.dev/credential-of": "egress-test"},
        },
        "data": {"value": base64.b64encode(b"Bearer sk-test\n").decode()},
    }
    api.apply(f"{SECRETS}/egress-egress-test-openai", secret, manager="owner")
    put_tenant(api, INSPECTED)
    names = ["egress-test.tls.api.openai.com", "egress-test.credential.openai"]
    until(
        lambda: len(control.ask("secrets", resource_names=names).get("resources", [])) == 2,
        "certificate and credential are told",
    )
    told = {
        each["name"]: each for each in control.ask("secrets", resource_names=names)["resources"]
    }
    credential = told["egress-test.credential.openai"]["generic_secret"]["secret"]
    assert credential == {"inline_string": "Bearer sk-test"}, "without the line's end of a file"

    trust = api.get("/api/v1/namespaces/agents-egress-test/configmaps/egress-ca")
    chain = told["egress-test.tls.api.openai.com"]["tls_certificate"]["certificate_chain"]
    assert trust["data"]["ca.crt"] in chain["inline_string"]
    assert "PRIVATE" not in str(trust), "sandboxes get the certificate alone"

    put_tenant(api, INSPECTED, {"host": "pypi.org"})
    until(lambda: "pypi.org" in str(control.ask("scoped-routes")), "the list changed")
    again = by_name(control.ask("secrets", resource_names=names))
    assert again == told, "certificates didn't"


def test_when_keys_end_stands_on_the_shared_part_and_they_don_t(control: Control, api: Api) -> None:
    put(api, "shared", shared_part([WAY]).as_document())
    put_tenant(api, INSPECTED)

    def noted() -> dict[str, int]:
        notes = api.get(f"{MAPS}/egress-shared")["metadata"].get("annotations", {})
        return dict(json.loads(notes.get(ENDS_ANNOTATION, "{}")))

    wanted = {
        *("egress-control-ca", "egress-control-client", "egress-control-server"),
        *("egress-ca-egress-test", "egress-hosts-egress-test"),
    }
    until(lambda: set(noted()) == wanted, "all ends are noted")
    shown = base64.b64decode(api.get(f"{SECRETS}/egress-control-server")["data"]["tls.crt"])
    assert noted()["egress-control-server"] == int(
        Pair(certificate=shown.decode(), key="").ends().timestamp()
    )
    put_tenant(api, {"host": "pypi.org"})
    until(lambda: "egress-ca-egress-test" not in noted(), "keys that are gone end no more")
    assert control.process.poll() is None


def test_keys_of_a_tenant_that_inspects_no_more_go_and_nobody_else_s(
    control: Control,
    api: Api,
) -> None:
    binding = "corral-egress-trust"
    bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/agents-egress-test/rolebindings"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": binding}
    document = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": binding},
        "roleRef": role,
    }
    api.apply(f"{bindings}/{binding}", document, manager="program")
    other = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "egress-ca-of-somebody",
            "labels": {
                "egress.corral.dev/credential-of": "ca",
                "app.kubernetes.io/managed-by": "corral",
            },
        },
    }
    api.apply(f"{SECRETS}/egress-ca-of-somebody", other, manager="owner")
    own = {"egress-ca-egress-test", "egress-hosts-egress-test"}

    def secrets() -> set[str]:
        return {each["metadata"]["name"] for each in api.list(SECRETS)}

    def trusted() -> bool:
        maps = api.list("/api/v1/namespaces/agents-egress-test/configmaps")
        return "egress-ca" in {each["metadata"]["name"] for each in maps}

    put(api, "shared", shared_part([WAY]).as_document())
    put_tenant(api, INSPECTED)
    until(lambda: own <= secrets() and trusted(), "they are made")
    put_tenant(api, {"host": "pypi.org"})
    until(lambda: not own & secrets(), "nobody needs them")
    assert "egress-ca-of-somebody" in secrets(), "a credential is its owner's"
    assert "egress-control-ca" in secrets()
    api.delete(f"{bindings}/{binding}")
    until(lambda: not trusted(), "what sandboxes trust goes with the right to write it")
    assert control.process.poll() is None


def test_who_shows_no_certificate_of_its_authority_is_not_heard(
    control: Control, tmp_path: Path
) -> None:
    stranger = authority("stranger", datetime.now(UTC))
    other = client_certificate("gateway", stranger, datetime.now(UTC))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tls.crt").write_text(other.certificate)
    (tmp_path / "other" / "tls.key").write_text(other.key)
    for shows in (None, tmp_path / "other"):
        context = trusting(tmp_path / "client", shows=shows)
        http = urllib3.PoolManager(ssl_context=context, retries=False)
        with pytest.raises(urllib3.exceptions.HTTPError):
            http.request("POST", f"{control.url}/v3/discovery:secrets", json={"resource_names": []})
    assert control.process.poll() is None, "and it goes on"


def test_every_replica_has_the_keys_of_the_first(control: Control, api: Api) -> None:
    names = ("egress-control-ca", "egress-control-server", "egress-control-client")
    before = [api.get(f"{SECRETS}/{name}")["data"] for name in names]
    assert "ca.key" not in str(before[2]), "who may ask can't vouch for others"
    command = [sys.executable, "-m", "warden.egress", "--kubeconfig", str(control.kubeconfig)]
    command += ["--address", "127.0.0.1", "--host", "localhost", "--port", str(free_port())]
    again = subprocess.Popen(
        [
            *(*command, "--health-port", str(port := free_port())),
            *("--metrics-port", str(free_port())),
        ],
        env={**os.environ, "PYTHONPATH": "warden"},
        cwd=ROOT,
    )
    try:
        until(lambda: listens(port), "the second one listens")
    finally:
        again.terminate()
        assert again.wait(timeout=PATIENCE) == 0, "told to stop, it stops"
    assert [api.get(f"{SECRETS}/{name}")["data"] for name in names] == before

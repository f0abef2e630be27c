"""Two tenants with ways in, and both doors before them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.network.inbound.places import NAME, NAMESPACE
from components.network.inbound.rights import rights_documents, sandboxes_binding_document
from corral.embedded.cluster import EmbeddedCluster
from corral.kubernetes import Api, Discovery
from tests.components.applying import apply
from tests.network.inbound.laboratory import (
    Pod,
    WayIn,
    clean,
    free_port,
    put,
    put_namespace,
    put_part,
    put_pod,
    put_secret,
    until,
    way_in,
)

TENANTS = ("inbound-acme", "inbound-rival")
ACME, RIVAL = TENANTS


def webhook(path: str, port: int, **further: object) -> dict[str, object]:
    """A webhook with a signature as GitHub's."""
    signature = {"header": "X-Hub-Signature-256", "secret": "github"}
    to = {"class": "coder", "port": port}
    return {"path": path, "signature": signature, "to": to, **further}


@pytest.fixture(scope="package")
def tenants(api: Api) -> Iterator[dict[str, Pod]]:
    """Both of them in the cluster; their sandboxes by name, which listen."""
    put_namespace(api, NAMESPACE)
    discovery = Discovery(api)
    for document in rights_documents():
        apply(api, discovery, document)
    for tenant in TENANTS:
        put_namespace(api, f"agents-{tenant}", **{"corral.dev/tenant": tenant})
        apply(api, discovery, sandboxes_binding_document(tenant))
        meta = {"name": "orchestrator", "namespace": f"agents-{tenant}"}
        for account in (meta, {**meta, "name": "sandbox"}):
            put(
                api,
                f"/api/v1/namespaces/agents-{tenant}/serviceaccounts",
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account},
            )
    clean(api, TENANTS)
    port = free_port()
    pods = {
        "own": Pod("own", "127.77.0.1", port),
        "rivals": Pod("rivals", "127.77.0.2", port),
        "rogue": Pod("rogue", "127.99.0.1", port),
    }
    for pod in pods.values():
        pod.serve()
    put_pod(api, ACME, "own", "127.77.0.1", owner="claimed")
    put_pod(api, RIVAL, "rivals", "127.77.0.2")
    # What a node that was taken over could say of its pod: an address of something else.
    put_pod(api, ACME, "rogue", "127.99.0.1", agent_class="other")
    slack = {"scheme": "slack", "secret": "slack"}
    for tenant in TENANTS:
        put_secret(api, tenant, "github", tenant.encode() * 3)
        put_secret(api, tenant, "slack", tenant.encode() * 3)
        put_secret(api, tenant, "short", b"x")
        hooks = {
            "github": webhook("/github", port, **{"body-limit": "4Ki", "per-minute": 6000}),
            "slack": {**webhook("/slack/events", port), "signature": slack},
            "few": webhook("/few", port, **{"per-minute": 2}),
            "unmade": webhook("/unmade", port, signature={"header": "X-Sig", "secret": "unmade"}),
            "short": webhook("/short", port, signature={"header": "X-Sig", "secret": "short"}),
        }
        if tenant == ACME:
            hooks["mine"] = webhook("/mine", port)
            hooks["rogue"] = webhook("/rogue", port, to={"class": "other", "port": port})
        put_part(api, tenant, {"webhooks": hooks, "router": {"ports": [port]}})
    yield pods
    clean(api, TENANTS)


@pytest.fixture(scope="package")
def own_kubeconfig(
    tenants: dict[str, Pod],  # noqa: ARG001 - with them come its rights
    api: Api,
    control_plane: EmbeddedCluster,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The verifier's own account, which has the rights that the program gives it and no others."""
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    told = yaml.safe_load(control_plane.kubeconfig.read_text())
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{NAME}/token"
    token = api.create(path, asked)["status"]["token"]
    for user in told["users"]:
        user["user"] = {"token": token}
    file.write_text(yaml.safe_dump(told))
    return file


@pytest.fixture(scope="module")
def doors(
    tenants: dict[str, Pod],
    api: Api,
    own_kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[WayIn]:
    """Both doors, open, with the sandboxes behind them known."""
    folder = tmp_path_factory.mktemp("inbound")
    with way_in(api, own_kubeconfig, folder, tenants) as found:
        until(lambda: comes_in(found), "the owner reaches its sandbox")
        found.forget()
        yield found


def comes_in(doors: WayIn) -> bool:
    """Whether each owner reaches its sandbox: then all that was there is known."""
    return all(
        doors.send(owners_request(doors, tenant, name), door="router").status == 200
        for tenant, name in ((ACME, "own"), (RIVAL, "rivals"))
    )


def owners_request(
    doors: WayIn,
    tenant: str,
    sandbox: str,
    *,
    line: str = "GET /files?path=%2Fetc HTTP/1.1",
    token: str | None = None,
    **headers: str,
) -> bytes:
    """A request of the tenant's orchestrator. Further headers by name, with `_` for `-`."""
    port = next(iter(doors.pods.values())).port
    fields = {
        "Host": "inbound.corral-ingress.svc",
        "Authorization": f"Bearer {token or doors.token(tenant)}",
        "X-Sandbox-ID": sandbox,
        "X-Sandbox-Port": str(port),
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [line, *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode()

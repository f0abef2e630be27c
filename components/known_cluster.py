"""A cluster that is there already: which one it is, and that it stays the same one.

Its kubeconfig is somebody's file, and files change. What says which cluster is meant is the UID of
its namespace kube-system, which a cluster keeps for as long as it exists. The first `up` puts it
into the stack's state, and from there into the provider: `destroy` and `refresh`, which don't run
this program, get no credentials for any other cluster.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
from pulumi_kubernetes.provider import Provider

from components.children import Children
from components.cluster_access import cluster_access
from corral.kubernetes.access import Access, Endpoint
from corral.kubernetes.guarded_credentials import WrongCluster
from corral.settings.cluster import ExistingCluster

_NAMESPACE = "kube-system"

# The project's own Python, as Pulumi.yaml names it; providers are started in the project's folder.
_GUARD = (
    "for python in .venv/bin/python python3 python; do "
    'if command -v "$python" >/dev/null; then '
    'exec "$python" -m corral.kubernetes.guarded_credentials "$@"; fi; done; '
    'echo "corral: no Python here" >&2; exit 127'
)


class KnownCluster(pulumi.ComponentResource):
    """Which cluster it is, and how to reach that one and no other."""

    kubeconfig: pulumi.Output[str]
    """A kubeconfig as text, without a secret; in a plan without engine, the path of the file."""

    def __init__(
        self, name: str, settings: ExistingCluster, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:platform:KnownCluster", name, None, opts)
        children = Children(parent=self)
        access = cluster_access(settings)
        # It looks at one namespace and is used for nothing else.
        looking = Provider(
            "looking",
            kubeconfig=str(access.kubeconfig),
            context=access.context,
            cluster_identifier=f"{settings.kind}/{access.context}",
            opts=children.options(),
        )
        seen = _Namespace(_NAMESPACE, children.options(provider=looking))
        # A stash keeps what it got first: another UID later on changes nothing in it.
        recorded = pulumi.Stash(_NAMESPACE, opts=children.options(), input=seen.uid)
        self.kubeconfig = pulumi.Output.all(recorded.output, seen.uid).apply(
            lambda uids: _kubeconfig(uids[0], uids[1], settings, access)
        )
        self.register_outputs({"kubeconfig": self.kubeconfig})


class _Namespace(pulumi.CustomResource):
    """A namespace that is only looked at."""

    metadata: pulumi.Output[dict[str, Any]]

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=name))
        # What a refresh would find missing otherwise.
        known = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        super().__init__("kubernetes:core/v1:Namespace", name, known, opts)

    @property
    def uid(self) -> pulumi.Output[str]:
        """Its UID; "" where nobody looks, in a plan without engine."""
        return self.metadata.apply(lambda found: str(found.get("uid", "")))


def _kubeconfig(uid: str, seen: str, settings: ExistingCluster, access: Access) -> str:
    if uid != seen:
        raise pulumi.RunError(str(WrongCluster.between(access, meant=uid, seen=seen)))
    if not uid and pulumi.runtime.is_dry_run():
        return str(access.kubeconfig)
    return guarded_kubeconfig(access.endpoint(), settings, uid)


def guarded_kubeconfig(endpoint: Endpoint, settings: ExistingCluster, uid: str) -> str:
    """The kubeconfig's text (JSON, which YAML readers take): the cluster as the file has it now,
    and credentials that are given out for the cluster with that UID alone."""
    name = settings.context
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": _cluster(endpoint)}],
            "users": [{"name": name, "user": _user(endpoint, settings, uid)}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _cluster(endpoint: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {"server": endpoint.server}
    if not endpoint.verify:
        found["insecure-skip-tls-verify"] = True
    if endpoint.authority is not None:
        found["certificate-authority-data"] = base64.b64encode(endpoint.authority).decode("ascii")
    if endpoint.server_name is not None:
        found["tls-server-name"] = endpoint.server_name
    if endpoint.proxy is not None:
        found["proxy-url"] = endpoint.proxy
    return found


def _user(endpoint: Endpoint, settings: ExistingCluster, uid: str) -> dict[str, Any]:
    arguments = ["--kubeconfig", settings.kubeconfig, "--context", settings.context, "--uid", uid]
    acting = {"as": "Impersonate-User", "as-uid": "Impersonate-Uid"}
    return {
        **{key: endpoint.headers[name] for key, name in acting.items() if name in endpoint.headers},
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": "sh",
            "args": ["-c", _GUARD, "corral", *arguments],
        },
    }

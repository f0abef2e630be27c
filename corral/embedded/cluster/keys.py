"""Every key and certificate of the cluster, and who trusts whom."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from corral.embedded.cluster.certificates import (
    Authority,
    Identity,
    Pair,
    ensure_authority,
    ensure_certificate,
    ensure_signing_key,
)
from corral.embedded.cluster.errors import ClusterError
from corral.embedded.cluster.files import read_object, write_private_json
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.ports import LOOPBACK

SERVICE_NETWORK = "10.96.0.0/16"
_SERVICE_ADDRESS = "10.96.0.1"  # the first of it is the API server's inside the cluster
_SECRETBOX_BYTES = 32

KWOK_USER = "corral:kwok"

# system:masters: the administrator makes the cluster's first roles, when there are none yet, and
# its requests are exempt from priority and fairness, so that a bulk load isn't queued.
CLIENTS: Mapping[str, Identity] = {
    "admin": Identity(name="corral:admin", organization="system:masters"),
    "kube-controller-manager": Identity(name="system:kube-controller-manager"),
    "kube-scheduler": Identity(name="system:kube-scheduler"),
    "kwok": Identity(name=KWOK_USER),
}
"""Clients of the API server by file name. What each but the administrator may do is RBAC's."""

_API_SERVER = Identity(
    name="kube-apiserver",
    addresses=(
        LOOPBACK,
        _SERVICE_ADDRESS,
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ),
    client=False,
)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """etcd has an authority of its own: no client certificate of the API server opens it."""

    authority: Authority
    etcd_authority: Authority
    api_server: Pair
    controllers: Pair
    """What the controller manager and the scheduler serve their health under."""
    etcd: Pair
    """etcd's own, as server and as peer."""
    etcd_client: Pair
    """The API server's towards etcd."""
    service_accounts: Pair
    clients: Mapping[str, Pair]


def ensure_keys(layout: Layout) -> Keys:
    """All of them; what is missing, damaged or runs out soon is made again."""
    folder = layout.keys
    authority = ensure_authority(folder, "authority")
    etcd_authority = ensure_authority(folder, "etcd-authority")
    return Keys(
        authority=authority,
        etcd_authority=etcd_authority,
        api_server=ensure_certificate(
            folder, "kube-apiserver", authority=authority, identity=_API_SERVER
        ),
        controllers=ensure_certificate(
            folder,
            "controllers",
            authority=authority,
            identity=Identity(name="controllers", addresses=(LOOPBACK,), client=False),
        ),
        etcd=ensure_certificate(
            folder,
            "etcd",
            authority=etcd_authority,
            identity=Identity(name="etcd", addresses=(LOOPBACK, "localhost")),
        ),
        etcd_client=ensure_certificate(
            folder,
            "etcd-client",
            authority=etcd_authority,
            identity=Identity(name="kube-apiserver"),
        ),
        service_accounts=ensure_signing_key(folder, "service-accounts"),
        clients={
            name: ensure_certificate(folder, name, authority=authority, identity=identity)
            for name, identity in CLIENTS.items()
        },
    )


def ensure_encryption_key(layout: Layout) -> None:
    """The key that Secrets are encrypted with before they reach etcd.

    Raises ClusterError where it is missing or damaged and etcd already holds data: what was
    encrypted with the lost key can't be read by anybody.
    """
    if _is_whole(read_object(layout.encryption)):
        return
    if (layout.data / "member").exists():
        raise ClusterError(
            f"{layout.encryption} is missing or damaged: it held the only key of the Secrets in "
            f"{layout.data}, which nobody can read without it. Put the file back if you have it.",
            reset_helps=True,
        )
    key = base64.b64encode(secrets.token_bytes(_SECRETBOX_BYTES)).decode()
    write_private_json(
        layout.encryption,
        {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [
                {
                    "resources": ["secrets"],
                    "providers": [{"secretbox": {"keys": [{"name": "first", "secret": key}]}}],
                }
            ],
        },
    )


def _is_whole(document: Mapping[str, object]) -> bool:
    try:
        [resources] = orjson.loads(orjson.dumps(document))["resources"]
        [key] = resources["providers"][0]["secretbox"]["keys"]
        return len(base64.b64decode(key["secret"], validate=True)) == _SECRETBOX_BYTES
    except (KeyError, ValueError, TypeError, IndexError, binascii.Error):
        return False

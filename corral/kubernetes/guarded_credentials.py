"""Credentials for one cluster alone: a credential plugin (client.authentication.k8s.io/v1).

`python -m corral.kubernetes.guarded_credentials --kubeconfig FILE --context NAME --uid UID` prints
what the kubeconfig's context has to show, once the cluster behind it was seen to have the namespace
kube-system with that UID. For any other cluster it prints nothing and fails, and so does whoever
asked: `pulumi destroy` and `pulumi refresh` too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import orjson

from corral.errors import UserError
from corral.kubernetes.access import Access
from corral.kubernetes.client import Api
from corral.kubernetes.credentials import Credential
from corral.kubernetes.retries import Retries

_PATIENCE = 20.0


class WrongCluster(UserError):
    """The kubeconfig's context leads to another cluster than the one that is meant."""

    @classmethod
    def between(cls, access: Access, *, meant: str, seen: str) -> Self:
        """With both of them by their UIDs, and what to do."""
        return cls(
            f"{access.kubeconfig}: context {access.context} leads to a cluster whose namespace "
            f"kube-system has the UID {seen}. This stack was made on the one with {meant}, and "
            "touches no other. Put the kubeconfig right. If the stack's cluster is gone for good, "
            "so is what was on it: pulumi stack rm --force forgets it"
        )


def cluster_uid(api: Api) -> str:
    """What tells a cluster from every other: the UID of its namespace kube-system."""
    return str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])


def credential_for(access: Access, uid: str) -> Credential:
    """What the context shows to its cluster. WrongCluster for a cluster with another UID."""
    api = Api.connect(access, connections=1, retries=Retries(bound=_PATIENCE))
    try:
        found = cluster_uid(api)
    finally:
        api.close()
    if found != uid:
        raise WrongCluster.between(access, meant=uid, seen=found)
    return access.endpoint().credentials.current()


def main(arguments: Sequence[str]) -> int:
    """The plugin: 0 and an ExecCredential on stdout, or 1 and the reason on stderr."""
    parser = argparse.ArgumentParser(prog="corral.kubernetes.guarded_credentials")
    for name in ("kubeconfig", "context", "uid"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args(arguments)
    access = Access(kubeconfig=Path(given.kubeconfig).expanduser(), context=given.context)
    try:
        shown = credential_for(access, given.uid)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(orjson.dumps(_document(shown)))
    return 0


def _document(shown: Credential) -> dict[str, object]:
    status: dict[str, str] = {}
    if shown.token is not None:
        status["token"] = shown.token
    if shown.certificate is not None:
        status["clientCertificateData"] = shown.certificate.chain.decode()
        status["clientKeyData"] = shown.certificate.key.decode()
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

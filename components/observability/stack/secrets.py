"""Secrets of the cluster, made of stack secrets: the only place where their values go."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.documents import Document, metadata
from components.observability.stack.names import ALERT_SECRETS, REMOTE_WRITE_SECRETS
from components.observability.stack.values import username_key
from corral.settings.observability import NAMESPACE, Observability
from corral.settings.stack_secrets import alert_secrets, remote_write_secrets


def secret_documents(
    observability: Observability, values: Mapping[str, pulumi.Input[str]]
) -> list[Document]:
    """A Secret for Alertmanager, which it mounts, and one for remotes. Each value stays a secret of
    the engine: no plan shows it, and state holds it encrypted. KeyError for one that is missing."""
    remote = {
        name: pulumi.Output.secret(values[name]) for name in remote_write_secrets(observability)
    }
    users: dict[str, pulumi.Input[str]] = {
        # No secret, but it goes with one.
        username_key(name): pulumi.Output.secret(target.username)
        for name, target in observability.prometheus.remote_write.items()
        if target.secret is not None and target.username is not None
    }
    alerts = {name: pulumi.Output.secret(values[name]) for name in alert_secrets(observability)}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(name, namespace=NAMESPACE),
            "type": "Opaque",
            "stringData": data,
        }
        for name, data in ((ALERT_SECRETS, alerts), (REMOTE_WRITE_SECRETS, {**remote, **users}))
        if data
    ]

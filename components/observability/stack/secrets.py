"""Secrets of the cluster, made of stack secrets: the only place where their values go."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.documents import Document, metadata
from components.observability.logs.names import TOKEN_KEY, TOKEN_SECRET
from components.observability.stack.alertmanager import alertmanager_configuration, as_yaml
from components.observability.stack.names import (
    ALERT_SECRETS,
    ALERTMANAGER_CONFIGURATION,
    REMOTE_WRITE_SECRETS,
)
from components.observability.stack.values import username_key
from corral.settings.observability import NAMESPACE, NODES_NAMESPACE, Observability
from corral.settings.stack_secrets import alert_secrets, logs_secrets, remote_write_secrets


def secret_contents(
    observability: Observability, values: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """What the Secrets hold, by name: Alertmanager's configuration, what its receivers need, and
    what remotes let us in with. KeyError for a stack secret that is missing."""
    remotes = observability.prometheus.remote_write
    written = {name: values[name] for name in remote_write_secrets(observability)}
    for name, remote in remotes.items():
        if remote.secret is not None and remote.username is not None:
            written[username_key(name)] = remote.username
    tokens = [values[name] for name in logs_secrets(observability)]
    found = {
        ALERTMANAGER_CONFIGURATION: {
            "alertmanager.yaml": as_yaml(alertmanager_configuration(observability.alerts))
        },
        ALERT_SECRETS: {name: values[name] for name in alert_secrets(observability)},
        REMOTE_WRITE_SECRETS: written,
        TOKEN_SECRET: dict(zip([TOKEN_KEY], tokens, strict=False)),
    }
    return {name: data for name, data in found.items() if data}


def secret_documents(observability: Observability, values: Mapping[str, str]) -> list[Document]:
    """Those Secrets. Each value stays a secret of the engine: no plan shows it, and state holds it
    encrypted."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata(
                name, namespace=NODES_NAMESPACE if name == TOKEN_SECRET else NAMESPACE
            ),
            "type": "Opaque",
            "stringData": {key: pulumi.Output.secret(value) for key, value in data.items()},
        }
        for name, data in secret_contents(observability, values).items()
    ]

"""The kubeconfig of a cluster on EKS: no secret in it, only how to get a token."""

from __future__ import annotations

import json

from corral.settings.aws.account import Aws, Role


def kubeconfig_text(*, name: str, endpoint: str, certificate_authority: str, aws: Aws) -> str:
    """The file's text (JSON, which YAML readers take). One context, called as the cluster.

    `aws eks get-token` asks for a token as whoever runs it, or as the stack's role.
    """
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": endpoint,
                        "certificate-authority-data": certificate_authority,
                    },
                }
            ],
            "users": [{"name": name, "user": {"exec": _token(name, aws)}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
    )


def _token(name: str, aws: Aws) -> dict[str, object]:
    arguments = ["--region", aws.region, "eks", "get-token", "--cluster-name", name]
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": [*arguments, *_as(aws.role), "--output", "json"],
        "interactiveMode": "Never",
    }


def _as(role: Role | None) -> list[str]:
    return ["--role-arn", role.arn] if role else []

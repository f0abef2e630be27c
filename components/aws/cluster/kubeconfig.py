"""The kubeconfig of a cluster on EKS: no secret in it, only how to get a token."""

from __future__ import annotations

import json
import shlex

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
    token = ["--region", aws.region, "eks", "get-token", "--cluster-name", name, "--output", "json"]
    return {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "interactiveMode": "Never",
        **(_assumed(aws.role, token) if aws.role else {"command": "aws", "args": token}),
    }


def _assumed(role: Role, token: list[str]) -> dict[str, object]:
    """`get-token --role-arn` knows no external id and no session tags, which the role's owner may
    ask for: so the role is assumed first."""
    external = ["--external-id", role.external_id] if role.external_id else []
    tags = [f"Key={key},Value={value}" for key, value in sorted(role.session_tags.items())]
    assume = [
        *("aws", "sts", "assume-role", "--role-arn", role.arn, *external),
        *(["--tags", *tags] if tags else []),
        *("--role-session-name", "corral", "--output", "text", "--query"),
        "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]",
    ]
    script = (
        f"set -eu; got=$({shlex.join(assume)}); set -- $got; "
        "export AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3; "
        f"exec {shlex.join(['aws', *token])}"
    )
    return {"command": "sh", "args": ["-c", script]}

"""The owner's licence and pull secret: secrets of the stack that pass to the cluster, and that no
plan, log or state shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import yaml

from components.documents import Document, metadata
from components.network.calico_documents import DEFAULT, NAMESPACE, PULL_SECRET

LICENSE_KEY, PULL_SECRET_KEY = "calico-license", "calico-pull-secret"
"""The stack's secrets: YAML of a LicenseKey, and the registry's configuration in JSON."""

_KIND = "LicenseKey"
_SIGNED = ("token", "certificate")


def license_document(spec: pulumi.Input[dict[str, str]]) -> Document:
    """What Calico goes by, with the owner's specification as it was signed. Kept the way that the
    operator's own chart keeps it: Calico's API server isn't there yet."""
    return {
        "apiVersion": "crd.projectcalico.org/v1",
        "kind": _KIND,
        "metadata": metadata(DEFAULT),
        "spec": spec,
    }


def pull_secret_document(data: pulumi.Input[dict[str, str]]) -> Document:
    """What nodes pull Calico Enterprise's images with."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(PULL_SECRET, namespace=NAMESPACE),
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": data,
    }


def license_spec(text: str) -> dict[str, str]:
    """Token and certificate. ValueError, which quotes nothing, for a text without them."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    spec = found.get("spec") if isinstance(found, dict) and found.get("kind") == _KIND else None
    signed = {key: spec.get(key) for key in _SIGNED} if isinstance(spec, dict) else {}
    if not signed or not all(isinstance(each, str) and each for each in signed.values()):
        raise ValueError(
            f"{LICENSE_KEY}: a {_KIND} as Tigera sends it is due, with spec.token and "
            "spec.certificate; this is something else"
        )
    return {key: str(each) for key, each in signed.items()}


def pull_secret_data(text: str) -> dict[str, str]:
    """The Secret's data. ValueError, which quotes nothing, for what configures no registry."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("auths"), dict):
        raise ValueError(
            f"{PULL_SECRET_KEY}: JSON with `auths` is due, as `docker login` writes it and Tigera "
            "sends it; this is something else"
        )
    return {".dockerconfigjson": text}


def stack_documents() -> tuple[Document, Document]:
    """Pull secret and licence, from the stack's secrets. A RunError outside of previews where one
    isn't there; a preview says so, and doesn't know what would stand in it."""
    return (
        pull_secret_document(_from_stack(PULL_SECRET_KEY, pull_secret_data)),
        license_document(_from_stack(LICENSE_KEY, license_spec)),
    )


def _from_stack(key: str, read: Callable[[str], dict[str, str]]) -> pulumi.Output[Any]:
    text = pulumi.Config().get_secret(key)
    if text is not None:
        return pulumi.Output.secret(text.apply(lambda known: _read(known, read)))
    told = (
        f"network.calico.license: stack, and this stack has no secret {key}. Run: pulumi config "
        f"set --secret {key} < FILE. Or write license: owner, and put LicenseKey and pull secret "
        "into the cluster"
    )
    if not pulumi.runtime.is_dry_run():
        raise pulumi.RunError(told)
    pulumi.log.warn(told)
    return pulumi.Output.secret("").apply(lambda _: pulumi.UNKNOWN)


def _read(text: str, read: Callable[[str], dict[str, str]]) -> dict[str, str]:
    try:
        return read(text)
    except ValueError as error:
        raise pulumi.RunError(str(error)) from None

"""What the embedded engine can't do, said before anything is done about it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from corral.embedded.engine.registration import Document

CHART_TYPE: Final = "kubernetes:helm.sh/v4:Chart"
KUBERNETES_PROVIDER: Final = "pulumi:providers:kubernetes"
REFERENCE_TYPE: Final = "pulumi:pulumi:StackReference"
STASH_TYPE: Final = "pulumi:index:Stash"
"""Types of Pulumi's engine itself that this one answers too."""

_OTHER_ENGINE: Final = "run this stack with `--engine pulumi`"

_UNSUPPORTED_TYPES: Final = {
    "kubernetes:helm.sh/v3:Release": "a release is Helm's own state: use kubernetes.helm.v4.Chart, "
    f"or {_OTHER_ENGINE}",
    "kubernetes:yaml/v2:ConfigFile": "it doesn't expand manifests: register the objects, package "
    f"them as a chart, or {_OTHER_ENGINE}",
    "kubernetes:yaml/v2:ConfigGroup": "it doesn't expand manifests: register the objects, package "
    f"them as a chart, or {_OTHER_ENGINE}",
    "kubernetes:kustomize/v2:Directory": "it doesn't run kustomize: register the objects, or "
    f"{_OTHER_ENGINE}",
}

_PROVIDER_SETTINGS: Final = {
    "namespace": "name metadata.namespace in each object instead",
    "renderYamlToDirectory": "use `corral plan --offline --json FILE` to see the objects, or "
    f"{_OTHER_ENGINE}",
}
"""Settings of the Kubernetes provider that change which objects there are."""


class Refused(Exception):
    """The program asks for something that this engine can't do: the run ends.

    `str(error)` says what, and what to do instead.
    """


def package_of(type: str) -> str:
    """The package that a resource's type is from: `aws` for `aws:ec2/vpc:Vpc` and for its provider,
    `pulumi:providers:aws`."""
    provider = type.removeprefix("pulumi:providers:")
    return provider.partition(":")[0]


def refuse_unsupported(
    *, type: str, name: str, custom: bool, remote: bool, packages: Collection[str] = ()
) -> None:
    """Raise Refused for a type that the engine can't register. Local components always pass, and
    so do resources of `packages`, which the run's executor does besides Kubernetes."""
    if not custom and not remote:
        return
    if custom and not remote and package_of(type) in packages:
        return
    reason = _UNSUPPORTED_TYPES.get(type)
    if reason is not None:
        raise Refused(f"{type} {name!r}: on the embedded engine {reason}.")
    if type in {CHART_TYPE, KUBERNETES_PROVIDER, REFERENCE_TYPE, STASH_TYPE}:
        return
    if not type.startswith("kubernetes:"):
        raise Refused(
            f"{type} {name!r}: the embedded engine does Kubernetes only; {_OTHER_ENGINE}."
        )
    if remote:
        raise Refused(
            f"{type} {name!r}: of the components that the Kubernetes provider builds, the embedded "
            f"engine knows {CHART_TYPE} only; {_OTHER_ENGINE}."
        )


def refuse_odd_object(type: str, name: str, inputs: Document) -> None:
    """Raise Refused for a custom resource of the Kubernetes provider that isn't one object."""
    kind = inputs.get("kind")
    if not inputs.get("apiVersion") or not kind:
        raise Refused(
            f"{type} {name!r}: its inputs have no apiVersion and kind, so it isn't an object that "
            f"the embedded engine can apply; {_OTHER_ENGINE}."
        )
    last = type.rpartition(":")[2]
    if last.endswith("Patch") and kind != last:
        raise Refused(
            f"{type} {name!r}: a patch leaves the object to another owner, which the embedded "
            f"engine has no record of; register the whole object, or {_OTHER_ENGINE}."
        )
    if last.endswith("List") and isinstance(inputs.get("items"), list):
        raise Refused(f"{type} {name!r}: register the objects of a list one by one.")


def refuse_provider_settings(name: str, inputs: Document) -> None:
    """Raise Refused for a Kubernetes provider whose settings would change the objects."""
    for key, instead in _PROVIDER_SETTINGS.items():
        if inputs.get(key):
            raise Refused(
                f"{KUBERNETES_PROVIDER} {name!r}: the embedded engine doesn't follow its `{key}`: "
                f"{instead}."
            )


def refuse_options(urn: str, options: dict[str, bool]) -> None:
    """Raise Refused for the first resource option that is set and that would be disregarded."""
    for option, is_set in options.items():
        if is_set:
            raise Refused(
                f"{urn}: the embedded engine doesn't support the resource option `{option}`; "
                f"leave it out, or {_OTHER_ENGINE}."
            )


def refused_reference(stack: str) -> Refused:
    """The refusal of another stack's outputs that this run wasn't given."""
    return Refused(
        f"{REFERENCE_TYPE} {stack!r}: its outputs are in Pulumi's state, which the embedded engine "
        f"doesn't read. Run the stack that holds all of them, or {_OTHER_ENGINE}."
    )


def refused_call(kind: str, token: str) -> Refused:
    """The refusal of an invoke or a method call, by its token."""
    return Refused(
        f"{kind} {token}: the embedded engine answers no provider functions; take the value from "
        f"the settings, or {_OTHER_ENGINE}."
    )

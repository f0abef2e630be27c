"""How a component makes its children: one place for parents, providers, order and protection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pulumi

from components.charts import PinnedChart, chart_location
from components.definitions import sharing
from components.documents import Document, type_token

if TYPE_CHECKING:
    from pulumi_kubernetes.helm.v4 import Chart


_SAID = ("spec", "data", "stringData")
"""What of an object may be secret."""


class KubernetesObject(pulumi.CustomResource):
    """One object of the Kubernetes API, registered from its document: camelCase JSON with
    apiVersion, kind and a fixed metadata.name.

    The generated classes of pulumi-kubernetes would register the same types and URNs. They take
    a third of a second to import, and for each object half as much time again.

    Its outputs are `id` and `urn`. What the API server answered is not kept: of a thousand
    tenants that would be hundreds of megabytes that nobody reads.
    """

    def __init__(self, name: str, document: Document, opts: pulumi.ResourceOptions) -> None:
        super().__init__(type_token(document), name, document, opts)
        self._keep({key: self.__dict__.pop(key, None) for key in document})

    def _keep(self, outputs: dict[str, Any]) -> None:
        """What is kept of the outputs: nothing."""


class KubernetesService(KubernetesObject):
    """A Service, of which one output is kept: where it is reached."""

    address: pulumi.Output[str]
    """Its cluster IP, which the API server chooses. Not known before it is there."""

    def _keep(self, outputs: dict[str, Any]) -> None:
        self.address = outputs["spec"].apply(_cluster_address)


def _cluster_address(spec: Mapping[str, Any]) -> Any:
    found = spec.get("clusterIP")
    if found or not pulumi.runtime.is_dry_run():
        return found
    return pulumi.UNKNOWN


class Relations(TypedDict, total=False):
    """How a child relates to others."""

    provider: pulumi.ProviderResource
    """For layers; everything below a layer takes the layer's."""
    protect: bool
    """Its deletion is an error until somebody lifts it."""
    depends_on: Sequence[pulumi.Input[pulumi.Resource]]
    """What must be there before it comes, and stays until it is gone."""
    secret: bool
    """Whether what the API server answers is as secret as what was said."""
    replaced_by: Sequence[str]
    """Fields that can't be changed in place. Since names are fixed, the old object goes before
    the new one comes."""


@dataclass(frozen=True, kw_only=True)
class Children:
    """The children of one component.

    The options that the component itself was given stop there: merged into its children they
    would move them in the tree, and protect or alias what was never meant.
    """

    parent: pulumi.ComponentResource

    def options(self, **relations: Unpack[Relations]) -> pulumi.ResourceOptions:
        """The options of one child."""
        replaced_by = list(relations.get("replaced_by", ()))
        return pulumi.ResourceOptions(
            parent=self.parent,
            provider=relations.get("provider"),
            protect=relations.get("protect"),
            depends_on=list(relations.get("depends_on", ())) or None,
            replace_on_changes=replaced_by or None,
            delete_before_replace=True if replaced_by else None,
            additional_secret_outputs=list(_SAID) if relations.get("secret") else None,
        )

    def add(
        self, name: str, document: Document, **relations: Unpack[Relations]
    ) -> KubernetesObject:
        """Registers one Kubernetes object. `name` is its logical name, a part of its URN."""
        return KubernetesObject(name, document, self.options(**relations))

    def service(
        self, name: str, document: Document, **relations: Unpack[Relations]
    ) -> KubernetesService:
        """Registers a Service, to know where it is reached."""
        return KubernetesService(name, document, self.options(**relations))

    def chart(
        self,
        name: str,
        pin: PinnedChart,
        *,
        namespace: pulumi.Input[str],
        values: Mapping[str, Any],
        source: str | None,
        definitions: pulumi.ProviderResource | None,
        skip_crds: bool = False,
        **relations: Unpack[Relations],
    ) -> Chart:
        """Registers one chart. Its objects become children of it, named by their kind, namespace
        and name. For `source` see `chart_location`. `definitions` is the provider of its
        definitions where others share them (`components.definitions`)."""
        # Only stacks with charts pay for its import.
        from pulumi_kubernetes.helm.v4 import Chart  # noqa: PLC0415

        options = self.options(**relations)
        if definitions is not None:
            options.transforms = [sharing(definitions)]
        return Chart(
            name,
            namespace=namespace,
            values=dict(values),
            skip_crds=skip_crds,
            opts=options,
            **chart_location(pin, source),
        )

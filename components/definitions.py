"""Definitions of kinds that charts bring, and when a destroy leaves them behind."""

from __future__ import annotations

import pulumi

from corral.settings.cluster import Cluster, ExistingCluster

DEFINITION_TYPE = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def leaves_definitions(cluster: Cluster) -> bool:
    """Whether definitions that charts bring stay when they leave the stack, and may be there before
    it.

    A definition takes every object of its kind along, whoever made it. On a cluster of somebody
    else's, others may have had the kind before us, or have begun to use it since. So nothing of
    ours deletes one there; Helm never does. Clusters that Corral makes itself go as a whole.
    """
    return isinstance(cluster, ExistingCluster)


def sharing(definitions: pulumi.ProviderResource) -> pulumi.ResourceTransform:
    """A chart's transform that leaves its definitions behind, and all else as it is. The provider
    applies what is there already: by any other, what an earlier stack left would be in the way."""

    def share_definitions(
        args: pulumi.ResourceTransformArgs,
    ) -> pulumi.ResourceTransformResult | None:
        if args.type_ != DEFINITION_TYPE:
            return None
        args.opts.retain_on_delete = True
        args.opts.provider = definitions
        return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

    return share_definitions

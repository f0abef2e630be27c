"""Definitions of kinds that charts bring, and when a destroy leaves them behind."""

from __future__ import annotations

import pulumi

from corral.settings.cluster import Cluster, ExistingCluster

DEFINITION_TYPE = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def leaves_definitions(cluster: Cluster) -> bool:
    """Whether definitions that charts bring stay when they leave the stack.

    A definition takes every object of its kind along, whoever made it. On a cluster of somebody
    else's it may have been there before us, since an apply takes over what is there, and others may
    have begun to use ours. So nothing of ours deletes one there; Helm never does. Clusters that
    Corral makes itself go as a whole.
    """
    return isinstance(cluster, ExistingCluster)


def left_behind(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """A chart's transform that leaves its definitions behind, and all else as it is."""
    if args.type_ != DEFINITION_TYPE:
        return None
    args.opts.retain_on_delete = True
    return pulumi.ResourceTransformResult(props=args.props, opts=args.opts)

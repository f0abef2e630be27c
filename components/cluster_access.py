"""How the program reaches the cluster that the settings name."""

from __future__ import annotations

from pathlib import Path

from corral.kubernetes.access import Access
from corral.settings.cluster import Cluster, ExistingCluster

EMBEDDED_KUBECONFIG = Path(".corral/kubeconfig")
"""Where the embedded cluster leaves its kubeconfig, from the project's folder."""

EMBEDDED_CONTEXT = "corral"
"""The one context in that file."""


def cluster_access(cluster: Cluster) -> Access:
    """The kubeconfig and context of a cluster. The embedded one's path is relative to the
    project's folder, where programs run: a plan made on another machine is the same plan."""
    if isinstance(cluster, ExistingCluster):
        return Access(kubeconfig=Path(cluster.kubeconfig).expanduser(), context=cluster.context)
    return Access(kubeconfig=EMBEDDED_KUBECONFIG, context=EMBEDDED_CONTEXT)

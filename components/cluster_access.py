"""How the program reaches the cluster that the settings name."""

from __future__ import annotations

from pathlib import Path

from corral.kubernetes.access import Access
from corral.settings.cluster import Cluster, EksCluster, ExistingCluster

EMBEDDED_KUBECONFIG = Path(".corral/kubeconfig")
"""Where the embedded cluster leaves its kubeconfig, from the project's folder."""

EMBEDDED_CONTEXT = "corral"
"""The one context in that file."""

STATE_FOLDER = Path(".corral")
"""Where kubeconfigs are left, from the project's folder."""


def cluster_access(cluster: Cluster) -> Access:
    """The kubeconfig and context of a cluster. The embedded one's path is relative to the
    project's folder, where programs run: a plan made on another machine is the same plan. So is
    that of a cluster on EKS, which is there once `up` has made the cluster."""
    if isinstance(cluster, ExistingCluster):
        return Access(kubeconfig=Path(cluster.kubeconfig).expanduser(), context=cluster.context)
    if isinstance(cluster, EksCluster):
        return Access(kubeconfig=STATE_FOLDER / f"{cluster.name}.kubeconfig", context=cluster.name)
    return Access(kubeconfig=EMBEDDED_KUBECONFIG, context=EMBEDDED_CONTEXT)


def keep_kubeconfig(text: str, access: Access) -> str:
    """Leaves a kubeconfig where commands look for it; the text. It holds no secret, and is for this
    user alone all the same: what it runs to get a token is run as them."""
    file = Path(access.kubeconfig)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return text

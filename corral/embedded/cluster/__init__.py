"""A real Kubernetes control plane on this machine, with simulated nodes."""

from corral.embedded.cluster.binaries import Binaries
from corral.embedded.cluster.cache import default_cache
from corral.embedded.cluster.cluster import EmbeddedCluster
from corral.embedded.cluster.errors import ClusterError, PartDiedError
from corral.embedded.cluster.parts import NAMES as PROGRAMS
from corral.embedded.cluster.progress import Progress, Silent
from corral.embedded.cluster.simulated_nodes import SimulatedNode
from corral.embedded.cluster.status import ClusterStatus, PartStatus

__all__ = [
    "PROGRAMS",
    "Binaries",
    "ClusterError",
    "ClusterStatus",
    "EmbeddedCluster",
    "PartDiedError",
    "PartStatus",
    "Progress",
    "Silent",
    "SimulatedNode",
    "default_cache",
]

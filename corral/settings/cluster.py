"""Which cluster the platform goes on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.aws.texts import Cidr, RoleArn
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KubernetesVersion
from corral.settings.strict import FilePath, Name, Strict, Text


class EmbeddedCluster(Strict):
    """A real control plane on this machine, with simulated nodes: for trying, tests and CI."""

    kind: Literal["embedded"]
    """It is started and stopped with the stack."""


class ExistingCluster(Strict):
    """A conformant cluster that is already there. It is named in full and never guessed:
    the current context of somebody's kubeconfig is not a choice."""

    kind: Literal["existing"]
    """It is never created or deleted by a stack."""
    kubeconfig: FilePath
    """Path of the kubeconfig file: absolute, or from `~`, the home directory."""
    context: Text
    """The context in that file."""


class EksCluster(Strict):
    """A cluster on Amazon EKS that the stack makes, in the account and network of `aws`."""

    kind: Literal["eks"]
    """It is created and deleted with the stack."""
    name: Annotated[
        Name, Field(description="Its name in AWS; the names of what belongs to it begin so.")
    ]
    version: KubernetesVersion = DEFAULT_KUBERNETES
    """Its minor version of Kubernetes and its nodes', in quotes. EKS upgrades a cluster one
    minor version at a time and never goes back; nodes are replaced by those of the new version."""
    public_access: Annotated[tuple[Cidr, ...], Field(alias="public-access", strict=False)] = ()
    """Networks that may reach the API server from outside. Its endpoint is private when empty."""
    private_access: Annotated[tuple[Cidr, ...], Field(alias="private-access", strict=False)] = ()
    """Networks besides the VPC's own that may reach the private endpoint, over peering, a VPN or a
    transit gateway: those that `up` and people come from."""
    administrators: tuple[RoleArn, ...] = Field(default=(), strict=False)
    """IAM roles with cluster-admin rights, besides the identity that makes the cluster."""
    log_days: Annotated[Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365], Field(alias="log-days")] = 90
    """How long the control plane's logs are kept."""


Cluster = Annotated[EmbeddedCluster | ExistingCluster | EksCluster, Field(discriminator="kind")]

"""Which cluster the platform goes on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.strict import Strict


class EmbeddedCluster(Strict):
    """A real control plane on this machine, with simulated nodes: for trying, tests and CI."""

    kind: Literal["embedded"]


class ExistingCluster(Strict):
    """A conformant cluster that is already there. It is named in full and never guessed:
    the current context of somebody's kubeconfig is not a choice."""

    kind: Literal["existing"]
    kubeconfig: Annotated[str, Field(min_length=1)]
    """Path of the kubeconfig file; `~` is the home directory."""
    context: Annotated[str, Field(min_length=1)]
    """The context in that file."""


Cluster = Annotated[EmbeddedCluster | ExistingCluster, Field(discriminator="kind")]

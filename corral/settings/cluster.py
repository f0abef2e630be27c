"""Which cluster the platform goes on."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from corral.settings.strict import FilePath, Strict, Text


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


Cluster = Annotated[EmbeddedCluster | ExistingCluster, Field(discriminator="kind")]

"""Workspaces: the drivers and classes of the volumes that sandboxes keep their work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.agents.storage import (
    driver_namespace_document,
    snapshot_class_document,
    storage_class_document,
)
from components.agents.topolvm import NAMESPACE, topolvm_values
from components.children import Children
from components.versions import TOPOLVM_CHART
from corral.settings.classes import AgentClass, kept_on
from corral.settings.cluster import Cluster
from corral.settings.workspaces import STORAGE_CLASSES, WorkspaceKind


@dataclass(frozen=True, kw_only=True)
class WorkspacesArgs:
    """The kinds of volumes that there are; the key that encrypts those on EBS; where charts come
    from, and the provider of definitions that others share; and what must stand first (the
    controller and kinds of snapshots, on EKS)."""

    kinds: tuple[WorkspaceKind, ...]
    key: str
    chart_source: str | None
    definitions: pulumi.ProviderResource | None = None
    after: Sequence[pulumi.Resource] = ()


class Workspaces(pulumi.ComponentResource):
    """A StorageClass and a VolumeSnapshotClass of each kind, and TopoLVM for local ones. The driver
    of EBS is an add-on of the cluster."""

    storage_classes: tuple[str, ...]
    """Names of the StorageClasses, which are those of the VolumeSnapshotClasses too."""

    def __init__(
        self, name: str, args: WorkspacesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:agents:Workspaces", name, None, opts)
        self._children = Children(parent=self)
        for kind in args.kinds:
            drivers = self._topolvm(args) if kind == "local" else []
            self._children.add(
                STORAGE_CLASSES[kind],
                storage_class_document(kind, key=args.key),
                depends_on=drivers,
                # Kubernetes changes none of them in place; volumes keep what they were made with.
                replaced_by=["provisioner", "parameters", "volumeBindingMode", "reclaimPolicy"],
            )
            self._children.add(
                STORAGE_CLASSES[kind],
                snapshot_class_document(kind),
                depends_on=[*drivers, *args.after],
                replaced_by=["driver", "deletionPolicy"],
            )
        self.storage_classes = tuple(STORAGE_CLASSES[kind] for kind in args.kinds)
        self.register_outputs({"storage_classes": self.storage_classes})

    def _topolvm(self, args: WorkspacesArgs) -> list[pulumi.Resource]:
        namespace = self._children.add(NAMESPACE, driver_namespace_document())
        chart = self._children.chart(
            "topolvm",
            TOPOLVM_CHART,
            namespace=NAMESPACE,
            values=topolvm_values(),
            source=args.chart_source,
            definitions=args.definitions,
            depends_on=[namespace],
        )
        return [chart]


def workspace_kinds(
    cluster: Cluster, classes: Mapping[str, AgentClass]
) -> tuple[WorkspaceKind, ...]:
    """Kinds of volumes that a stack has: local ones where a class keeps its work on them, and those
    on EBS wherever there is EBS, as any tenant may be given some."""
    found: list[WorkspaceKind] = []
    if any(kept_on(agent) == "local" for agent in classes.values()):
        found.append("local")
    if cluster.kind == "eks":
        found.append("ebs")
    return tuple(found)

"""Whether EKS still has the stack's Kubernetes and add-ons, and whether one gets there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from components.compatibility import minor
from corral.preflight.aws.ground import Ground
from corral.preflight.finding import Finding, failure, ok, warning
from corral.preflight.parts import look_at_parts

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"

NOTICE = timedelta(days=90)
"""Before its end, a version should be on its way out."""


def look(ground: Ground) -> Iterator[Finding]:
    """The version's support, the step from what stands, and each add-on's version."""
    for cluster in ground.registered(CLUSTER):
        version = str(cluster.inputs["version"])
        yield from _supported(ground, version)
        yield from look_at_parts(ground.plan, minor(version))
        yield from _step(ground, version)
        yield from _addons(ground, version)


def _supported(ground: Ground, version: str) -> Iterator[Finding]:
    found = ground.account.ask("eks", "describe_cluster_versions", clusterVersions=[version])
    known = [one for one in found["clusterVersions"] if one["clusterVersion"] == version]
    if not known:
        yield failure(
            f"EKS knows no Kubernetes {version} here",
            why="the cluster is made with it",
            fix="choose another cluster.version",
        )
        return
    status, end = known[0]["versionStatus"], known[0].get("endOfStandardSupportDate")
    until = f" until {end:%Y-%m-%d}" if end else ""
    if status != "STANDARD_SUPPORT":
        yield failure(
            f"Kubernetes {version} has no standard support by EKS any more ({status})",
            why="corral's clusters take no extended support, at six times the price: EKS would "
            "upgrade this one by itself",
            fix="choose a newer cluster.version",
        )
    elif end and end - datetime.now(UTC) < NOTICE:
        yield warning(
            f"Kubernetes {version} has standard support by EKS{until} only",
            why="after that EKS upgrades the cluster by itself",
            fix="plan the step to a newer cluster.version",
        )
    else:
        yield ok(f"Kubernetes {version} has standard support by EKS{until}")


def _step(ground: Ground, version: str) -> Iterator[Finding]:
    if ground.standing is None:
        return
    there = str(ground.standing["version"])
    step = minor(version)[1] - minor(there)[1]
    if step < 0:
        yield failure(
            f"the cluster stands with Kubernetes {there}, and the stack says {version}",
            why="EKS never goes back",
            fix=f"set cluster.version to {there} or newer",
        )
    elif step > 1:
        following = f"1.{minor(there)[1] + 1}"
        yield failure(
            f"the cluster stands with Kubernetes {there}: {version} is {step} steps away",
            why="EKS upgrades by one minor version at a time",
            fix=f"set cluster.version to {following} first",
        )


def _addons(ground: Ground, version: str) -> Iterator[Finding]:
    missing = 0
    for addon in ground.registered(ADDON):
        name, wanted = addon.inputs["addonName"], addon.inputs["addonVersion"]
        offered = {
            one["addonVersion"]
            for found in ground.account.every(
                "eks",
                "describe_addon_versions",
                "addons",
                addonName=name,
                kubernetesVersion=version,
            )
            for one in found["addonVersions"]
        }
        if wanted not in offered:
            missing += 1
            yield failure(
                f"EKS has no {name} {wanted} for Kubernetes {version}",
                why="add-ons are pinned, and AWS withdraws old builds",
                fix="use a newer corral",
            )
    if not missing:
        yield ok(f"all {ground.count(ADDON)} add-ons of EKS are to be had in their versions")

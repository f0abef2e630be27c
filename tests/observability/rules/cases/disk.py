"""Disks that fill."""

from __future__ import annotations

from corral.settings.tiers import Tier
from tests.observability.rules.promtool import Case, Fires, Gives
from tests.observability.rules.series import (
    Series,
    guest,
    kube_state,
    kubelet,
    limit,
    pod,
    series,
    steady,
    used_disk,
    whose,
)


def _disk(
    values: str, *, name: str = "a1", tier: str = "container", agent_class: str | None = None
) -> Series:
    """A pod's use of its ephemeral storage: two containers may take 600 and 400."""
    return {
        **pod(name, tier=tier, agent_class=agent_class),
        **limit("ephemeral_storage", 600, name=name),
        **limit("ephemeral_storage", 400, name=name, container="helper"),
        **limit("memory", 9999, name=name),
        **used_disk(values, name=name),
        **pod("dns", namespace="kube-system"),
        **limit("ephemeral_storage", 1000, name="dns", namespace="kube-system"),
        **used_disk(steady(999), name="dns", namespace="kube-system"),
    }


def _claim(
    used: str, *, claim: str = "work", capacity: object = 100, mounted: str = "a1"
) -> Series:
    """A volume of 100, and who has mounted it."""
    return {
        **kube_state(
            "kube_pod_spec_volumes_persistentvolumeclaims_info",
            steady(1),
            namespace="agents-acme",
            pod=mounted,
            volume="work",
            persistentvolumeclaim=claim,
            ephemeral="false",
        ),
        **_stats("kubelet_volume_stats_used_bytes", used, claim),
        **_stats("kubelet_volume_stats_capacity_bytes", steady(capacity), claim),
    }


def _stats(metric: str, values: str, claim: str, node: str = "n1") -> Series:
    return kubelet(
        metric,
        values,
        path="/metrics",
        name="",
        container="",
        node=node,
        persistentvolumeclaim=claim,
    )


def _file_system(
    used: str,
    *,
    name: str = "a1",
    mount: str = "/work",
    sandbox: str = "s1",
    total: object = 100,
    namespace: str = "agents-acme",
) -> Series:
    where = {"name": name, "namespace": namespace, "sandbox": sandbox}
    metric = "kata_guest_filesystem_bytes"
    return {
        **guest(metric, used, **where, mount=mount, device="vdb", item="used"),
        **guest(metric, steady(total), **where, mount=mount, device="vdb", item="total"),
        **guest(metric, steady(1), **where, mount=mount, device="vdb", item="available"),
    }


_DISK = "sandbox:disk_usage:ratio"
_VOLUME = "sandbox:volume_usage:ratio"
_GUEST = "sandbox:guest_disk_usage:ratio"
_ON_NODE = (Tier.CONTAINER, Tier.GVISOR, Tier.MICROVM)

CASES = (
    *(
        Case(
            name=f"A disk above 85 % of all its containers' limits is told: {tier}",
            series=_disk(steady(851), tier=tier),
            checks=(
                Fires(alert="SandboxDiskHigh", at="4m45s"),
                Fires(alert="SandboxDiskHigh", at="5m", labels=(whose(tier=tier, over="5m"),)),
            ),
        )
        for tier in _ON_NODE
    ),
    Case(
        name="A disk at its share is silent, as is one of the same name in another tenant",
        series={
            **_disk(steady(850)),
            **pod(namespace="agents-globex"),
            **limit("ephemeral_storage", 1000, namespace="agents-globex"),
            **used_disk(steady(10), namespace="agents-globex"),
        },
        checks=(
            Fires(alert="SandboxDiskHigh", at="20m"),
            Gives(
                expr=_DISK,
                at="1m",
                samples={
                    series(_DISK, whose()): 0.85,
                    series(_DISK, whose(tenant="globex")): 0.01,
                },
            ),
        ),
    ),
    Case(
        name="A class has its own share of disk and its own time",
        series={
            **_disk(steady(501), agent_class="runner"),
            **_disk(steady(500), name="a2", agent_class="runner"),
        },
        checks=(
            Fires(alert="SandboxDiskHigh", at="1m45s"),
            Fires(
                alert="SandboxDiskHigh",
                at="2m",
                labels=(whose(agent_class="runner", over="2m"),),
            ),
            Fires(
                alert="SandboxDiskHigh",
                at="10m",
                labels=(whose(agent_class="runner", over="2m"),),
            ),
        ),
    ),
    Case(
        name="Limits of disk are tenants', above zero, each container's once",
        series={
            **_disk(steady(100)),
            **limit("ephemeral_storage", 0, name="a9"),
            **{
                s.replace("10.0.0.1", "10.0.0.3"): steady(100)
                for s in limit("ephemeral_storage", 1)
                if "10.0.0.1" in s
            },
            **{s.replace("10.0.0.9", "10.0.0.8"): steady(90) for s in used_disk("1")},
        },
        checks=(
            Gives(
                expr="sandbox:disk_limit:bytes",
                at="1m",
                samples={
                    series(
                        "sandbox:disk_limit:bytes", {"namespace": "agents-acme", "pod": "a1"}
                    ): 1000
                },
            ),
            Gives(expr=_DISK, at="1m", samples={series(_DISK, whose()): 0.1}),
        ),
    ),
    *(
        Case(
            name=f"A volume above 85 % is told, with the pod that has it: {tier}",
            series={**pod(tier=tier), **_claim(steady(86))},
            checks=(
                Fires(alert="SandboxVolumeHigh", at="4m45s"),
                Fires(
                    alert="SandboxVolumeHigh",
                    at="5m",
                    labels=(whose(tier=tier, persistentvolumeclaim="work", over="5m"),),
                ),
            ),
        )
        for tier in _ON_NODE
    ),
    Case(
        name="A volume at its share is silent; one that two pods share is each one's",
        series={
            **pod("a1"),
            **pod("a2"),
            **pod("a3"),
            **_claim(steady(85)),
            **_claim(steady(85), mounted="a2"),
            **_claim(steady(10), claim="other", mounted="a3"),
            **_stats("kubelet_volume_stats_used_bytes", steady(84), "work", "n2"),
            **_stats("kubelet_volume_stats_capacity_bytes", steady(100), "work", "n2"),
            **_claim(steady(5), claim="empty", capacity=0, mounted="a1"),
        },
        checks=(
            Fires(alert="SandboxVolumeHigh", at="20m"),
            Gives(
                expr=_VOLUME,
                at="1m",
                samples={
                    series(_VOLUME, whose("a1", persistentvolumeclaim="work")): 0.85,
                    series(_VOLUME, whose("a2", persistentvolumeclaim="work")): 0.85,
                    series(_VOLUME, whose("a3", persistentvolumeclaim="other")): 0.1,
                },
            ),
        ),
    ),
    Case(
        name="A claim of the same name in another tenant is another volume",
        series={
            **pod("a1"),
            **pod("a1", namespace="agents-globex"),
            **_claim(steady(20)),
            **{
                s.replace("agents-acme", "agents-globex"): values
                for s, values in _claim(steady(40)).items()
            },
        },
        checks=(
            Gives(
                expr=_VOLUME,
                at="1m",
                samples={
                    series(_VOLUME, whose("a1", persistentvolumeclaim="work")): 0.2,
                    series(
                        _VOLUME, whose("a1", tenant="globex", persistentvolumeclaim="work")
                    ): 0.4,
                },
            ),
        ),
    ),
    Case(
        name="A class has its own share of volumes and its own time",
        series={
            **pod("a1", agent_class="runner"),
            **pod("a2", agent_class="runner"),
            **_claim(steady(51)),
            **_claim(steady(50), claim="other", mounted="a2"),
        },
        checks=(
            Fires(alert="SandboxVolumeHigh", at="1m45s"),
            Fires(
                alert="SandboxVolumeHigh",
                at="10m",
                labels=(whose(agent_class="runner", persistentvolumeclaim="work", over="2m"),),
            ),
            Fires(
                alert="SandboxVolumeHigh",
                at="2m",
                labels=(whose(agent_class="runner", persistentvolumeclaim="work", over="2m"),),
            ),
        ),
    ),
    Case(
        name="A guest's file system above 85 % is told, each of them by itself",
        series={
            **pod(tier="microvm"),
            **_file_system(steady(86)),
            **_file_system(steady(85), mount="/cache"),
        },
        checks=(
            Fires(alert="SandboxGuestDiskHigh", at="4m45s"),
            Fires(
                alert="SandboxGuestDiskHigh",
                at="5m",
                labels=(whose(tier="microvm", mount="/work", device="vdb", over="5m"),),
            ),
        ),
    ),
    Case(
        name="A guest that was started again counts once, others not at all",
        series={
            **pod(tier="microvm", agent_class="runner"),
            **pod(namespace="agents-globex"),
            **pod("a2"),
            **_file_system(steady(50)),
            **_file_system(steady(40), sandbox="s0"),
            **_file_system(steady(0), mount="/none", total=0),
            **_file_system(steady(99), namespace="elsewhere"),
        },
        checks=(
            Fires(alert="SandboxGuestDiskHigh", at="20m"),
            Gives(
                expr=_GUEST,
                at="1m",
                samples={
                    series(
                        _GUEST,
                        whose(tier="microvm", agent_class="runner", mount="/work", device="vdb"),
                    ): 0.5
                },
            ),
        ),
    ),
    Case(
        name="A class has its own share of a guest's disk and its own time",
        series={**pod(tier="microvm", agent_class="runner"), **_file_system(steady(51))},
        checks=(
            Fires(alert="SandboxGuestDiskHigh", at="1m45s"),
            Fires(
                alert="SandboxGuestDiskHigh",
                at="2m",
                labels=(
                    whose(
                        tier="microvm",
                        agent_class="runner",
                        mount="/work",
                        device="vdb",
                        over="2m",
                    ),
                ),
            ),
            Fires(
                alert="SandboxGuestDiskHigh",
                at="10m",
                labels=(
                    whose(
                        tier="microvm",
                        agent_class="runner",
                        mount="/work",
                        device="vdb",
                        over="2m",
                    ),
                ),
            ),
        ),
    ),
)

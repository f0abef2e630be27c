"""With which Kubernetes each part of the platform is known to work: the matrix of all versions.

What a part's maker says stands here with where it is said; where nothing is said, nothing is
claimed. docs/versions.md is generated from it, and `corral doctor` asks it.
"""

from __future__ import annotations

from dataclasses import dataclass

from components import versions
from components.charts import PinnedChart
from corral.settings.kubernetes import DEFAULT_KUBERNETES, KUBERNETES_VERSIONS

Minor = tuple[int, int]
"""(1, 36)."""

OLDEST_KUBERNETES: Minor = (1, 33)
"""User namespaces and in-place resize are on by default from here; older API servers drop
`hostUsers: false` silently, which would admit sandboxes without one."""


def minor(version: str) -> Minor:
    """(1, 36) of `1.36` or `1.36.3`."""
    major, of, *_ = version.split(".")
    return (int(major), int(of))


NEWEST_KUBERNETES: Minor = minor(versions.KUBERNETES)
"""What the platform is built and tested against."""


RUNTIMES_SINCE: dict[str, Minor] = {"confidential-sandbox": (1, 36)}
"""Runtimes that ask more of Kubernetes than the platform does."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part in its version, and the Kubernetes that its maker says it is for."""

    name: str
    version: str
    oldest: Minor | None = None
    newest: Minor | None = None
    source: str
    """Where its maker says it, or why there is nothing to say."""
    on_eks_only: bool = False
    charts: tuple[PinnedChart, ...] = ()
    """What it comes by, where it comes by charts."""

    def judged(self, kubernetes: Minor) -> str:
        """Whether it goes with that Kubernetes: "yes", "no" or "not said"."""
        if self.oldest is None and self.newest is None:
            return "not said"
        below = self.oldest is not None and kubernetes < self.oldest
        above = self.newest is not None and kubernetes > self.newest
        return "no" if below or above else "yes"


def parts(kubernetes: str = DEFAULT_KUBERNETES) -> tuple[Part, ...]:
    """Every part, in the versions that go with that Kubernetes (`1.36`)."""
    return (
        Part(
            name="corral's own objects",
            version="–",
            oldest=OLDEST_KUBERNETES,
            newest=NEWEST_KUBERNETES,
            source="user namespaces from 1.33; admission, quotas and rights are tested on "
            f"{versions.KUBERNETES}",
        ),
        *_eks(kubernetes),
        Part(
            name="gVisor",
            version=versions.GVISOR,
            source="speaks with containerd alone",
        ),
        Part(
            name="Kata Containers",
            version=versions.KATA,
            source="its chart names no versions (Chart.yaml has no kubeVersion)",
        ),
        Part(
            name="verifier of nodes",
            version=versions.VERIFIER_IMAGE.partition("@")[0].rpartition(":")[2],
            oldest=(1, 30),
            source="ours: ValidatingAdmissionPolicy in v1",
        ),
        Part(
            name="Calico Open Source",
            version=versions.CALICO_CHART.version,
            source="https://docs.tigera.io/calico/latest/getting-started/kubernetes/requirements "
            "said nothing of 3.33 in August 2026; of 3.32 it said 1.34 to 1.36",
            charts=(versions.CALICO_CHART, *versions.CALICO_CRDS_CHARTS.values()),
        ),
        Part(
            name="Calico Enterprise",
            version=versions.CALICO_ENTERPRISE_CHART.version,
            oldest=(1, 34),
            newest=(1, 36),
            source="https://docs.tigera.io/calico-enterprise/latest/getting-started/compatibility, "
            "for kubeadm (August 2026)",
            charts=(versions.CALICO_ENTERPRISE_CHART, versions.CALICO_ENTERPRISE_CRDS_CHART),
        ),
        Part(
            name="Karpenter",
            version=versions.KARPENTER_CHART.version,
            oldest=(1, 30),
            newest=(1, 36),
            source="https://karpenter.sh/docs/upgrading/compatibility/",
            on_eks_only=True,
            charts=(versions.KARPENTER_CHART,),
        ),
        Part(
            name="AWS Node Termination Handler",
            version=versions.NODE_TERMINATION_HANDLER_CHART.version,
            oldest=(1, 29),
            newest=(1, 32),
            source="tested with these: https://github.com/aws/aws-node-termination-handler#readme",
            on_eks_only=True,
            charts=(versions.NODE_TERMINATION_HANDLER_CHART,),
        ),
        Part(
            name="TopoLVM",
            version=versions.TOPOLVM_CHART.version,
            oldest=(1, 33),
            newest=(1, 35),
            source="https://github.com/topolvm/topolvm/blob/main/README.md (August 2026)",
            charts=(versions.TOPOLVM_CHART,),
        ),
        Part(
            name="kube-prometheus-stack",
            version=versions.PROMETHEUS_STACK_CHART.version,
            oldest=(1, 25),
            source="its Chart.yaml (kubeVersion: >=1.25.0-0); the charts in it ask for no more",
            charts=(versions.PROMETHEUS_STACK_CHART,),
        ),
        Part(
            name="k8s-ephemeral-storage-metrics",
            version=versions.DISK_METRICS_CHART.version,
            source="its chart names no versions (Chart.yaml has no kubeVersion)",
            charts=(versions.DISK_METRICS_CHART,),
        ),
        Part(
            name="Falco",
            version=versions.FALCO,
            source="its chart names no versions (Chart.yaml has no kubeVersion); it needs a kernel "
            "from 5.8 on, with BTF",
            charts=(versions.FALCO_CHART,),
        ),
    )


def _eks(kubernetes: str) -> tuple[Part, ...]:
    window = f"EKS' standard support: {', '.join(KUBERNETES_VERSIONS)}"
    exact = minor(kubernetes)
    return (
        Part(
            name="Amazon EKS",
            version=kubernetes,
            oldest=minor(KUBERNETES_VERSIONS[0]),
            newest=minor(KUBERNETES_VERSIONS[-1]),
            source=window,
            on_eks_only=True,
        ),
        Part(
            name="node image (Amazon Linux 2023)",
            version=versions.NODE_IMAGE,
            oldest=exact,
            newest=exact,
            source="made for each version: https://github.com/awslabs/amazon-eks-ami/releases",
            on_eks_only=True,
        ),
        *(
            Part(
                name=name,
                version=version,
                oldest=exact,
                newest=exact,
                source="`aws eks describe-addon-versions`, which `corral doctor` asks again",
                on_eks_only=True,
            )
            for name, version in versions.eks_addons(kubernetes).items()
        ),
    )

"""Every version that the program depends on, exact. Nothing floats."""

from __future__ import annotations

from components.charts import PinnedChart

KUBERNETES = "1.36.3"
"""The Kubernetes release that the platform is built and tested against."""

NODE_IMAGE = "v20260923"
"""Release of the EKS-optimized Amazon Linux 2023 images, made for each minor version of Kubernetes.
https://github.com/awslabs/amazon-eks-ami/releases"""

EKS_ADDONS = {
    "vpc-cni": "v1.22.4-eksbuild.3",
    "kube-proxy": "v1.36.0-eksbuild.21",
    "coredns": "v1.14.3-eksbuild.16",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    "aws-ebs-csi-driver": "v1.63.1-eksbuild.1",
    "snapshot-controller": "v8.6.0-eksbuild.4",
}
"""Add-ons of EKS for that minor version of Kubernetes."""

_OLDER_ADDONS = {
    "1.35": {"kube-proxy": "v1.35.3-eksbuild.21", "coredns": "v1.13.2-eksbuild.21"},
}
"""Of the older versions that a cluster may have, what differs: AWS' own defaults for that version,
as `aws eks describe-addon-versions` gave them in August 2026 (recorded in public repositories)."""

GVISOR = "20260928.0"
"""The gVisor release on nodes that serve it. Since 20260831 a release is one archive of several
programs that belong together."""

GVISOR_SHA512 = {
    "amd64": "c8d3a9fd4d4c4f5b8ff213caa4517356be128d18659ec4cde37828fe797f61a9"
    "725a602a846c81a8ed19c057a996515d31c081eba343ed4613a89951ba32ed59",
    "arm64": "926538a4f20056d44838f230297ecec9192db2562e2523a207295f706b761267"
    "25f2ff7b4e59d747147510c5714057eeec862a0f77d43bf625746592b5f51b00",
}
"""Of its archive, by architecture."""


CONTAINERD = "2.2.4"
"""containerd on those node images."""

KATA = "4.1.0"
"""The Kata release on nodes that serve it. A node gets the release of its launch template, once."""

KATA_IMAGE = f"quay.io/kata-containers/kata-deploy:{KATA}"
"""What holds it. By tag: its digest could not be had where this was written; a stack file may name
one (`runtimes.kata-image`)."""

VERIFIER_IMAGE = (
    "public.ecr.aws/docker/library/python:3.14.0-alpine3.22"
    "@sha256:8373231e1e906ddfb457748bfc032c4c06ada8c759b7b62d9c73ec2a3c56e710"
)
"""Python, and nothing else of it is used: what verifies nodes is one file of ours. The digest is
the one that other public repositories pin for this tag."""

CALICO_CHART = PinnedChart(
    name="tigera-operator", version="v3.33.1", repository="https://docs.tigera.io/calico/charts"
)
"""Calico Open Source."""

CALICO_CRDS_CHARTS = {
    "v1": PinnedChart(
        name="crd.projectcalico.org.v1",
        version=CALICO_CHART.version,
        repository=CALICO_CHART.repository,
    ),
    "v3": PinnedChart(
        name="projectcalico.org.v3",
        version=CALICO_CHART.version,
        repository=CALICO_CHART.repository,
    ),
}
"""Its kinds, of which a cluster has one set or the other."""

CALICO_OPERATOR = "v1.44.1"
"""The operator of that release: its image's tag. It names Calico's own images by tag."""

CALICO_ENTERPRISE_CHART = PinnedChart(
    name="tigera-operator", version="v3.23.4", repository="https://downloads.tigera.io/ee/charts"
)
"""Calico Enterprise. Its chart names the operator that belongs to it."""

CALICO_ENTERPRISE_CRDS_CHART = PinnedChart(
    name="crd.projectcalico.org.v1",
    version=CALICO_ENTERPRISE_CHART.version,
    repository=CALICO_ENTERPRISE_CHART.repository,
)
"""Its kinds: this release has them in one set."""

ENVOY_IMAGE = "docker.io/envoyproxy/envoy:distroless-v1.40.0"
"""The egress gateway. By tag: its digest could not be had where this was written; a stack file may
name one (`network.egress.images.envoy`). The configuration is tried with that release."""

NGINX_IMAGE = "docker.io/library/nginx:1.30.0"
"""Tenants' package mirrors. By tag: its digest could not be had where this was written; a stack
file may name one (`network.egress.images.nginx`). The roots of public authorities are in it."""

TOPOLVM_CHART = PinnedChart(
    name="topolvm", version="17.1.0", repository="https://topolvm.github.io/topolvm"
)
"""Local workspaces."""

TOPOLVM_IMAGE = (
    "ghcr.io/topolvm/topolvm-with-sidecar:0.41.0"
    "@sha256:5faf5b94557516ae0f6fa7d329a5a4305e22aa2dc464af7641b31f2aca618036"
)
"""Of that chart: the digest stands in its own values."""


KARPENTER_CHART = PinnedChart(
    name="karpenter", version="1.14.1", repository="oci://public.ecr.aws/karpenter"
)
"""Its values name the controller's image by digest."""

NODE_TERMINATION_HANDLER_CHART = PinnedChart(
    name="aws-node-termination-handler",
    version="0.27.6",
    repository="oci://public.ecr.aws/aws-ec2/helm",
)
"""Of its image 1.25.6 it names the tag alone."""

PROMETHEUS_STACK_CHART = PinnedChart(
    name="kube-prometheus-stack",
    version="88.5.3",
    repository="oci://ghcr.io/prometheus-community/charts",
)
"""Prometheus 3.14, Alertmanager 0.34, their operator 0.93.1, kube-state-metrics (chart 8.4.0),
node-exporter (chart 4.56.1) and Grafana (chart 12.11.1). It names their images by tag."""

GRAFANA_IMAGE = "docker.io/grafana/grafana:13.2.0"
"""What that chart starts; the password of each of its pods is made with it too."""

DISK_METRICS_CHART = PinnedChart(
    name="k8s-ephemeral-storage-metrics",
    version="1.21.3",
    repository="https://jmcgrath207.github.io/k8s-ephemeral-storage-metrics/chart",
)
"""Ephemeral storage of each container. It names its image by tag."""

KATA_MONITOR_IMAGE = f"quay.io/kata-containers/kata-monitor:{KATA}"
"""What reads microVMs' own figures, of the same release as they are. By tag: its digest could not
be had where this was written."""

COLLECTOR = "0.156.0"
COLLECTOR_IMAGE = f"docker.io/otel/opentelemetry-collector-contrib:{COLLECTOR}"
"""The OpenTelemetry Collector, with all of its publisher's components. By tag: its digest could not
be had where this was written. tools/otelcol builds the same release for tests."""

FALCO = "0.45.0"
FALCO_CHART = PinnedChart(
    name="falco", version="9.1.0", repository="https://falcosecurity.github.io/charts"
)
"""That chart's own release is 0.44.1, of the same form. It names the image by tag; a stack file may
name one (`observability.runtime-security.falco`)."""

FALCOSIDEKICK_IMAGE = "docker.io/falcosecurity/falcosidekick:2.34.1"
"""By tag: its digest could not be had where this was written."""


def kubernetes_minor() -> str:
    """`v1.36`: how Pod Security names the rules of that release."""
    return f"v{eks_version()}"


def eks_version() -> str:
    """`1.36`: how EKS names it."""
    major, minor, _ = KUBERNETES.split(".")
    return f"{major}.{minor}"


def eks_addons(minor: str) -> dict[str, str]:
    """Versions of EKS' add-ons for Kubernetes `1.36` or older, by name."""
    return EKS_ADDONS if minor == eks_version() else {**EKS_ADDONS, **_OLDER_ADDONS[minor]}


def node_image(architecture: str, minor: str) -> str:
    """What a launch template names to have EC2 look the image up where AWS publishes it, for
    Kubernetes `1.36`: the release is fixed, and each region has its own id for it."""
    machine = {"amd64": "x86_64"}.get(architecture, architecture)
    name = f"amazon-eks-node-al2023-{machine}-standard-{minor}-{NODE_IMAGE}"
    base = f"/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{machine}/standard"
    return f"resolve:ssm:{base}/{name}/image_id"

"""Every version that the program depends on, exact. Nothing floats."""

from __future__ import annotations

KUBERNETES = "1.36.3"
"""The Kubernetes release that the platform is built and tested against."""

NODE_IMAGE = "v20260923"
"""Release of the EKS-optimized Amazon Linux 2023 images, of the same Kubernetes minor version.
https://github.com/awslabs/amazon-eks-ami/releases"""

EKS_ADDONS = {
    "vpc-cni": "v1.22.4-eksbuild.3",
    "kube-proxy": "v1.36.0-eksbuild.21",
    "coredns": "v1.14.3-eksbuild.16",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    "aws-ebs-csi-driver": "v1.63.1-eksbuild.1",
}
"""Add-ons of EKS for that minor version of Kubernetes."""

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


def kubernetes_minor() -> str:
    """`v1.36`: how Pod Security names the rules of that release."""
    return f"v{eks_version()}"


def eks_version() -> str:
    """`1.36`: how EKS names it."""
    major, minor, _ = KUBERNETES.split(".")
    return f"{major}.{minor}"


def node_image(architecture: str) -> str:
    """What a launch template names to have EC2 look the image up where AWS publishes it: the
    release is fixed, and each region has its own id for it."""
    machine = {"amd64": "x86_64"}.get(architecture, architecture)
    minor = eks_version()
    name = f"amazon-eks-node-al2023-{machine}-standard-{minor}-{NODE_IMAGE}"
    base = f"/aws/service/eks/optimized-ami/{minor}/amazon-linux-2023/{machine}/standard"
    return f"resolve:ssm:{base}/{name}/image_id"

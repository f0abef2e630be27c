"""Which programs the embedded cluster is made of: exact versions, and where each may come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

KUBERNETES = "v1.36.3"
ETCD = "v3.6.14"
KWOK = "v0.8.0"
HELM = "v3.22.0"


class Sums(Enum):
    """How a publisher tells the checksum of a file. See `downloads` for what it proves."""

    SHA512_BESIDE = "sha512 beside"
    """`<url>.sha512` holds the sum alone."""
    SHA256SUMS = "SHA256SUMS"
    """A file SHA256SUMS in the same folder lists `<sum>  <file>`."""
    SHA256SUM_BESIDE = "sha256sum beside"
    """`<url>.sha256sum` holds `<sum>  <file>`."""
    GITHUB_DIGEST = "GitHub's digest"
    """GitHub's releases API gives the digest of every asset."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """An official download for one platform."""

    url: str
    sums: Sums
    member: str = ""
    """The file in it, where it is a tar archive."""


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One program in one version."""

    name: str
    version: str
    version_command: tuple[str, ...] = ("--version",)
    version_words: str
    """What its first line of output must hold, as whole words."""
    module: str
    """Folder of its Go module, below `tools/`."""
    package: str
    ldflags: str = "-s -w"
    tags: tuple[str, ...] = ()
    """Build tags, for a program that can leave out what nobody here uses."""
    minutes: float
    """What a build takes on two cores, with everything still to download and to compile."""
    platforms: tuple[str, ...]
    """`<os>-<architecture>` that the publisher has it for."""
    download: Callable[[str, str], Download]
    """From operating system and architecture, as Go names them."""


_LINUX = ("linux-amd64", "linux-arm64")
_UNIX = (*_LINUX, "darwin-amd64", "darwin-arm64")


def _kubernetes(name: str, minutes: float) -> Pin:
    # Without these a build calls itself v0.0.0 and compares badly with every version.
    version = "k8s.io/component-base/version"
    major, minor, _ = KUBERNETES.removeprefix("v").split(".")
    return Pin(
        name=name,
        version=KUBERNETES,
        version_words=f"Kubernetes {KUBERNETES}",
        module="controlplane",
        package=f"k8s.io/kubernetes/cmd/{name}",
        ldflags=f"-s -w -X {version}.gitVersion={KUBERNETES} "
        f"-X {version}.gitMajor={major} -X {version}.gitMinor={minor}",
        minutes=minutes,
        platforms=_LINUX,  # servers are published for Linux alone
        download=lambda system, architecture: Download(
            url=f"https://dl.k8s.io/release/{KUBERNETES}/bin/{system}/{architecture}/{name}",
            sums=Sums.SHA512_BESIDE,
        ),
    )


def _etcd(system: str, architecture: str) -> Download:
    stem = f"etcd-{ETCD}-{system}-{architecture}"
    return Download(
        url=f"https://github.com/etcd-io/etcd/releases/download/{ETCD}/{stem}.tar.gz",
        sums=Sums.SHA256SUMS,
        member=f"{stem}/etcd",
    )


PINS: Mapping[str, Pin] = {
    pin.name: pin
    for pin in (
        Pin(
            name="etcd",
            version=ETCD,
            version_words=f"etcd Version: {ETCD.removeprefix('v')}",
            module="etcd",
            package="go.etcd.io/etcd/server/v3",
            minutes=0.6,
            platforms=_LINUX,  # for macOS it is published as a zip archive
            download=_etcd,
        ),
        _kubernetes("kube-apiserver", 4.6),
        _kubernetes("kube-controller-manager", 1.3),
        _kubernetes("kube-scheduler", 0.2),
        Pin(
            name="kwok",
            version=KWOK,
            version_words=f"kwok version {KWOK}",
            module="kwok",
            package="sigs.k8s.io/kwok/cmd/kwok",
            minutes=1.4,
            platforms=_UNIX,
            download=lambda system, architecture: Download(
                url="https://github.com/kubernetes-sigs/kwok/releases/download/"
                f"{KWOK}/kwok-{system}-{architecture}",
                sums=Sums.GITHUB_DIGEST,  # its releases come without a file of sums
            ),
        ),
        Pin(
            name="helm",
            version=HELM,
            version_command=("version", "--template", "helm {{ .Version }}"),
            version_words=f"helm {HELM}",
            module="helm",
            package="helm.sh/helm/v3/cmd/helm",
            # As published: a build without them takes every cluster for Kubernetes 1.20.
            ldflags=f"-s -w -X helm.sh/helm/v3/internal/version.version={HELM} "
            "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 "
            "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37",
            minutes=1.8,
            platforms=_UNIX,
            download=lambda system, architecture: Download(
                url=f"https://get.helm.sh/helm-{HELM}-{system}-{architecture}.tar.gz",
                sums=Sums.SHA256SUM_BESIDE,
                member=f"{system}-{architecture}/helm",
            ),
        ),
    )
}
"""By name."""

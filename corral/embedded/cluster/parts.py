"""The five processes of the control plane: their command lines, and what decides that one which
runs must be started again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.cluster.certificates import Pair
from corral.embedded.cluster.keys import SERVICE_NETWORK, Keys
from corral.embedded.cluster.layout import Layout
from corral.embedded.cluster.ports import LOOPBACK

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""In the order of starting; they are stopped in waves, the other way round."""

STOP_WAVES = (NAMES[2:], NAMES[1:2], NAMES[0:1])

# Nothing renews more often than it must: with a thousand nodes every renewal is a write to etcd.
_LEASE_SECONDS = 120
_POD_NETWORK = "10.244.0.0/16"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One process to be."""

    name: str
    command: tuple[str, ...]
    reads: tuple[Path, ...]
    """Files that it reads once, at start."""

    @property
    def fingerprint(self) -> str:
        """Changes when the process would start differently than the running one did."""
        digest = hashlib.sha256("\0".join(self.command).encode())
        for path in self.reads:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        program = Path(self.command[0]).stat()
        digest.update(f"{program.st_size} {program.st_mtime_ns}".encode())
        return digest.hexdigest()


def parts(
    layout: Layout, keys: Keys, ports: Mapping[str, int], programs: Mapping[str, Path]
) -> dict[str, Part]:
    """All five, by name, in the order of starting."""
    folder = layout.configuration
    options: dict[str, tuple[dict[str, str | Path | int], tuple[Path, ...]]] = {
        "etcd": (_etcd(layout, keys, ports), _files(keys.etcd, keys.etcd_authority.pair)),
        "kube-apiserver": (
            _api_server(layout, keys, ports),
            (
                *_files(keys.api_server, keys.authority.pair, keys.etcd_authority.pair),
                *_files(keys.etcd_client, keys.service_accounts),
                layout.encryption,
                folder / "audit.json",
            ),
        ),
        "kube-controller-manager": (
            _controller_manager(layout, keys, ports),
            (
                folder / "kube-controller-manager.kubeconfig",
                *_files(keys.service_accounts, keys.authority.pair, keys.controllers),
            ),
        ),
        "kube-scheduler": (
            {
                "config": folder / "scheduler.json",
                **_health_port(keys, ports["kube-scheduler"]),
            },
            (
                folder / "scheduler.json",
                folder / "kube-scheduler.kubeconfig",
                *_files(keys.controllers),
            ),
        ),
        "kwok": (
            {
                "kubeconfig": folder / "kwok.kubeconfig",
                "config": folder / "stages.yaml",
                "manage-nodes-with-annotation-selector": "kwok.x-k8s.io/node=fake",
                "node-lease-duration-seconds": _LEASE_SECONDS,
                "cidr": _POD_NETWORK,
            },
            (folder / "stages.yaml", folder / "kwok.kubeconfig"),
        ),
    }
    return {
        name: Part(
            name=name,
            command=(str(programs[name]), *(f"--{key}={value}" for key, value in flags.items())),
            reads=reads,
        )
        for name, (flags, reads) in options.items()
    }


def _etcd(layout: Layout, keys: Keys, ports: Mapping[str, int]) -> dict[str, str | Path | int]:
    client = f"https://{LOOPBACK}:{ports['etcd']}"
    peer = f"https://{LOOPBACK}:{ports['etcd-peer']}"
    trusted = keys.etcd_authority.pair.certificate
    return {
        "name": "corral",
        "data-dir": layout.data,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"corral={peer}",
        "cert-file": keys.etcd.certificate,
        "key-file": keys.etcd.key,
        "client-cert-auth": "true",
        "trusted-ca-file": trusted,
        "peer-cert-file": keys.etcd.certificate,
        "peer-key-file": keys.etcd.key,
        "peer-client-cert-auth": "true",
        "peer-trusted-ca-file": trusted,
        # A crash of the machine may cost this cluster; a crash of the process doesn't.
        "unsafe-no-fsync": "true",
        # It elects itself: there is nobody to wait for.
        "heartbeat-interval": 10,
        "election-timeout": 100,
        "quota-backend-bytes": 4 * 2**30,
        "log-level": "warn",
    }


def _api_server(
    layout: Layout, keys: Keys, ports: Mapping[str, int]
) -> dict[str, str | Path | int]:
    return {
        "bind-address": LOOPBACK,
        "advertise-address": LOOPBACK,
        "secure-port": ports["kube-apiserver"],
        "endpoint-reconciler-type": "none",  # an endpoint may not be a loopback address
        "service-cluster-ip-range": SERVICE_NETWORK,
        "etcd-servers": f"https://{LOOPBACK}:{ports['etcd']}",
        "etcd-cafile": keys.etcd_authority.pair.certificate,
        "etcd-certfile": keys.etcd_client.certificate,
        "etcd-keyfile": keys.etcd_client.key,
        "encryption-provider-config": layout.encryption,
        "tls-cert-file": keys.api_server.certificate,
        "tls-private-key-file": keys.api_server.key,
        "tls-min-version": "VersionTLS12",
        "client-ca-file": keys.authority.pair.certificate,
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        # As on every real cluster: privileged pods are for admission to refuse, not for validation.
        "allow-privileged": "true",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": keys.service_accounts.certificate,
        "service-account-signing-key-file": keys.service_accounts.key,
        "service-account-extend-token-expiration": "false",
        "audit-policy-file": layout.configuration / "audit.json",
        "audit-log-path": layout.audit_log,
        "audit-log-maxsize": 50,  # MB
        "audit-log-maxbackup": 2,
        "profiling": "false",
        # Priority and fairness divides this total. system:masters is exempt from it.
        "max-requests-inflight": 2000,
        "max-mutating-requests-inflight": 1000,
    }


def _health_port(keys: Keys, port: int) -> dict[str, str | Path | int]:
    """Health is all that it tells: there is nobody whom it would believe to be somebody."""
    return {
        "bind-address": LOOPBACK,
        "secure-port": port,
        "tls-cert-file": keys.controllers.certificate,
        "tls-private-key-file": keys.controllers.key,
    }


def _controller_manager(
    layout: Layout, keys: Keys, ports: Mapping[str, int]
) -> dict[str, str | Path | int]:
    return {
        "kubeconfig": layout.configuration / "kube-controller-manager.kubeconfig",
        **_health_port(keys, ports["kube-controller-manager"]),
        "leader-elect": "false",
        "profiling": "false",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": keys.service_accounts.key,
        "root-ca-file": keys.authority.pair.certificate,
        # The defaults (20 a second) would take minutes over a thousand tenants' namespaces.
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        "concurrent-namespace-syncs": 20,
        "concurrent-resource-quota-syncs": 10,
        "node-monitor-period": "2s",
        "node-monitor-grace-period": f"{_LEASE_SECONDS}s",
    }


def _files(*pairs: Pair) -> tuple[Path, ...]:
    return tuple(path for pair in pairs for path in (pair.certificate, pair.key))

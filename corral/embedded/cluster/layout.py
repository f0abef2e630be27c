"""Where the embedded cluster keeps what it has: everything below one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from corral.embedded.cluster.files import private_folder


@dataclass(frozen=True, kw_only=True)
class Layout:
    """`state` may hold other things too: the cluster owns `kubeconfig`, `cluster/` and the lock."""

    state: Path

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in."""
        return self.state / "kubeconfig"

    @property
    def lock(self) -> Path:
        """Held while the cluster is being started, stopped or reset."""
        return self.state / "cluster.lock"

    @property
    def holder(self) -> Path:
        """Who holds the lock, for the message to whoever doesn't get it."""
        return self.state / "cluster.lock.holder"

    @property
    def home(self) -> Path:
        """All that `reset` removes, but for the kubeconfig."""
        return self.state / "cluster"

    @property
    def keys(self) -> Path:
        """Certificates and private keys."""
        return self.home / "keys"

    @property
    def configuration(self) -> Path:
        """What the processes read: kubeconfigs, the audit policy, the encryption key, stages."""
        return self.home / "configuration"

    @property
    def records(self) -> Path:
        """One file per running process: which it is."""
        return self.home / "processes"

    @property
    def logs(self) -> Path:
        """One log per process, and the audit log."""
        return self.home / "logs"

    @property
    def data(self) -> Path:
        """etcd's."""
        return self.home / "etcd"

    @property
    def ports(self) -> Path:
        """The ports that were chosen."""
        return self.home / "ports.json"

    @property
    def encryption(self) -> Path:
        """The key that secrets are encrypted with in etcd."""
        return self.configuration / "encryption.json"

    @property
    def audit_log(self) -> Path:
        """Who did what through the API server."""
        return self.logs / "audit.log"

    def log(self, part: str) -> Path:
        """The log of one process."""
        return self.logs / f"{part}.log"

    def record(self, part: str) -> Path:
        """The record of one process."""
        return self.records / f"{part}.json"

    def prepare(self) -> None:
        """Makes the folders, readable by their owner alone."""
        for folder in (
            self.state,
            self.home,
            self.keys,
            self.configuration,
            self.records,
            self.logs,
            self.data,
        ):
            private_folder(folder)

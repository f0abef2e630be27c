"""What containerd on a node is told, beside what EKS' own image tells it.

nodeadm merges our TOML into its own, map by map, and writes /etc/containerd/config.toml anew at
each boot. Only a text that names a plug-in of version 3 is merged as version 3.
https://github.com/awslabs/amazon-eks-ami/blob/main/nodeadm/internal/containerd/config.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.aws.nodes.kata import shims
from components.aws.nodes.rendering import render
from components.observability.runtime_security.seccheck import SESSION_FILE
from corral.settings.tiers import Runtime, Tier

BASE_RUNTIME_SPEC = "/etc/containerd/base-runtime-spec.json"
"""Where nodeadm writes the specification that every container of a runtime starts from."""

DROP_INS = "/etc/containerd/conf.d/*.toml"
"""What else may be registered on a node, by drivers or by hand. Without the import, nodeadm would
erase it at each boot."""

RUNSC_CONFIG = "/etc/containerd/runsc.toml"

OPEN_FILES = {"type": "RLIMIT_NOFILE", "soft": 65536, "hard": 1048576}
NO_CORE_DUMPS = {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}


def containerd_toml(runtimes: Sequence[Runtime]) -> str:
    """TOML (version 3) for nodes that serve these runtimes.

    All are registered whole and from the first start: what serves them may come later, and
    containerd is never restarted for it. Of a pod's annotations none reaches a runtime but those
    that the kubelet writes itself.
    """
    return render(
        "containerd.toml.j2",
        drop_ins=DROP_INS,
        base_runtime_spec=BASE_RUNTIME_SPEC,
        runsc_config=RUNSC_CONFIG,
        gvisor=[runtime.handler for runtime in runtimes if runtime.tier == Tier.GVISOR],
        kata=shims(runtimes),
    )


def base_runtime_spec() -> dict[str, Any]:
    """Merged into nodeadm's: no container may write a core dump of its memory anywhere.

    Lists are replaced as a whole, so that the limit on open files stands here too.
    """
    return {"process": {"rlimits": [OPEN_FILES, NO_CORE_DUMPS]}}


def runsc_toml() -> str:
    """runsc's own flags: system calls are caught by systrap, which needs no virtualization, and
    cgroups are systemd's, as the kubelet's are. Each sandbox tells what it does to the reader of
    its node, where one listens when it starts. Pods can't change any of it by annotation."""
    return render("runsc.toml.j2", trace_session=SESSION_FILE)

"""Whether what nodes fetch while they start can be had: gVisor's release."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator

from components.aws.nodes.user_data import GvisorRelease
from components.versions import GVISOR, GVISOR_SHA512
from corral.preflight.finding import Finding, failure, ok, warning
from corral.preflight.registry import opened
from corral.settings.aws.room import eks_pools
from corral.settings.stack import Settings
from corral.settings.tiers import Tier

_GONE = (403, 404, 410)
"""What stores answer for a file that isn't there."""


def look_at_downloads(settings: Settings) -> Iterator[Finding]:
    """One finding for each architecture whose nodes on EKS serve gVisor."""
    served = {
        pool.architecture for pool in eks_pools(settings.pools).values() if pool.tier == Tier.GVISOR
    }
    for architecture in sorted(served):
        release = GvisorRelease(
            version=GVISOR,
            sha512=GVISOR_SHA512[architecture],
            source=settings.runtimes.gvisor_source,
        )
        yield _looked(release.archive(architecture))


def _looked(url: str) -> Finding:
    try:
        with opened(url, {}, method="HEAD"):
            return ok(f"gVisor {GVISOR} is at {url}")
    except urllib.error.HTTPError as error:
        if error.code in _GONE:
            return failure(
                f"gVisor {GVISOR} is not at {url} ({error.code})",
                why="nodes of tier gvisor fetch it before they join, and would never",
                fix="correct runtimes.gvisor-source, put the archive there, or use a newer corral",
            )
        return _unknown(url, f"{error.code} {error.reason}")
    except OSError as error:
        return _unknown(url, str(error))


def _unknown(url: str, reason: str) -> Finding:
    return warning(
        f"{url} could not be looked for: {reason}",
        why="nodes of tier gvisor fetch it before they join; they may reach what this machine "
        "doesn't",
        fix="look from a machine that reaches it, or name a mirror: runtimes.gvisor-source",
    )

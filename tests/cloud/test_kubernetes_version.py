"""A cluster of the older Kubernetes: control plane, add-ons and nodes of one version, in moto."""

from __future__ import annotations

from pathlib import Path

from components.versions import eks_addons
from corral.settings.kubernetes import KUBERNETES_VERSIONS
from tests.cloud.stacks import DEV, standing, varied
from tests.cloud.walk import findings

OLDER = KUBERNETES_VERSIONS[0]


def test_everything_of_a_cluster_is_of_the_version_that_its_file_says(tmp_path: Path) -> None:
    settings = varied(DEV, cluster={**DEV["cluster"], "version": OLDER})
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        cluster = world.account.client("eks").describe_cluster(name="corral-dev")["cluster"]
        assert cluster["version"] == OLDER
        addons = world.executor.of("aws:eks/addon:Addon")
        found = {one.inputs["addonName"]: one.inputs["addonVersion"] for one in addons}
        assert found.items() <= eks_addons(OLDER).items()
        assert found["kube-proxy"].startswith(f"v{OLDER}.")
        images = {
            one.inputs["imageId"]
            for one in world.executor.of("aws:ec2/launchTemplate:LaunchTemplate")
        }
        assert images
        assert all(f"-standard-{OLDER}-" in image for image in images)

"""Where logs are kept: of containers, and the API server's audit log."""

from __future__ import annotations

import json
from pathlib import Path

from components.aws.cluster.cluster import LOG_TYPES
from tests.cloud.stacks import DEV, standing, varied
from tests.cloud.walk import findings


def test_logs_are_kept_for_as_long_as_the_stack_says_by_its_own_key(tmp_path: Path) -> None:
    said = {"kind": "cloudwatch", "retention-days": 14}
    settings = varied(DEV, observability={**DEV["observability"], "logs": said})
    with standing(tmp_path, "dev", settings) as world:
        assert world.result.complete, world.explained()
        assert findings(world) == {}
        logs = world.account.client("logs")
        groups = {each["logGroupName"]: each for each in logs.describe_log_groups()["logGroups"]}
        [name] = [each for each in groups if each.endswith("/logs")]
        assert groups[name]["retentionInDays"] == 14
        assert groups[name]["kmsKeyId"]
        streams = logs.describe_log_streams(logGroupName=name)["logStreams"]
        assert [each["logStreamName"] for each in streams] == ["nodes"]
        [role] = [
            one
            for one in world.executor.of("aws:iam/rolePolicy:RolePolicy")
            if one.name == "collector"
        ]
        [statement] = json.loads(role.inputs["policy"])["Statement"]
        assert statement["Action"] == ["logs:PutLogEvents"], "it reads nothing, and makes nothing"
        [resource] = statement["Resource"]
        assert resource.endswith(f":log-group:{name}:log-stream:nodes")


def test_the_audit_log_is_written_kept_for_a_time_and_encrypted(tmp_path: Path) -> None:
    assert "audit" in LOG_TYPES
    settings = varied(DEV, cluster={**DEV["cluster"], "log-days": 365})
    with standing(tmp_path, "dev", settings) as world:
        [cluster] = world.executor.of("aws:eks/cluster:Cluster")
        assert "audit" in cluster.inputs["enabledClusterLogTypes"]
        logs = world.account.client("logs")
        [group] = [
            each
            for each in logs.describe_log_groups()["logGroups"]
            if each["logGroupName"].startswith("/aws/eks/")
        ]
        assert group["retentionInDays"] == 365
        assert group["kmsKeyId"]

"""Launch templates and Auto Scaling groups."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts, dropped
from tests.cloud.given import Given


@adapts("aws:ec2/launchTemplate:LaunchTemplate")
def launch_template(call: Call) -> Made:
    given = call.given
    given.only_provider("updateDefaultVersion")
    name = given.get("name") or f"{given.get('namePrefix', call.name)}20260101000000000000000001"
    data = _template(given)
    ec2 = call.client("ec2")
    made = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData=data,
        **given.renamed({"description": "VersionDescription"}),
        TagSpecifications=call.specifications("launch-template"),
    )["LaunchTemplate"]
    found = made["LaunchTemplateId"]
    [version] = ec2.describe_launch_template_versions(LaunchTemplateId=found)[
        "LaunchTemplateVersions"
    ]
    kept = version["LaunchTemplateData"]
    # moto counts the template's own tags among those of what it starts.
    kept["TagSpecifications"] = [
        one for one in kept.get("TagSpecifications", ()) if one["ResourceType"] != "launch-template"
    ]
    return Made(
        id=found,
        outputs={
            "name": name,
            "arn": call.account.arn("ec2", f"launch-template/{found}"),
            "latestVersion": made["LatestVersionNumber"],
            "defaultVersion": made["DefaultVersionNumber"],
        },
        dropped=dropped(data, kept),
    )


_BLOCKS = {
    "cpuOptions": ("CpuOptions", ("coreCount", "threadsPerCore", "amdSevSnp")),
    "metadataOptions": (
        "MetadataOptions",
        (
            "httpTokens",
            "httpPutResponseHopLimit",
            "httpEndpoint",
            "httpProtocolIpv6",
            "instanceMetadataTags",
        ),
    ),
    "monitoring": ("Monitoring", ("enabled",)),
    "enclaveOptions": ("EnclaveOptions", ("enabled",)),
    "iamInstanceProfile": ("IamInstanceProfile", ("arn", "name")),
    "maintenanceOptions": ("MaintenanceOptions", ("autoRecovery",)),
    "privateDnsNameOptions": (
        "PrivateDnsNameOptions",
        ("hostnameType", "enableResourceNameDnsARecord", "enableResourceNameDnsAaaaRecord"),
    ),
    "placement": ("Placement", ("groupName", "availabilityZone", "tenancy", "affinity")),
}
"""Blocks that AWS has under the same names but for their first letter."""


def _template(given: Given) -> dict[str, Any]:
    data: dict[str, Any] = {
        **given.pascal(
            "imageId",
            "instanceType",
            "userData",
            "keyName",
            "ebsOptimized",
            "disableApiStop",
            "disableApiTermination",
            "instanceInitiatedShutdownBehavior",
        ),
        **given.renamed({"vpcSecurityGroupIds": "SecurityGroupIds"}),
    }
    for key, (aws, fields) in _BLOCKS.items():
        if (block := given.block(key)) is not None:
            data[aws] = block.pascal(*fields)
            if key == "cpuOptions":
                data[aws] |= block.renamed({"nestedVirtualization": "NestedVirtualization"})
    if (market := given.block("instanceMarketOptions")) is not None:
        data["InstanceMarketOptions"] = market.pascal("marketType")
        if (spot := market.block("spotOptions")) is not None:
            data["InstanceMarketOptions"]["SpotOptions"] = spot.pascal(
                "maxPrice", "spotInstanceType", "instanceInterruptionBehavior"
            )
    if (reservation := given.block("capacityReservationSpecification")) is not None:
        data["CapacityReservationSpecification"] = _reservation(reservation)
    if devices := given.blocks("blockDeviceMappings"):
        data["BlockDeviceMappings"] = [_device(device) for device in devices]
    if interfaces := given.blocks("networkInterfaces"):
        data["NetworkInterfaces"] = [_interface(interface) for interface in interfaces]
    if tagged := given.blocks("tagSpecifications"):
        data["TagSpecifications"] = [
            {
                "ResourceType": block["resourceType"],
                "Tags": [{"Key": k, "Value": v} for k, v in (block.get("tags") or {}).items()],
            }
            for block in tagged
        ]
    return data


def _reservation(given: Given) -> dict[str, Any]:
    found = given.pascal("capacityReservationPreference")
    if (target := given.block("capacityReservationTarget")) is not None:
        found["CapacityReservationTarget"] = target.pascal(
            "capacityReservationId", "capacityReservationResourceGroupArn"
        )
    return found


def _device(given: Given) -> dict[str, Any]:
    found = given.pascal("deviceName", "noDevice", "virtualName")
    if (disk := given.block("ebs")) is not None:
        found["Ebs"] = disk.pascal(
            "volumeSize", "volumeType", "iops", "throughput", "kmsKeyId", "snapshotId"
        )
        for flag in ("encrypted", "deleteOnTermination"):  # the provider has these as text
            if (value := disk.get(flag)) is not None:
                found["Ebs"][flag[0].upper() + flag[1:]] = str(value).lower() == "true"
    return found


def _interface(given: Given) -> dict[str, Any]:
    found = given.pascal("deviceIndex", "subnetId", "networkCardIndex", "interfaceType")
    found |= given.renamed({"securityGroups": "Groups"})
    for flag in ("associatePublicIpAddress", "deleteOnTermination"):
        if (value := given.get(flag)) is not None:
            found[flag[0].upper() + flag[1:]] = str(value).lower() == "true"
    return found


@adapts("aws:autoscaling/group:Group")
def group(call: Call) -> Made:
    given = call.given
    given.only_provider(
        "forceDelete",
        "waitForCapacityTimeout",
        "ignoreFailedScalingActivities",
        "forceDeleteWarmPool",
    )
    # A refresh starts when the group changes; it is never part of its creation.
    given.only_provider("instanceRefresh")
    name = given.get("name", call.name)
    sent: dict[str, Any] = {
        **given.pascal(
            "minSize",
            "maxSize",
            "healthCheckType",
            "healthCheckGracePeriod",
            "terminationPolicies",
            "maxInstanceLifetime",
            "capacityRebalance",
            "placementGroup",
            "defaultInstanceWarmup",
        ),
        **given.renamed(
            {
                "desiredCapacity": "DesiredCapacity",
                "defaultCooldown": "DefaultCooldown",
                "protectFromScaleIn": "NewInstancesProtectedFromScaleIn",
                "serviceLinkedRoleArn": "ServiceLinkedRoleARN",
                "targetGroupArns": "TargetGroupARNs",
            }
        ),
    }
    if subnets := given.get("vpcZoneIdentifiers"):
        sent["VPCZoneIdentifier"] = ",".join(subnets)
    if (template := given.block("launchTemplate")) is not None:
        sent["LaunchTemplate"] = _template_reference(template)
    if (mixed := given.block("mixedInstancesPolicy")) is not None:
        sent["MixedInstancesPolicy"] = _mixed(mixed)
    if (spread := given.block("availabilityZoneDistribution")) is not None:
        sent["AvailabilityZoneDistribution"] = spread.pascal("capacityDistributionStrategy")
    if (upkeep := given.block("instanceMaintenancePolicy")) is not None:
        sent["InstanceMaintenancePolicy"] = upkeep.pascal(
            "minHealthyPercentage", "maxHealthyPercentage"
        )
    if (reservation := given.block("capacityReservationSpecification")) is not None:
        sent["CapacityReservationSpecification"] = reservation.pascal(
            "capacityReservationPreference"
        )
        if (target := reservation.block("capacityReservationTarget")) is not None:
            sent["CapacityReservationSpecification"]["CapacityReservationTarget"] = target.pascal(
                "capacityReservationIds", "capacityReservationResourceGroupArns"
            )
    if hooks := given.blocks("initialLifecycleHooks"):
        sent["LifecycleHookSpecificationList"] = [_hook(hook) for hook in hooks]
    own = {tag["key"]: tag for tag in given.get("tags") or ()}
    tags = [
        {
            "Key": key,
            "Value": tag["value"],
            "PropagateAtLaunch": tag["propagateAtLaunch"],
            "ResourceType": "auto-scaling-group",
            "ResourceId": name,
        }
        for key, tag in own.items()
    ]
    scaling = call.client("autoscaling")
    scaling.create_auto_scaling_group(AutoScalingGroupName=name, **sent, Tags=tags)
    if metrics := given.get("enabledMetrics"):
        scaling.enable_metrics_collection(
            AutoScalingGroupName=name,
            Metrics=metrics,
            Granularity=given.get("metricsGranularity", "1Minute"),
        )
    if suspended := given.get("suspendedProcesses"):
        scaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=suspended)
    [made] = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    hooks_kept = scaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    kept = {**made}
    if len(hooks_kept) == len(sent.get("LifecycleHookSpecificationList", ())):
        kept["LifecycleHookSpecificationList"] = sent.get("LifecycleHookSpecificationList")
    return Made(
        id=name,
        outputs={"name": name, "arn": made["AutoScalingGroupARN"]},
        dropped=dropped(sent, kept),
    )


def _template_reference(given: Given) -> dict[str, Any]:
    found = given.renamed({"id": "LaunchTemplateId", "name": "LaunchTemplateName"})
    found["Version"] = str(given.get("version", "$Default"))
    return found


def _mixed(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (how := given.block("instancesDistribution")) is not None:
        found["InstancesDistribution"] = how.pascal(
            "onDemandAllocationStrategy",
            "onDemandBaseCapacity",
            "onDemandPercentageAboveBaseCapacity",
            "spotAllocationStrategy",
            "spotInstancePools",
            "spotMaxPrice",
        )
    if (template := given.block("launchTemplate")) is not None:
        found["LaunchTemplate"] = {}
        if (reference := template.block("launchTemplateSpecification")) is not None:
            found["LaunchTemplate"]["LaunchTemplateSpecification"] = {
                **reference.renamed(
                    {
                        "launchTemplateId": "LaunchTemplateId",
                        "launchTemplateName": "LaunchTemplateName",
                    }
                ),
                "Version": str(reference.get("version", "$Default")),
            }
        if overrides := template.blocks("overrides"):
            found["LaunchTemplate"]["Overrides"] = [
                one.pascal("instanceType", "weightedCapacity") for one in overrides
            ]
    return found


def _hook(given: Given) -> dict[str, Any]:
    return {
        "LifecycleHookName": given["name"],
        "LifecycleTransition": given["lifecycleTransition"],
        **given.pascal("defaultResult", "heartbeatTimeout", "notificationMetadata"),
        **given.renamed({"notificationTargetArn": "NotificationTargetARN", "roleArn": "RoleARN"}),
    }

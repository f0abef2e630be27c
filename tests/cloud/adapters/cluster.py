"""EKS: the cluster itself."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts, dropped


@adapts("aws:eks/cluster:Cluster")
def cluster(call: Call) -> Made:
    given = call.given
    name = given.get("name", call.name)
    sent: dict[str, Any] = {
        "name": name,
        "roleArn": given["roleArn"],
        "resourcesVpcConfig": _vpc(call),
        **given.same("version", "deletionProtection", "bootstrapSelfManagedAddons"),
    }
    if (access := given.block("accessConfig")) is not None:
        sent["accessConfig"] = access.same(
            "authenticationMode", "bootstrapClusterCreatorAdminPermissions"
        )
    if (network := given.block("kubernetesNetworkConfig")) is not None:
        sent["kubernetesNetworkConfig"] = network.same("serviceIpv4Cidr", "ipFamily")
    if (encryption := given.block("encryptionConfig")) is not None:
        provider = encryption.block("provider")
        sent["encryptionConfig"] = [
            {
                "resources": encryption["resources"],
                "provider": provider.same("keyArn") if provider else {},
            }
        ]
    if (support := given.block("upgradePolicy")) is not None:
        sent["upgradePolicy"] = support.same("supportType")
    if (shift := given.block("zonalShiftConfig")) is not None:
        sent["zonalShiftConfig"] = shift.same("enabled")
    if types := given.get("enabledClusterLogTypes"):
        sent["logging"] = {"clusterLogging": [{"types": types, "enabled": True}]}
    eks = call.client("eks")
    eks.create_cluster(**sent, tags=call.tags())
    made = eks.describe_cluster(name=name)["cluster"]
    return Made(
        id=name,
        outputs={
            "name": name,
            "arn": made["arn"],
            "endpoint": made["endpoint"],
            "version": made["version"],
            "platformVersion": made["platformVersion"],
            "status": made["status"],
            "certificateAuthority": {"data": made["certificateAuthority"]["data"]},
            "identities": [{"oidcs": [{"issuer": made["identity"]["oidc"]["issuer"]}]}],
            "vpcConfig": {
                **(given.get("vpcConfig") or {}),
                "clusterSecurityGroupId": _own_group(call, name),
                "vpcId": _vpc_of(call, sent["resourcesVpcConfig"]["subnetIds"][0]),
            },
        },
        dropped=dropped(sent, made),
    )


def _vpc(call: Call) -> dict[str, Any]:
    config = call.given.block("vpcConfig")
    if config is None:
        raise ValueError("a cluster needs vpcConfig")
    return config.same(
        "subnetIds",
        "securityGroupIds",
        "endpointPrivateAccess",
        "endpointPublicAccess",
        "publicAccessCidrs",
    )


def _vpc_of(call: Call, subnet: str) -> str:
    [found] = call.client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"]
    return str(found["VpcId"])


def _own_group(call: Call, name: str) -> str:
    """The security group that EKS makes for a cluster; moto makes none. Real EKS lets it talk to
    itself and out, which is not what is tested here, so it is left without rules."""
    ec2 = call.client("ec2")
    config = call.given.get("vpcConfig")
    group: str = ec2.create_security_group(
        GroupName=f"eks-cluster-sg-{name}",
        Description="EKS created security group",
        VpcId=_vpc_of(call, config["subnetIds"][0]),
        TagSpecifications=call.specifications("security-group"),
    )["GroupId"]
    [standing] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=standing["IpPermissionsEgress"])
    return group

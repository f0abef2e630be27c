"""VPC endpoints and flow logs."""

from __future__ import annotations

from tests.cloud.adapters.adapter import Call, Made, adapts, dropped


@adapts("aws:ec2/vpcEndpoint:VpcEndpoint")
def endpoint(call: Call) -> Made:
    ec2 = call.client("ec2")
    call.given.only_provider("autoAccept")
    arguments = call.given.renamed(
        {
            "vpcId": "VpcId",
            "serviceName": "ServiceName",
            "vpcEndpointType": "VpcEndpointType",
            "policy": "PolicyDocument",
            "routeTableIds": "RouteTableIds",
            "subnetIds": "SubnetIds",
            "securityGroupIds": "SecurityGroupIds",
            "privateDnsEnabled": "PrivateDnsEnabled",
            "ipAddressType": "IpAddressType",
        }
    )
    made = ec2.create_vpc_endpoint(
        **arguments, TagSpecifications=call.specifications("vpc-endpoint")
    )["VpcEndpoint"]
    found = made["VpcEndpointId"]
    groups = [group["GroupId"] for group in made.get("Groups") or ()]
    kept = {**made, "SecurityGroupIds": groups}
    return Made(
        id=found,
        outputs={
            "arn": call.account.arn("ec2", f"vpc-endpoint/{found}"),
            "dnsEntries": [
                {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in made.get("DnsEntries") or ()
            ],
            "networkInterfaceIds": made.get("NetworkInterfaceIds") or [],
        },
        dropped=dropped(arguments, kept),
    )


@adapts("aws:ec2/flowLog:FlowLog")
def flow_log(call: Call) -> Made:
    kinds = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}
    [(key, kind)] = [(key, kind) for key, kind in kinds.items() if call.given.get(key) is not None]
    made = call.client("ec2").create_flow_logs(
        ResourceIds=[call.given[key]],
        ResourceType=kind,
        **call.given.pascal(
            "trafficType", "logDestination", "logDestinationType", "logFormat", "logGroupName"
        ),
        **call.given.renamed(
            {
                "iamRoleArn": "DeliverLogsPermissionArn",
                "maxAggregationInterval": "MaxAggregationInterval",
            }
        ),
        TagSpecifications=call.specifications("vpc-flow-log"),
    )
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    [found] = made["FlowLogIds"]
    return Made(id=found, outputs={"arn": call.account.arn("ec2", f"vpc-flow-log/{found}")})

"""VPC, subnets, gateways, addresses and routes."""

from __future__ import annotations

from typing import Any

from tests.cloud.adapters.adapter import Call, Made, adapts


@adapts("aws:ec2/vpc:Vpc")
def vpc(call: Call) -> Made:
    ec2 = call.client("ec2")
    made = ec2.create_vpc(
        **call.given.pascal("cidrBlock", "instanceTenancy"),
        **call.given.renamed({"assignGeneratedIpv6CidrBlock": "AmazonProvidedIpv6CidrBlock"}),
        TagSpecifications=call.specifications("vpc"),
    )["Vpc"]
    found = made["VpcId"]
    # The provider's own defaults: support on, host names off.
    attributes = {
        "EnableDnsSupport": call.given.get("enableDnsSupport", True),
        "EnableDnsHostnames": call.given.get("enableDnsHostnames", False),
        "EnableNetworkAddressUsageMetrics": call.given.get(
            "enableNetworkAddressUsageMetrics", False
        ),
    }
    for attribute, value in attributes.items():
        ec2.modify_vpc_attribute(VpcId=found, **{attribute: {"Value": value}})
    inside = [{"Name": "vpc-id", "Values": [found]}]
    default = [*inside, {"Name": "group-name", "Values": ["default"]}]
    main = [*inside, {"Name": "association.main", "Values": ["true"]}]
    tables = ec2.describe_route_tables(Filters=main)["RouteTables"]
    return Made(
        id=found,
        outputs={
            "arn": call.account.arn("ec2", f"vpc/{found}"),
            "ownerId": made["OwnerId"],
            "mainRouteTableId": tables[0]["RouteTableId"],
            "defaultRouteTableId": tables[0]["RouteTableId"],
            "defaultSecurityGroupId": ec2.describe_security_groups(Filters=default)[
                "SecurityGroups"
            ][0]["GroupId"],
            "defaultNetworkAclId": ec2.describe_network_acls(Filters=inside)["NetworkAcls"][0][
                "NetworkAclId"
            ],
        },
    )


@adapts("aws:ec2/subnet:Subnet")
def subnet(call: Call) -> Made:
    ec2 = call.client("ec2")
    made = ec2.create_subnet(
        **call.given.pascal(
            "vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6CidrBlock"
        ),
        TagSpecifications=call.specifications("subnet"),
    )["Subnet"]
    found = made["SubnetId"]
    if (public := call.given.get("mapPublicIpOnLaunch")) is not None:
        ec2.modify_subnet_attribute(SubnetId=found, MapPublicIpOnLaunch={"Value": public})
    outputs = {
        "arn": made["SubnetArn"],
        "availabilityZone": made["AvailabilityZone"],
        "availabilityZoneId": made["AvailabilityZoneId"],
        "ownerId": made["OwnerId"],
    }
    return Made(id=found, outputs=outputs)


@adapts("aws:ec2/internetGateway:InternetGateway")
def internet_gateway(call: Call) -> Made:
    ec2 = call.client("ec2")
    made = ec2.create_internet_gateway(TagSpecifications=call.specifications("internet-gateway"))
    found = made["InternetGateway"]["InternetGatewayId"]
    if (vpc_id := call.given.get("vpcId")) is not None:
        ec2.attach_internet_gateway(InternetGatewayId=found, VpcId=vpc_id)
    return Made(id=found, outputs={"arn": call.account.arn("ec2", f"internet-gateway/{found}")})


@adapts("aws:ec2/eip:Eip")
def address(call: Call) -> Made:
    made = call.client("ec2").allocate_address(
        **call.given.pascal("domain", "publicIpv4Pool", "networkBorderGroup"),
        TagSpecifications=call.specifications("elastic-ip"),
    )
    found = made["AllocationId"]
    return Made(
        id=found,
        outputs={
            "allocationId": found,
            "publicIp": made["PublicIp"],
            "arn": call.account.arn("ec2", f"elastic-ip/{found}"),
        },
    )


@adapts("aws:ec2/natGateway:NatGateway")
def nat_gateway(call: Call) -> Made:
    ec2 = call.client("ec2")
    made = ec2.create_nat_gateway(
        **call.given.pascal("subnetId", "allocationId", "connectivityType", "privateIp"),
        TagSpecifications=call.specifications("natgateway"),
    )["NatGateway"]
    addresses = made.get("NatGatewayAddresses") or [{}]
    return Made(
        id=made["NatGatewayId"],
        outputs={
            "publicIp": addresses[0].get("PublicIp", ""),
            "networkInterfaceId": addresses[0].get("NetworkInterfaceId", ""),
        },
    )


@adapts("aws:ec2/routeTable:RouteTable")
def route_table(call: Call) -> Made:
    ec2 = call.client("ec2")
    made = ec2.create_route_table(
        **call.given.pascal("vpcId"), TagSpecifications=call.specifications("route-table")
    )["RouteTable"]
    found = made["RouteTableId"]
    for route in call.given.blocks("routes"):
        ec2.create_route(
            RouteTableId=found,
            **route.renamed({"cidrBlock": "DestinationCidrBlock"}),
            **route.pascal("gatewayId", "natGatewayId", "vpcPeeringConnectionId", "vpcEndpointId"),
        )
    outputs = {
        "arn": call.account.arn("ec2", f"route-table/{found}"),
        "ownerId": call.account.id,
    }
    return Made(id=found, outputs=outputs)


@adapts("aws:ec2/route:Route")
def route(call: Call) -> Made:
    arguments: dict[str, Any] = call.given.pascal(
        "routeTableId",
        "destinationCidrBlock",
        "destinationIpv6CidrBlock",
        "destinationPrefixListId",
        "gatewayId",
        "natGatewayId",
        "egressOnlyGatewayId",
        "networkInterfaceId",
        "transitGatewayId",
        "vpcEndpointId",
        "vpcPeeringConnectionId",
    )
    call.client("ec2").create_route(**arguments)
    destination = [value for key, value in arguments.items() if key.startswith("Destination")]
    return Made(id=f"r-{arguments['RouteTableId']}-{'-'.join(destination)}")


@adapts("aws:ec2/routeTableAssociation:RouteTableAssociation")
def association(call: Call) -> Made:
    made = call.client("ec2").associate_route_table(
        **call.given.pascal("routeTableId", "subnetId", "gatewayId")
    )
    return Made(id=made["AssociationId"])

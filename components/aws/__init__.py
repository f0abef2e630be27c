"""What is provisioned in an AWS account: provider, network, cluster, nodes.

Packages import nothing here: the pure functions are had without Pulumi's SDK.
"""

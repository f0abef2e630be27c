"""The egress on the cluster: gateways, resolvers, their control plane, and each tenant's part."""

"""The control plane of the egress: what gateways and resolvers are to do, as long as it holds."""

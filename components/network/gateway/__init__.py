"""The egress gateway: Envoy, one decision for all ways in; who comes is told by the port."""

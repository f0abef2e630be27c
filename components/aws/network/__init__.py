"""The network that a cluster is in."""

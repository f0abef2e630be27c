"""The egress control plane."""

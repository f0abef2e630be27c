"""Nodes that come and go: Karpenter for what a pool has beyond its base, and draining."""

"""Nodes: launch templates, Auto Scaling groups, and what runs on a node before Kubernetes does."""

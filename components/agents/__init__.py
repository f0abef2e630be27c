"""Agents: what a sandbox looks like."""

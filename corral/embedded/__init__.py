"""Corral without a cloud: a cluster on this machine, and an engine that needs no CLI."""

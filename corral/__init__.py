"""Corral: a guarded place where AI coding agents run for days."""

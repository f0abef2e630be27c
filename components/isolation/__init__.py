"""Isolation: RuntimeClasses, priorities, and what nodes must carry.

Packages import nothing here: the pure functions of a layer are had without Pulumi's SDK.
"""

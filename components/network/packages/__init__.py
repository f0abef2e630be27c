"""A tenant's package mirror: nginx that reads public registries by the gateway and keeps what came.

Each tenant that asks for one has a mirror of its own, with a cache of its own. It has one way out:
a door at the gateway that takes nothing but the registries' names.
"""

"""The resolver as it is deployed, in a network namespace of its own, attacked by tenants."""

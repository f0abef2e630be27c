"""The resolver: CoreDNS that answers tenants' own names with the gateway, and asks nobody."""

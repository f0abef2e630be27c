"""The exporter: what nobody else says of sandboxes and tenants, for Prometheus."""

"""The exporter's figures."""

"""The exporter on the cluster."""

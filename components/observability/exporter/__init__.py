"""The exporter on the cluster: what it is told, and who it is."""

"""What it costs Prometheus to watch sandboxes."""

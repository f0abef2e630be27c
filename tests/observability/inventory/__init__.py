"""The inventory of metrics."""

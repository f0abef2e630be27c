"""The inventory: every metric that rules, dashboards and the exporter may speak of."""

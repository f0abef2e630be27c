"""Prometheus, Alertmanager, Grafana: their values, routes, policies and secrets."""

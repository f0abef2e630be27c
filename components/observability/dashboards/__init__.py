"""Dashboards in code: one for each question that an operator asks."""

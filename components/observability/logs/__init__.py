"""Logs and events: what collects them, what is taken out of them, and where they go."""

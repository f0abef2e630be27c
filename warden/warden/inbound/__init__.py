"""Who may come in to sandboxes: signatures of webhooks, and tokens of their owners."""

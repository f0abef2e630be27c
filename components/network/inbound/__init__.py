"""What may come in to sandboxes: signed webhooks, and the requests of their owners."""

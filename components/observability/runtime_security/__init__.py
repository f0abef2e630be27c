"""Runtime security: what sandboxes do that agents don't, seen where a tier lets anybody see it."""

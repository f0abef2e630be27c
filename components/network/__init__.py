"""The network around sandboxes: closed but for what each tenant names."""

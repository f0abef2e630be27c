"""The cluster's events, a line each: kept for longer than the API server does."""

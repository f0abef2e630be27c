"""Cases of rules about the platform."""

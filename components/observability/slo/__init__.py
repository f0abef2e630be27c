"""What the platform promises, and how fast it uses up what that leaves."""

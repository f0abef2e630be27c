"""What guarding a call costs."""

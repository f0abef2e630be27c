"""How a real node is recorded, and what the recordings hold."""

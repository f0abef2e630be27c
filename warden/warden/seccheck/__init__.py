"""Reads what gVisor sandboxes of one node tell of their processes, and says what stands out."""

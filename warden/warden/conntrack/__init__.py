"""A node agent: what the kernel remembers of pods that may no longer talk is forgotten."""

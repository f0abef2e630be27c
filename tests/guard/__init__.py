"""The guard that agents import, on real memory, threads, loops and processes."""

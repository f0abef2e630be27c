"""The embedded engine: runs the program in process, with Kubernetes objects and nothing else."""

"""What corral runs in the cluster. It imports nothing of the program that deploys it."""

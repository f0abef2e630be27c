"""The control plane on Amazon EKS."""

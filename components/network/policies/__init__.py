"""Who may talk to whom, as Calico's policies, and as Kubernetes' own where there is no Calico."""

"""Who may talk to whom, as Calico's policies, and as Kubernetes' own where there is no Calico.

Call `documents.shared_policies` once and `documents.tenant_policies` for each tenant with Calico;
`documents.shared_floor` and `documents.tenant_floor` without it. All give documents and ask nobody.
Calico's need the namespace `corral-egress`, tenants' namespaces, and the tier before the rest; with
`crd.projectcalico.org/v1` kinds they also need Calico's own API server to be up.
"""

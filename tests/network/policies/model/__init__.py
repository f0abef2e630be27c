"""A model of a cluster's network: who gets through to whom under given policies.

It is a double. Its semantics are the documented ones, each where it stands in the code:
Calico's of projectcalico/calico (main, August 2026, of which release-v3.33 was cut) and
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy; Kubernetes' of
https://kubernetes.io/docs/concepts/services-networking/network-policies/.
"""

"""A network namespace with a real Envoy in it, run by the configuration that is deployed.

Everything that Envoy meets is there too: the control plane (the warden's own server, over mutual
TLS), DNS whose answers change at will, and hosts on public and private addresses that speak TLS and
write down all that reaches them. Doubles are DNS, those hosts, /etc/hosts in the resolver's place
and a forwarder in the place of a tenant's Service.
"""

"""The network's promises: a real Envoy and the resolver, in a network namespace of their own.

The load comes from a small Go program in `load/`: what is timed is CONNECT, its 200, a first
message of TLS and the first byte that comes back, and no load tool that is packaged does that.
"""

"""What a tenant reaches, told from the documents that are deployed; and attacks on a live cluster.

The documents are evaluated: no rule stands here a second time. Nothing here talks to a cluster but
what `corral network test` starts.
"""

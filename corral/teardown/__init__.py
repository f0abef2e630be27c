"""What must happen around deleting a stack: what nobody may lose is asked about first, what the
cluster made in the cloud goes while the cluster can still take it back, and what is left is told.
"""

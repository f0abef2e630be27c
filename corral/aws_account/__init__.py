"""How commands ask AWS: as the stack's own identity, in its one account, and without changing it.

The program never asks: Pulumi's provider does. `reading` loads botocore, which takes a moment, so
that commands import it only once there is something to ask.
"""

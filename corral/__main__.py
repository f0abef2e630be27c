"""`python -m corral` is the same as `corral`."""

from corral.commands.main import run

run()

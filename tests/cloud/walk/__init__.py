"""A walk over what stands in an account: each check asks the account, not the program."""

from tests.cloud.walk.checks import CHECKS, findings

__all__ = ["CHECKS", "findings"]

"""Errors whose text is written for the person at the screen."""

from __future__ import annotations


class UserError(Exception):
    """Shown as its text alone, without a traceback: it says what is wrong and what to do next.

    `exit_code`: 2 for something the caller gave (a stack file, an argument), 1 for something the
    world did (a cluster that does not answer).
    """

    user_facing = True
    exit_code = 1


class BadInput(UserError):
    """Something the caller gave is wrong."""

    exit_code = 2

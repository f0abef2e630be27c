"""Errors whose text is written for the person at the screen."""

from __future__ import annotations

import errno


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


_FIXES = {
    errno.ENOSPC: "the disk is full; free some room there",
    errno.EDQUOT: "your disk quota is used up; free some room there",
    errno.EROFS: "the file system is read-only; work in a folder that can be written",
    errno.EACCES: "you may not write there; take ownership of it or choose another folder",
    errno.EPERM: "you may not write there; take ownership of it or choose another folder",
    errno.ENOTDIR: "something on the way is a file, not a folder; move it away",
    errno.EISDIR: "there is a folder where a file belongs; move it away",
}


def file_reason(error: OSError) -> str:
    """Why a file or folder can't be used, and what to do about it."""
    return _FIXES.get(error.errno or 0, str(error.strerror or error).lower())

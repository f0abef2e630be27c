"""Showing a wrong value without showing a secret."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

MOST_SHOWN = 60
"""Characters of a value that are shown."""

HIDDEN = "(hidden: it may be a secret)"

_SECRET_WORDS = {
    *("apikey", "auth", "authorization", "bearer", "cookie", "creds", "key", "keys", "pass"),
    *("passphrase", "pat", "private", "pwd", "salt", "secure", "signature"),
}
_SECRET_PARTS = ("password", "passwd", "secret", "token", "credential")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SECRET_VALUE = re.compile(
    r"-----BEGIN|\bA[KS]IA[0-9A-Z]{12}|\bgh[a-z]_|github_pat_|glpat-|\bsk-|\bxox[a-z]-|\beyJ[\w-]{8}"
    r"|\bpul-[0-9a-f]{8}|\bv1:[\w+/]{8}|\bAIza[\w-]{8}|://[^/\s:@]+:[^/\s@]+@"
)
_RUN = re.compile(r"[A-Za-z0-9+/_]{32,}")
_LOOKED_AT = 1000


def shown(value: object, *, path: Sequence[str | int]) -> str:
    """The value in a few words: scalars as written, lists and mappings by their size.

    A scalar is hidden if the last key of its path names a secret, or if it looks like one itself.
    """
    if isinstance(value, Mapping):
        return f"a mapping with {len(value)} key{'' if len(value) == 1 else 's'}"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null (nothing is written there)", True: "true", False: "false"}[value]
    keys = [element for element in path if isinstance(element, str)]
    if keys and secret_name(keys[-1]):
        return HIDDEN
    return _text(value) if isinstance(value, str) else _other(value)


def secret_name(name: str) -> bool:
    """Whether a key of that name may hold a secret: `apiKey`, `db_password`, `github-token`."""
    if any(word.lower() in _SECRET_WORDS for word in _WORD.findall(name)):
        return True
    return any(part in name.lower() for part in _SECRET_PARTS)


def _text(value: str) -> str:
    if secret_text(value):
        return HIDDEN
    short = value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}…"
    return f'"{short}"' if short.isprintable() else repr(short)


def secret_text(value: str) -> bool:
    """Whether a text looks like a key, a token or a password in a URL."""
    start = value[:_LOOKED_AT]
    if _SECRET_VALUE.search(start):
        return True
    return any(
        any(c.isdigit() for c in run) and any(c.isupper() for c in run)
        for run in _RUN.findall(start)
    )


def _other(value: object) -> str:
    if isinstance(value, int) and abs(value) >= 10**MOST_SHOWN:
        return f"a number of more than {MOST_SHOWN} digits"
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"

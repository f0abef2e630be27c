"""Names of hosts on an allowlist: exact ones, and wildcards of one label."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from corral.settings.problems import Expected, NotAllowedError

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
HOST_PATTERN = rf"^(\*\.)?({LABEL}\.)+[a-z]([a-z0-9-]{{0,61}}[a-z0-9])?$"
LONGEST_HOST = 253
RULE = "the name of a host, such as api.github.com, or a wildcard of one label, such as *.pypi.org"

# How resolvers and browsers read numbers: 2130706433, 0x7f000001 and 127.1 are all 127.0.0.1.
_NUMBER = r"(0x[0-9a-f]*|[0-9]+)"
_ADDRESS = re.compile(rf"{_NUMBER}(\.{_NUMBER}){{0,3}}\.?|\[.*|.*:.*:.*", re.IGNORECASE)


def wildcard(host: str) -> bool:
    """Whether it stands for names: `*.pypi.org` for one label before that, and no other."""
    return host.startswith("*.")


@cache
def _suffixes() -> Any:
    # Ten thousand rules: only stacks with wildcards read them.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList()


def _host(value: str) -> str:
    for wrong, rule, fix in _SLIPS:
        if wrong(value):
            raise NotAllowedError(rule=rule, fix=fix(value))
    if wildcard(value) and _suffixes().publicsuffix(value[2:]) == value[2:]:
        raise NotAllowedError(
            rule=f"names of one owner: under {value[2:]} anybody can have a name "
            "(https://publicsuffix.org)",
            fix="name the hosts that are meant, one by one",
        )
    if not re.fullmatch(HOST_PATTERN, value) or len(value) > LONGEST_HOST:
        raise NotAllowedError(rule=RULE, fix="write the name as it stands in an address, alone")
    return value


def _ascii(value: str) -> str:
    try:
        return f"write {value.encode('idna').decode()} if that is what is meant: look-alikes differ"
    except UnicodeError:
        return "write it in ASCII, as xn--…"


_SLIPS = (
    (
        lambda value: bool(_ADDRESS.fullmatch(value)),
        "a name, not an address: the gateway resolves names itself, and refuses addresses",
        lambda _: (
            "write the host's name; a host of your own without one goes under `private` of "
            "the stack's network"
        ),
    ),
    (
        lambda value: not value.isascii(),
        "a name in ASCII",
        _ascii,
    ),
    (
        lambda value: value != value.lower(),
        "a name in lower case",
        lambda value: f"write {value.lower()}",
    ),
    (
        lambda value: value.endswith("."),
        "a name without a dot at its end",
        lambda value: f"write {value.rstrip('.')}",
    ),
    (
        lambda value: "://" in value or "/" in value or ":" in value,
        "a name alone: ports and paths have keys of their own",
        lambda _: "write the name here, ports under `ports`, paths under `inspect`",
    ),
    (
        lambda value: "*" in value and not re.fullmatch(r"\*\.[^*]+", value),
        "a wildcard of just one label, the first one: *.pypi.org",
        lambda _: "name the hosts, or one level of them",
    ),
)

Host = Annotated[
    str,
    Field(json_schema_extra={"pattern": HOST_PATTERN, "maxLength": LONGEST_HOST}),
    AfterValidator(_host),
    Expected(RULE),
]

"""nginx' configuration: reads what it is asked for, keeps it, and asks nobody but the registries.

It looks no name up: every registry is behind one address, a door of the gateway. Which host is
asked follows from the page, and nothing that a client sends besides the page is sent on.
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from components.network.packages.registries import SOURCES, mirror_host
from corral.settings.packages import Packages

PORT = 8080
CACHE_FOLDER, OWN_FOLDER = "/var/cache/packages", "/run/packages"
TRUSTED_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
"""Of the mirror's image."""

CONNECTIONS = 256
"""At once, of all of a tenant's sandboxes."""
READY_PATH = "/ready"

_templates = Environment(
    loader=PackageLoader("components.network.packages"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - nginx.conf is no HTML
)


def mirror_config(
    tenant: str,
    packages: Packages,
    *,
    gateway: str,
    port: int = PORT,
    roots: str = TRUSTED_ROOTS,
    cache: str = CACHE_FOLDER,
    own: str = OWN_FOLDER,
    log: str = "/dev/stdout",
) -> str:
    """nginx.conf. `gateway` is `address:port` of the door that leads to registries."""
    sources = {name: SOURCES[name] for name in packages.registries}
    return _templates.get_template("nginx.conf.j2").render(
        tenant=tenant,
        sources={mirror_host(name): source for name, source in sources.items()},
        pages=[page for source in sources.values() for page in source.pages],
        gateway=gateway,
        port=port,
        roots=roots,
        cache=cache,
        own=own,
        log=log,
        most=packages.cache,
        digits=len(str(unkept(packages))) - 1,
        connections=CONNECTIONS,
        ready=READY_PATH,
        quoted=_quoted,
        types=_types,
    )


def unkept(packages: Packages) -> int:
    """Files of so many bytes and more pass through and aren't kept: a power of ten (nginx compares
    no numbers), at most a tenth of the cache."""
    return int(10 ** (len(str(packages.cache // 10)) - 1))


def _quoted(text: str) -> str:
    """As one word of nginx: braces and semicolons within mean nothing."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _types(types: Sequence[str]) -> str:
    return " ".join(types)

"""Registries that a mirror reads: their hosts, and which of their pages.

Pages are regular expressions over the path as it is after decoding. What they capture is all that
is sent on, so that no character that could mean something else ever is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corral.settings.packages import ZONE, Registry

REGISTRIES_PORT = 443

KEPT_SECONDS = 300
"""How long a list of versions counts as new: a release is seen that much later."""

FOR_EVER = "365d"
"""What a registry never changes once it is there."""


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Pages of one host that are read and kept alike."""

    name: str
    host: str
    path: str
    """A regular expression with a group `page`."""
    upstream: str = "/$page"
    """The path that is asked for."""
    kept: str = FOR_EVER
    listed: bool = False
    """Lists may come without their length; files that do aren't kept."""
    accept: str = "*/*"
    rewritten: Mapping[str, str] | None = None
    """Addresses within them, by what each becomes."""
    types: Sequence[str] = ()
    """Media types in which they are."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One registry."""

    pages: Sequence[Pages]
    constant: Mapping[str, str] | None = None
    """Paths that the mirror answers by itself."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host of it."""
        return tuple(dict.fromkeys(each.host for each in self.pages))


def mirror_host(registry: str) -> str:
    """What sandboxes call the mirror of that registry."""
    return f"{registry}.{ZONE}"


def _at(registry: str) -> str:
    return f"http://{mirror_host(registry)}/"


_NPM = "(?:@[A-Za-z0-9~][A-Za-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*"
_GO = "[a-z0-9!][a-z0-9!._~-]*(?:/[a-z0-9!_~-][a-z0-9!._~-]*)*"
_GO_VERSION = r"v[0-9]+\.[0-9]+\.[0-9]+(?:[.+-][A-Za-z0-9!.+-]*)?"
_SUMS = "/sumdb/sum.golang.org"

SOURCES: Mapping[Registry, Source] = {
    # https://packaging.python.org/specifications/simple-repository-api/
    "pypi": Source(
        pages=(
            Pages(
                name="pypi-index",
                host="pypi.org",
                path="^/(?<page>simple/[a-z0-9](?:[a-z0-9-]*[a-z0-9])?/)$",
                kept=f"{KEPT_SECONDS}s",
                listed=True,
                accept="$pypi_form",
                rewritten={"https://files.pythonhosted.org/": _at("pypi")},
                types=(
                    "application/vnd.pypi.simple.v1+json",
                    "application/vnd.pypi.simple.v1+html",
                ),
            ),
            Pages(
                name="pypi-files",
                host="files.pythonhosted.org",
                path="^/(?<page>packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/"
                "[A-Za-z0-9_][A-Za-z0-9._+!~-]*)$",
            ),
        )
    ),
    # https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md
    "npm": Source(
        pages=(
            Pages(
                name="npm-files",
                host="registry.npmjs.org",
                path=rf"^/(?<page>{_NPM}/-/[A-Za-z0-9@~_][A-Za-z0-9._+@~-]*\.tgz)$",
            ),
            Pages(
                name="npm-index",
                host="registry.npmjs.org",
                path=f"^/(?<page>{_NPM})$",
                kept=f"{KEPT_SECONDS}s",
                listed=True,
                accept="$npm_form",
                rewritten={"https://registry.npmjs.org/": _at("npm")},
                types=("application/json", "application/vnd.npm.install-v1+json"),
            ),
        )
    ),
    # https://go.dev/ref/mod#goproxy-protocol, https://go.dev/design/25530-sumdb
    "go": Source(
        pages=(
            Pages(
                name="go-files",
                host="proxy.golang.org",
                path=rf"^/(?<page>{_GO}/@v/{_GO_VERSION}\.(?:info|mod|zip))$",
            ),
            Pages(
                name="go-index",
                host="proxy.golang.org",
                path=rf"^/(?<page>{_GO}/(?:@latest|@v/list|@v/[a-z0-9][a-z0-9!._~-]*\.info))$",
                kept=f"{KEPT_SECONDS}s",
                listed=True,
            ),
            Pages(
                name="go-sums",
                host="sum.golang.org",
                path=rf"^{_SUMS}/(?<page>lookup/{_GO}@{_GO_VERSION}"
                r"|tile/[0-9]+/(?:[0-9]+|data)/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]+)?)$",
                listed=True,
            ),
            Pages(
                name="go-sums-latest",
                host="sum.golang.org",
                path=f"^{_SUMS}/(?<page>latest)$",
                kept=f"{KEPT_SECONDS}s",
                listed=True,
            ),
        ),
        constant={f"{_SUMS}/supported": ""},
    ),
}
"""All that are known."""

ENVIRONMENT: Mapping[Registry, Mapping[str, str]] = {
    "pypi": {
        "PIP_INDEX_URL": f"{_at('pypi')}simple/",
        "PIP_TRUSTED_HOST": mirror_host("pypi"),
    },
    "npm": {
        "npm_config_registry": _at("npm"),
        # Both are written to, not read.
        "npm_config_audit": "false",
        "npm_config_update_notifier": "false",
    },
    "go": {"GOPROXY": _at("go"), "GOSUMDB": "sum.golang.org"},
}
"""What has programs in a sandbox ask its mirror."""


def hosts(registries: Sequence[Registry]) -> tuple[str, ...]:
    """Hosts of these registries, each once."""
    return tuple(dict.fromkeys(host for name in registries for host in SOURCES[name].hosts))

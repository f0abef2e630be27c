"""Whether every chart that the program pins can be had from where it is pinned to."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import yaml

from corral.embedded.engine.offline import PlannedResource
from corral.preflight.finding import Finding, failure, ok, warning

CHART = "kubernetes:helm.sh/v4:Chart"
OCI = "oci://"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

LOOPBACK = ("localhost", "127.0.0.1")

SECONDS = 10.0
LARGEST_INDEX = 64 * 2**20
_UNAUTHORIZED, _NOT_FOUND = 401, 404


@dataclass(frozen=True, kw_only=True)
class Pin:
    """Where one chart is to come from, as the program tells Helm."""

    name: str
    chart: str
    version: str
    repository: str

    @property
    def text(self) -> str:
        """For people."""
        return f"chart {self.chart} {self.version}".rstrip()

    @property
    def called(self) -> tuple[str, str]:
        """The chart's own name and version, wherever it comes from."""
        last = self.chart.rpartition("/")[2]
        file = re.fullmatch(r"(.+?)-(v?[0-9]+\.[0-9].*)\.tgz", last)
        return (file[1], file[2]) if file else (last, self.version)


class NotThere(Exception):
    """Its place answers, and doesn't have it."""


def look_at_charts(plan: Collection[PlannedResource], root: Path) -> Iterator[Finding]:
    """One finding for each chart; places are asked at once. `root` is the project's folder."""
    wanted = pins(plan)
    if not wanted:
        return
    with ThreadPoolExecutor(max_workers=min(8, len(wanted))) as threads:
        yield from threads.map(lambda pin: _looked(pin, root), wanted)


def pins(plan: Collection[PlannedResource]) -> list[Pin]:
    """Where each chart of the program is to come from."""
    return [_pin(resource) for resource in plan if resource.type == CHART]


def _pin(resource: PlannedResource) -> Pin:
    inputs: Mapping[str, Any] = resource.inputs
    return Pin(
        name=resource.name,
        chart=str(inputs["chart"]),
        version=str(inputs.get("version", "")),
        repository=str((inputs.get("repositoryOpts") or {}).get("repo", "")),
    )


def _looked(pin: Pin, root: Path) -> Finding:
    try:
        if pin.chart.startswith(OCI):
            return ok(f"{pin.text} is {_in_registry(pin)}")
        if pin.repository:
            return ok(f"{pin.text} is in {pin.repository} ({_in_repository(pin)})")
        if not (root / pin.chart).exists():
            raise NotThere(f"there is no file {root / pin.chart}")
    except NotThere as error:
        return failure(
            f"{pin.text} is not to be had: {error}",
            why="`up` installs it",
            fix="put it into the mirror that charts.source names, or leave charts.source out",
        )
    except (OSError, ValueError) as error:
        return warning(
            f"{pin.text} could not be looked for: {error}",
            why="Helm gets it from there during `up`, from this machine",
            fix="connect this machine, log in (helm registry login), or name charts.source",
        )
    return ok(f"{pin.text} is there")


def _in_registry(pin: Pin) -> str:
    """The digest that a registry has for the tag."""
    host, _, repository = pin.chart.removeprefix(OCI).partition("/")
    # A registry on this very machine has no certificate, and needs none.
    scheme = "http" if host.partition(":")[0] in LOOPBACK else "https"
    url = f"{scheme}://{host}/v2/{repository}/manifests/{pin.version}"
    try:
        return _digest(url, {})
    except urllib.error.HTTPError as error:
        if error.code != _UNAUTHORIZED:
            raise _absent(error) from None
        challenge = error.headers.get("WWW-Authenticate", "")
    try:
        return _digest(url, {"Authorization": f"Bearer {_token(challenge)}"})
    except urllib.error.HTTPError as error:
        raise _absent(error) from None


def _absent(error: urllib.error.HTTPError) -> Exception:
    if error.code == _NOT_FOUND:
        return NotThere("its registry has no such version")
    return OSError(f"the registry answers {error.code} {error.reason}")


def _digest(url: str, headers: Mapping[str, str]) -> str:
    with _opened(url, {"Accept": MANIFEST, **headers}) as answer:
        return str(answer.headers.get("Docker-Content-Digest") or "there")


def _token(challenge: str) -> str:
    """An anonymous token, from where the registry's challenge says."""
    scheme, _, rest = challenge.partition(" ")
    fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme.lower() != "bearer" or "realm" not in fields:
        raise OSError("the registry wants a login")
    asked = [(key, fields[key]) for key in ("service", "scope") if key in fields]
    with _opened(f"{fields['realm']}?{urlencode(asked)}", {}) as answer:
        found = orjson.loads(answer.read())
    return str(found.get("token") or found.get("access_token") or "")


def _in_repository(pin: Pin) -> str:
    """The digest that a repository's index has for the version."""
    with _opened(f"{pin.repository.rstrip('/')}/index.yaml", {}) as answer:
        text = answer.read(LARGEST_INDEX)
    index = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 # safe
    for entry in (index.get("entries") or {}).get(pin.chart) or ():
        if entry.get("version") == pin.version:
            return str(entry.get("digest") or "no digest")
    raise NotThere("its repository has no such version")


def _opened(url: str, headers: Mapping[str, str]) -> Any:
    if urlsplit(url).scheme not in ("https", "http"):
        raise OSError(f"{url} is no address of a registry")
    return urllib.request.urlopen(  # noqa: S310 # its scheme was looked at
        urllib.request.Request(url, headers=dict(headers)),  # noqa: S310 # as above
        timeout=SECONDS,
    )

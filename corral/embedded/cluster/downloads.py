"""Official downloads.

What the checksum proves: that the file arrived whole, and is the one that the publisher's site
gave the sum for at that moment, over TLS. It doesn't prove that the publisher's site was honest:
sum and file come from the same place, and neither is pinned here. Whoever needs that builds from
source, where `tools/*/go.sum` pins every module.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import urllib3

from corral.embedded.cluster.pins import Download, Sums
from corral.embedded.cluster.progress import Progress, clock

PROBE_SECONDS = 3.0
"""How long all sites together get to show that they can be reached."""

_CHUNK = 1 << 20
_TIMEOUT = urllib3.Timeout(connect=2.0, read=30.0)
_TRIES = urllib3.Retry(total=3, connect=1, backoff_factor=0.5, status_forcelist=(429, 502, 503))
_OK = 200


class DownloadError(Exception):
    """Why a download isn't to be had, in words."""


class Downloads:
    """Fetches and verifies. Whether a site can be reached is found out once and remembered."""

    def __init__(self, *, open_pool: Callable[[], urllib3.PoolManager] | None = None) -> None:
        self._pool = (open_pool or _pool)()
        self._reachable: dict[str, bool] = {}

    def probe(self, urls: Collection[str]) -> None:
        """Finds out which of the sites can be reached, all at once, in at most PROBE_SECONDS."""
        sites = {_site(url) for url in urls} - self._reachable.keys()
        # Names are looked up without a bound of ours: a thread that is left behind waits for it.
        threads = [
            threading.Thread(target=self._knock, args=(site,), daemon=True) for site in sites
        ]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PROBE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for site in sites:
            self._reachable.setdefault(site, False)

    def reaches(self, url: str) -> bool:
        """Whether its site could be reached when it was probed."""
        self.probe([url])
        return self._reachable[_site(url)]

    def fetch(self, download: Download, target: Path, *, what: str, progress: Progress) -> None:
        """Puts the verified file at `target`. Raises DownloadError, or OSError for the disk."""
        if not self.reaches(download.url):
            raise DownloadError(f"{_site(download.url)} can't be reached")
        algorithm, wanted = self._published_sum(download)
        received = target.with_name(f"{target.name}.received")
        try:
            got = self._receive(download.url, received, algorithm, what=what, progress=progress)
            if got != wanted:
                raise DownloadError(
                    f"{download.url} has the {algorithm} {got}, and its publisher says {wanted}"
                )
            if download.member:
                _extract(received, download.member, target)
            else:
                received.replace(target)
        finally:
            received.unlink(missing_ok=True)

    def _knock(self, site: str) -> None:
        try:
            self._pool.request("HEAD", site, timeout=PROBE_SECONDS, retries=False, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError):
            self._reachable.setdefault(site, False)
        else:
            self._reachable.setdefault(site, True)

    def _published_sum(self, download: Download) -> tuple[str, str]:
        url, _, file = download.url.rpartition("/")
        match download.sums:
            case Sums.SHA512_BESIDE:
                return "sha512", self._text(f"{download.url}.sha512").strip()
            case Sums.SHA256SUM_BESIDE:
                return "sha256", _listed(self._text(f"{download.url}.sha256sum"), file)
            case Sums.SHA256SUMS:
                return "sha256", _listed(self._text(f"{url}/SHA256SUMS"), file)
            case Sums.GITHUB_DIGEST:
                return "sha256", self._github_digest(download.url)

    def _github_digest(self, url: str) -> str:
        owner, name, _, _, tag, file = urlsplit(url).path.strip("/").split("/")
        api = f"https://api.github.com/repos/{owner}/{name}/releases/tags/{tag}"
        try:
            assets = orjson.loads(self._text(api))["assets"]
            digests = {asset["name"]: asset.get("digest") or "" for asset in assets}
        except (ValueError, KeyError, TypeError) as error:
            raise DownloadError(f"{api} gives no list of files") from error
        kind, _, digest = digests.get(file, "").partition(":")
        if kind != "sha256" or not digest:
            raise DownloadError(f"{api} gives no SHA-256 digest for {file}")
        return digest

    def _text(self, url: str) -> str:
        try:
            answer = self._pool.request("GET", url, timeout=_TIMEOUT, retries=_TRIES)
        except urllib3.exceptions.HTTPError as error:
            raise DownloadError(f"{url}: {_short(error)}") from error
        if answer.status != _OK:
            raise DownloadError(f"{url} answers {answer.status}")
        return answer.data.decode("utf-8", errors="replace")

    def _receive(
        self, url: str, target: Path, algorithm: str, *, what: str, progress: Progress
    ) -> str:
        digest, begun, shown, got = hashlib.new(algorithm), time.monotonic(), 0.0, 0
        try:
            answer = self._pool.request(
                "GET", url, timeout=_TIMEOUT, retries=_TRIES, preload_content=False
            )
            if answer.status != _OK:
                raise DownloadError(f"{url} answers {answer.status}")
            size = int(answer.headers.get("Content-Length", 0))
            with target.open("wb") as file:
                for chunk in answer.stream(_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    got += len(chunk)
                    elapsed = time.monotonic() - begun
                    if elapsed - shown >= 1:
                        shown = elapsed
                        of = f" of {size >> 20}" if size else ""
                        progress.step(what, f"{got >> 20}{of} MiB, {clock(elapsed)}")
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise DownloadError(f"{url}: {_short(error)}") from error
        return digest.hexdigest()


def _pool() -> urllib3.PoolManager:
    proxy = urllib.request.getproxies().get("https")
    return urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()


def _site(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/"


def _listed(text: str, file: str) -> str:
    lines: Mapping[str, str] = {
        words[1].lstrip("*"): words[0]
        for line in text.splitlines()
        if len(words := line.split()) == 2  # noqa: PLR2004  # sum and file name
    }
    if file not in lines:
        raise DownloadError(f"the publisher's list of checksums doesn't have {file}")
    return lines[file]


def _extract(archive: Path, member: str, target: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            content = tar.extractfile(member)  # its bytes alone: no path or mode of the archive's
            if content is None:
                raise DownloadError(f"{archive.name}: {member} is no file in it")
            with target.open("wb") as file:
                shutil.copyfileobj(content, file)
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise DownloadError(f"{archive.name}: {member} can't be taken out of it") from error


def _short(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error)[:200]

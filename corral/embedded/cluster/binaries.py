"""Where the control plane's programs come from: PATH, the cache, an official download or a build,
whichever is there first."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from corral.embedded.cluster.builds import build
from corral.embedded.cluster.cache import Cache, answers_version
from corral.embedded.cluster.downloads import DownloadError, Downloads
from corral.embedded.cluster.errors import ClusterError, readable_file_errors
from corral.embedded.cluster.locking import exclusive
from corral.embedded.cluster.pins import PINS, Download, Pin
from corral.embedded.cluster.progress import Progress
from corral.embedded.cluster.toolchain import Go, find_go, go_line, install_go

TOOLS = Path(__file__).resolve().parents[3] / "tools"
"""The pinned Go modules, in a clone."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Binaries:
    """Programs in just the versions of `pins`. `cache` is shared by all clones of a user."""

    def __init__(
        self,
        cache: Path,
        *,
        tools: Path = TOOLS,
        search: str | None = None,
        downloads: Downloads | None = None,
    ) -> None:
        """`search` stands for PATH."""
        self._folder = cache
        self._cache = Cache(cache)
        self._tools = tools
        self._search = search
        self._downloads = downloads or Downloads()
        self._go: Go | None = None

    def ensure(self, names: Iterable[str], progress: Progress) -> dict[str, Path]:
        """The programs of those names, got from wherever is first.

        Raises ClusterError where one is not to be had. Whatever was finished before that, or
        before an interruption, stays in the cache.
        """
        pins = [_pin(name) for name in names]
        with readable_file_errors("Getting the control plane's programs", self._folder):
            found = self._at_hand(pins)
            missing = [pin for pin in pins if pin.name not in found]
            if missing:
                found |= self._get(missing, progress)
        return {pin.name: found[pin.name] for pin in pins}

    def at_hand(self, name: str) -> Path | None:
        """The program of that name where it is on this machine already; gets nothing."""
        return self._at_hand([_pin(name)]).get(name)

    def sources(self, names: Iterable[str]) -> dict[str, str]:
        """Where each would come from, in words; "" for nowhere. Gets nothing; takes up to
        PROBE_SECONDS where something would have to be downloaded."""
        pins = [_pin(name) for name in names]
        found = self._at_hand(pins)
        missing = [pin for pin in pins if pin.name not in found]
        self._downloads.probe([d.url for pin in missing if (d := _download(pin))])
        return {
            pin.name: str(found[pin.name]) if pin.name in found else self._source(pin)
            for pin in pins
        }

    def _at_hand(self, pins: Iterable[Pin]) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for pin in pins:
            on_path = shutil.which(pin.name, path=self._search)
            if on_path and answers_version(Path(on_path), pin):
                found[pin.name] = Path(on_path).resolve()
            elif cached := self._cache.find(pin):
                found[pin.name] = cached
        return found

    def _get(self, missing: Sequence[Pin], progress: Progress) -> dict[str, Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        lock, holder = self._folder / "builds.lock", self._folder / "builds.lock.holder"

        def busy(who: str) -> None:
            progress.step("wait", f"{who} is getting the control plane's programs")

        with exclusive(lock, holder, busy=busy):
            found = self._at_hand(missing)  # somebody else may have got them meanwhile
            missing = [pin for pin in missing if pin.name not in found]
            self._downloads.probe([d.url for pin in missing if (d := _download(pin))])
            for number, pin in enumerate(missing, start=1):
                count = f"{number} of {len(missing)}"
                found[pin.name] = self._get_one(pin, count=count, progress=progress)
        return found

    def _get_one(self, pin: Pin, *, count: str, progress: Progress) -> Path:
        unfinished = self._cache.unfinished(pin)
        try:
            if (download := _download(pin)) and self._downloads.reaches(download.url):
                try:
                    what = f"download {pin.name} ({count})"
                    progress.step(what, download.url)
                    self._downloads.fetch(download, unfinished, what=what, progress=progress)
                    return self._cache.place(pin, source=download.url)
                except (DownloadError, ValueError) as error:
                    progress.step(f"build {pin.name} ({count})", f"instead of downloading: {error}")
            return self._build(pin, unfinished, count=count, progress=progress)
        finally:
            unfinished.unlink(missing_ok=True)

    def _build(self, pin: Pin, target: Path, *, count: str, progress: Progress) -> Path:
        go = self._get_go(pin, progress)
        what = f"build {pin.name} ({count})"
        progress.step(what, f"with {go}")
        build(pin, go=go, tools=self._tools, target=target, what=what, progress=progress)
        try:
            return self._cache.place(pin, source=f"built from tools/{pin.module} with {go}")
        except ValueError as error:
            raise ClusterError(
                f"{pin.name} was built from {self._tools / pin.module}, but {error}: "
                "the module there and the pinned version don't go together"
            ) from error

    def _get_go(self, pin: Pin, progress: Progress) -> Go:
        least = go_line(self._tools / pin.module)
        if self._go is None or self._go.version < least:
            requirements = self._tools / "toolchain" / "requirements.txt"
            self._go = find_go(self._folder, least, search=self._search) or install_go(
                self._folder, requirements, progress=progress
            )
        return self._go

    def _source(self, pin: Pin) -> str:
        if (download := _download(pin)) and self._downloads.reaches(download.url):
            return f"to be downloaded from {download.url}"
        try:
            go = find_go(self._folder, go_line(self._tools / pin.module), search=self._search)
        except ClusterError:
            return ""
        return f"to be built with {go or 'Go from the Python package index'}"


def _pin(name: str) -> Pin:
    if name not in PINS:
        raise ClusterError(f"no program {name!r} is pinned; there are {', '.join(PINS)}")
    return PINS[name]


def _download(pin: Pin) -> Download | None:
    """The official download for this machine; None where the publisher has none."""
    system = sys.platform
    architecture = _ARCHITECTURES.get(platform.machine().lower(), "")
    if f"{system}-{architecture}" not in pin.platforms:
        return None
    return pin.download(system, architecture)

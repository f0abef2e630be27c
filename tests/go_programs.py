"""Go programs that tests run, built once for each state of their sources and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

from corral.embedded.cluster import Silent, default_cache
from corral.embedded.cluster.binaries import TOOLS
from corral.embedded.cluster.builds import build
from corral.embedded.cluster.cache import Cache
from corral.embedded.cluster.locking import exclusive
from corral.embedded.cluster.pins import Download, Pin
from corral.embedded.cluster.toolchain import find_go, go_line, install_go

ROOT = Path(__file__).resolve().parents[1]


def built(
    name: str,
    module: Path,
    *,
    version_command: tuple[str, ...],
    version_words: str,
    package: str = ".",
    ldflags: str = "-s -w",
    tags: tuple[str, ...] = (),
) -> Path:
    """The program that `package` of that module is, from the cache or built anew."""
    pin = Pin(
        name=name,
        version=_digest(module),
        version_command=version_command,
        version_words=version_words,
        module=module.name,
        package=package,
        ldflags=ldflags,
        tags=tags,
        minutes=1.5,
        platforms=(),  # built, wherever it runs
        download=_no_download,
    )
    folder = default_cache()
    folder.mkdir(parents=True, exist_ok=True)
    cache = Cache(folder)
    with exclusive(folder / "own.lock", folder / "own.lock.holder", busy=lambda _: None):
        if found := cache.find(pin):
            return found
        go = find_go(folder, go_line(module)) or install_go(
            folder, TOOLS / "toolchain" / "requirements.txt", progress=Silent()
        )
        target = cache.unfinished(pin)
        try:
            build(pin, go=go, tools=module.parent, target=target, what=name, progress=Silent())
            return cache.place(pin, source=f"built from {module.relative_to(ROOT)} with {go}")
        finally:
            target.unlink(missing_ok=True)


def _digest(module: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(module.rglob("*")):
        if file.suffix in (".go", ".mod", ".sum"):
            found.update(file.relative_to(module).as_posix().encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _no_download(_system: str, _architecture: str) -> Download:
    raise AssertionError("what has no platforms isn't downloaded")

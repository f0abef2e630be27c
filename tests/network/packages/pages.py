"""What registries have: packages that real clients install."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import zipfile

from tests.network.packages.laboratory import Page

HASH = f"packages/ab/cd/{'0' * 60}"
WHEEL = "demo-1.0-py3-none-any.whl"


def wheel() -> bytes:
    """A Python package."""
    files = {
        "demo.py": "NAME = 'demo'\n",
        "demo-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "demo-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        "demo-1.0.dist-info/RECORD": "demo.py,,\ndemo-1.0.dist-info/METADATA,,\n"
        "demo-1.0.dist-info/WHEEL,,\ndemo-1.0.dist-info/RECORD,,\n",
    }
    return _zip(files)


def tarball(name: str) -> bytes:
    """A package of npm."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w:gz") as archive:
        text = json.dumps({"name": name, "version": "1.0.0"}).encode()
        entry = tarfile.TarInfo("package/package.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return found.getvalue()


def all_pages() -> dict[tuple[str, str], Page]:
    """By host and path."""
    whole = wheel()
    file = {
        "filename": WHEEL,
        "url": f"https://files.pythonhosted.org/{HASH}/{WHEEL}",
        "hashes": {"sha256": hashlib.sha256(whole).hexdigest()},
    }
    listed = {"meta": {"api-version": "1.0"}, "name": "demo", "files": [file]}
    pages: dict[tuple[str, str], Page] = {
        ("pypi.org", "/simple/demo/"): (
            "application/vnd.pypi.simple.v1+json",
            json.dumps(listed).encode(),
        ),
        ("files.pythonhosted.org", f"/{HASH}/{WHEEL}"): ("application/octet-stream", whole),
    }
    for name in ("demo", "@corral/demo"):
        own = tarball(name)
        place = f"/{name}/-/demo-1.0.0.tgz"
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(own).digest()).decode()
        dist = {"tarball": f"https://registry.npmjs.org{place}", "integrity": integrity}
        version = {"name": name, "version": "1.0.0", "dist": dist}
        index = {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}
        pages["registry.npmjs.org", f"/{name}"] = ("application/json", json.dumps(index).encode())
        pages["registry.npmjs.org", place] = ("application/octet-stream", own)
    module, mod = "example.org/!demo", b"module example.org/Demo\n\ngo 1.20\n"
    beside = f"/{module}/@v"
    info = b'{"Version":"v1.2.0","Time":"2026-01-01T00:00:00Z"}'
    root = "example.org/Demo@v1.2.0"
    source = _zip({f"{root}/go.mod": mod.decode(), f"{root}/demo.go": "package demo\n"})
    for path, page in {
        f"{beside}/list": ("text/plain", b"v1.2.0\n"),
        f"{beside}/v1.2.0.info": ("application/json", info),
        f"/{module}/@latest": ("application/json", info),
        f"{beside}/v1.2.0.mod": ("text/plain", mod),
        f"{beside}/v1.2.0.zip": ("application/zip", source),
    }.items():
        pages["proxy.golang.org", path] = page
    return pages


def _zip(files: dict[str, str]) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        for name, text in files.items():
            # Without the time of day, so that it is the same each time.
            archive.writestr(zipfile.ZipInfo(name), text)
    return found.getvalue()

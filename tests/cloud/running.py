"""Running a program, or a shipped stack, against moto."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moto import mock_aws
from moto.core.config import DefaultConfig

from corral.embedded.engine.charts import ChartRequest
from corral.embedded.engine.manifests import ChartObject
from corral.embedded.engine.program import ProgramResult, run_program
from corral.embedded.engine.registration import Document
from tests.cloud.account import Account
from tests.cloud.executor import CloudExecutor

MOTO: Final[DefaultConfig] = {"iam": {"load_aws_managed_policies": True}}
"""So that attaching a policy of AWS' own that doesn't exist is refused."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What a program left behind. Its account answers while moto is on."""

    executor: CloudExecutor
    result: ProgramResult

    @property
    def account(self) -> Account:
        """The one account that the program's one AWS provider leads to."""
        [account] = self.executor.accounts.values()
        return account

    def explained(self) -> str:
        """Why the program wasn't complete, for an assert."""
        failed = [f"{one.urn}: {one.reason}" for one in self.result.failures]
        return "\n".join([str(self.result.error), *failed])


@contextmanager
def moto() -> Iterator[None]:
    """An AWS of its own, empty, for as long as the context lasts."""
    with mock_aws(config=MOTO):
        yield


class _Unexpanded:
    """What charts bring is the cluster's business, and other tests'."""

    def expand(self, _request: ChartRequest) -> list[ChartObject]:
        return []


def build(
    project: Path,
    *,
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    executor: CloudExecutor | None = None,
    references: Mapping[str, Document] | None = None,
) -> World:
    """Runs the project's program for real against the moto that is on; after others, with what
    they made and handed over."""
    executor = executor or CloudExecutor()
    result = run_program(
        project=project,
        stack=stack,
        config=config or {},
        preview=False,
        executor=executor,
        workers=1,  # moto's stores aren't made for threads
        observe=executor.observe,
        packages=["aws"],
        charts=_Unexpanded(),
        references=references,
    )
    return World(executor=executor, result=result)


def write_program(directory: Path, source: str) -> Path:
    """A project whose program is the source."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "Pulumi.yaml").write_text("name: proj\nruntime: python\n", encoding="utf-8")
    (directory / "__main__.py").write_text(source, encoding="utf-8")
    return directory

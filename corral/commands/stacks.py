"""A stack as a command sees it: its settings, its cluster and the engine for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from components.cluster_access import cluster_access
from corral.commands.options import EngineChoice
from corral.commands.screen import Screen
from corral.errors import BadInput
from corral.kubernetes import Access
from corral.project import Project, find_project
from corral.settings.cluster import EmbeddedCluster, ExistingCluster
from corral.settings.layers import LAYERS, Layer, Part
from corral.settings.stack import Settings
from corral.settings.stack_secrets import placeholders
from corral.settings.stacks import settings_of

ORGANIZATION = "organization"
"""What every organization is called where there is none: in backends that are files or buckets, and
under the embedded engine."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """`settings` already carry the cluster named on the command line, where one was."""

    name: str
    project: Project
    settings: Settings
    engine: EngineChoice
    held: tuple[Part, ...] = ()
    """The parts that are meant by its name; itself where there are none."""

    @property
    def parts(self) -> tuple[Stack, ...]:
        """The stacks that an engine knows, from the bottom up: several where each layer has one of
        its own and all of them are meant."""
        return tuple(map(self._part, self.held)) or (self,)

    @property
    def before(self) -> Stack | None:
        """The part whose outputs its first one takes; None where that takes none."""
        part = self.held[0].before if self.held else None
        return None if part is None else self._part(part)

    @property
    def later(self) -> tuple[Stack, ...]:
        """The parts that stand on its last one and aren't meant by its name."""
        last = self.held[-1] if self.held else Part(of=self.name)
        if last.layer is None:
            return ()
        after = LAYERS[LAYERS.index(last.layer) + 1 :]
        return tuple(self._part(Part(of=last.of, layer=layer)) for layer in after)

    @property
    def with_earlier(self) -> tuple[Stack, ...]:
        """Its parts, after those whose outputs they take."""
        before = self.before
        return (*(before.with_earlier if before else ()), *self.parts)

    def _part(self, part: Part) -> Stack:
        *where, _ = self.name.split("/")
        return replace(self, name="/".join((*where, part.stack)), held=(part,))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that are meant."""
        return tuple(layer for part in self.held for layer in part.layers) or LAYERS

    @property
    def simulated(self) -> bool:
        """Whether its nodes are simulated: nothing runs on them."""
        return isinstance(self.settings.cluster, EmbeddedCluster)

    @property
    def access(self) -> Access:
        """How to reach its cluster."""
        found = cluster_access(self.settings.cluster)
        return replace(found, kubeconfig=self.project.root / found.kubeconfig)

    @property
    def config(self) -> Mapping[str, str]:
        """What the program's `pulumi.Config` reads, as Pulumi hands it over: JSON texts."""
        document = self.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
        secrets = dict(placeholders(self.settings))
        return {
            f"{self.project.name}:settings": orjson.dumps(document).decode(),
            # The embedded engine decrypts nothing: it plans with something in their place.
            f"{self.project.name}:secrets": orjson.dumps(secrets).decode(),
        }


def open_stack(
    name: str,
    *,
    engine: EngineChoice = EngineChoice.AUTO,
    kubeconfig: Path | None = None,
    context: str | None = None,
) -> Stack:
    """The stack of that name in the project around the working folder.

    Raises SettingsError for a wrong stack file, BadInput for a cluster that is named by half.
    """
    project = find_project(Path.cwd())
    settings, held = settings_of(name, project.root)
    if (kubeconfig is None) != (context is None):
        raise BadInput(
            "--kubeconfig and --context go together: a cluster is named in full, never guessed"
        )
    if kubeconfig is not None and context is not None:
        if engine is EngineChoice.PULUMI:
            raise BadInput(
                "Pulumi takes the cluster from the stack file: name it there (cluster.kubeconfig "
                "and cluster.context) instead of --kubeconfig, or use --engine embedded"
            )
        if not kubeconfig.expanduser().is_file():
            raise BadInput(f"--kubeconfig {kubeconfig}: there is no such file")
        named = ExistingCluster(
            kind="existing", kubeconfig=str(kubeconfig.expanduser().resolve()), context=context
        )
        settings = settings.model_copy(update={"cluster": named})
    if engine is EngineChoice.AUTO:
        own = isinstance(settings.cluster, EmbeddedCluster) or kubeconfig is not None
        engine = EngineChoice.EMBEDDED if own else EngineChoice.PULUMI
    return Stack(name=name, project=project, settings=settings, engine=engine, held=held)


def announce(screen: Screen, stack: Stack, part: Stack) -> None:
    """Says which part comes, where the stack has several."""
    if len(stack.parts) > 1:
        screen.step("stack", part.name)


def reference(stack: Stack) -> str:
    """How a program under the embedded engine refers to the stack."""
    return f"{ORGANIZATION}/{stack.project.name}/{stack.name}"

"""Runtimes on real nodes: what brings Kata there, and what proves each before sandboxes come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.children import Children
from components.isolation.kata_installer import (
    installer_document,
    installer_name,
    installer_namespace_document,
)
from components.isolation.runtime_verifier import (
    NAME,
    account_document,
    binding_document,
    role_document,
    script_document,
    verifier_document,
    verifier_name,
)
from components.isolation.verification import unproven
from components.versions import KATA_IMAGE, VERIFIER_IMAGE
from corral.settings.runtimes import Runtimes as Sources
from corral.settings.tiers import Runtime


@dataclass(frozen=True, kw_only=True)
class RuntimesArgs:
    """The runtimes that nodes serve, and where their images come from.

    `prepared` says whether nodes are ours from their first boot: then Kata is brought to them, and
    they may write no core dumps. On nodes of somebody else's, Kata is theirs to install.
    """

    runtimes: Sequence[Runtime]
    sources: Sources
    prepared: bool
    namespace: pulumi.Resource
    """The platform's own."""
    enforced: pulumi.Input[pulumi.Resource]
    """Known once admission is seen to refuse: no verifier gets rights before."""


class Runtimes(pulumi.ComponentResource):
    """One installer for Kata, and a verifier for each runtime that a sandbox can tell by itself."""

    verified: tuple[str, ...]
    """Runtimes that nodes prove before they open."""

    def __init__(
        self, name: str, args: RuntimesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("corral:isolation:Runtimes", name, None, opts)
        self._children = Children(parent=self)
        runtimes = unproven(args.runtimes)
        self.verified = tuple(runtime.name for runtime in runtimes)
        if runtimes:
            self._verifiers(runtimes, args)
            kata = [runtime for runtime in runtimes if runtime.handler.startswith("kata-")]
            if kata and args.prepared:
                self._installer(kata, args.sources)
        self.register_outputs({"verified": self.verified})

    def _verifiers(self, runtimes: Sequence[Runtime], args: RuntimesArgs) -> None:
        add, image = self._children.add, args.sources.verifier_image or VERIFIER_IMAGE
        script = add(NAME, script_document(), depends_on=[args.namespace])
        role = add(NAME, role_document())
        accounts = [
            add(verifier_name(runtime), account_document(runtime), depends_on=[args.namespace])
            for runtime in runtimes
        ]
        binding = add(
            NAME,
            binding_document(runtimes),
            depends_on=[role, *accounts, args.enforced],
            replaced_by=["roleRef"],
        )
        for runtime in runtimes:
            add(
                verifier_name(runtime),
                verifier_document(runtime, image=image, core_dumps=not args.prepared),
                depends_on=[args.namespace, script, binding],
                replaced_by=["spec.selector"],
            )

    def _installer(self, kata: Sequence[Runtime], sources: Sources) -> None:
        document = installer_namespace_document()
        namespace = self._children.add(document["metadata"]["name"], document)
        self._children.add(
            installer_name(),
            installer_document(
                kata,
                image=sources.kata_image or KATA_IMAGE,
                idle_image=sources.verifier_image or VERIFIER_IMAGE,
            ),
            depends_on=[namespace],
            replaced_by=["spec.selector"],
        )

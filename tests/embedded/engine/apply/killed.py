"""A run to be killed: this module as a program, with KUBECONFIG FOLDER STACK VARIANT, carries out
the program below and writes one line for each event."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from corral.embedded.engine import Engine, Event, Report
from corral.embedded.engine.report import OnEvent, nobody_listens
from corral.kubernetes import Access, Api

VARIANTS: Final = 4

PROGRAM: Final = """
import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
prefix, variant = config.require("prefix"), config.require_int("variant")
tenants = 22 if variant == 3 else 24  # namespaces have to go, which takes seconds for each
group = f"{prefix}.tests.corral.dev"

definition = k8s.apiextensions.v1.CustomResourceDefinition(
    "definition",
    metadata={"name": f"things.{group}"},
    spec={
        "group": group,
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {
                    "type": "object", "properties": {"variant": {"type": "integer"}}}},
            }},
        }],
    },
)
for number in range(tenants):
    space = f"{prefix}-{number:02}"
    namespace = k8s.core.v1.Namespace(f"space-{number}", metadata={"name": space})
    within = pulumi.ResourceOptions(depends_on=[namespace])

    def metadata(name):
        return {"name": name, "namespace": space}

    k8s.core.v1.ConfigMap(
        f"settings-{number}",
        metadata=metadata("settings"),
        data={"variant": str(variant), f"only-{variant}": "yes"},
        opts=within,
    )
    if variant % 2 and number < 4:
        continue  # some objects have to go
    k8s.core.v1.Secret(
        f"key-{number}",
        metadata=metadata("key"),
        string_data={"key": f"{variant}"},
        opts=within,
    )
    account = k8s.core.v1.ServiceAccount(
        f"account-{number}", metadata=metadata("account"), opts=within)
    k8s.rbac.v1.RoleBinding(
        f"binding-{number}",
        metadata=metadata("binding"),
        # Immutable: it is replaced from one variant to the next.
        role_ref={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                  "name": ("view", "edit")[variant % 2]},
        subjects=[{"kind": "ServiceAccount", "name": "account", "namespace": space}],
        opts=pulumi.ResourceOptions(depends_on=[namespace, account]),
    )
    k8s.apiextensions.CustomResource(
        f"thing-{number}",
        api_version=f"{group}/v1",
        kind="Thing",
        metadata=metadata(f"thing-{variant % 2}"),
        spec={"variant": variant},
        opts=pulumi.ResourceOptions(depends_on=[namespace, definition]),
    )
"""


def write_project(folder: Path) -> Path:
    """The project, in a folder that is there."""
    (folder / "Pulumi.yaml").write_text("name: killed\nruntime: python\n")
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


def run(
    api: Api, folder: Path, stack: str, variant: int, on_event: OnEvent = nobody_listens
) -> Report:
    """One `up` of the program."""
    config = {"killed:prefix": stack, "killed:variant": str(variant)}
    engine = Engine(
        project=folder, stack=stack, config=config, api=api, workers=8, on_event=on_event
    )
    return engine.up()


def main(kubeconfig: str, folder: str, stack: str, variant: str) -> None:
    def write(event: Event) -> None:
        sys.stdout.write(f"{event.action}\n")
        sys.stdout.flush()

    api = Api.connect(Access(kubeconfig=Path(kubeconfig), context="corral"))
    run(api, Path(folder), stack, int(variant), write)


if __name__ == "__main__":
    main(*sys.argv[1:])

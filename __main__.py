"""The program that every engine runs: settings, the platform, and what is worth knowing of it."""

import pulumi

from components.platform import Platform
from corral.local_cluster import ensure_running
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError

try:
    settings = load_value(
        pulumi.Config().require_object("settings"),
        source=f"stacks/Pulumi.{pulumi.get_stack()}.yaml",
    )
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None

if not pulumi.runtime.is_dry_run():
    ensure_running(settings)  # an embedded cluster is part of what its stack provisions

platform = Platform("corral", settings)

pulumi.export("context", platform.context)
pulumi.export("runtimeClasses", platform.runtime_classes)
pulumi.export("policies", platform.policies)
pulumi.export("namespaces", platform.namespaces)

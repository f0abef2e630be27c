"""The program that every engine runs: settings, the platform, and what is worth knowing of it."""

import pulumi

from components.platform import Platform
from corral.errors import UserError
from corral.settings.loading import load_value
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings


def read_settings() -> Settings:
    """The stack's settings. An embedded cluster of theirs runs afterwards, but for previews."""
    source = f"stacks/Pulumi.{pulumi.get_stack()}.yaml"
    settings = load_value(pulumi.Config().require_object("settings"), source)
    if not pulumi.runtime.is_dry_run():
        from corral.local_cluster import ensure_running  # noqa: PLC0415 - previews need none of it

        ensure_running(settings)
    return settings


try:
    platform = Platform("corral", read_settings())
except (SettingsError, UserError) as error:
    raise pulumi.RunError(str(error)) from None  # shown as its text, without a traceback

pulumi.export("context", platform.context)
pulumi.export("runtimeClasses", platform.runtime_classes)
pulumi.export("policies", platform.policies)
pulumi.export("namespaces", platform.namespaces)
pulumi.export("egressAddresses", platform.egress_addresses)

"""The program that every engine runs: settings, the platform, and what is worth knowing of it."""

from pathlib import Path

import pulumi

from components.platform import Platform
from corral.errors import UserError
from corral.settings.layers import Part
from corral.settings.problems import SettingsError
from corral.settings.stack import Settings
from corral.settings.stack_secrets import stack_secrets
from corral.settings.stacks import program_settings


def read_settings() -> tuple[Settings, Part]:
    """The stack's settings, and what of them it holds. An embedded cluster of theirs runs
    afterwards, but for previews."""
    given = pulumi.Config().get_object("settings")
    settings, part = program_settings(given, pulumi.get_stack(), Path.cwd())
    if not pulumi.runtime.is_dry_run():
        from corral.local_cluster import ensure_running  # noqa: PLC0415 - previews need none of it

        ensure_running(settings)
    return settings, part


try:
    settings, part = read_settings()
    secrets = stack_secrets(pulumi.Config().get_object("secrets"), settings, part)
    platform = Platform("corral", settings, part=part, secrets=secrets)
except (SettingsError, UserError) as error:
    raise pulumi.RunError(str(error)) from None  # shown as its text, without a traceback

for key, value in platform.outputs.items():
    pulumi.export(key, value)

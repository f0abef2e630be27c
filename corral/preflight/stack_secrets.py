"""Whether the secrets that the settings name are set. Their values are looked at by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from corral.preflight.finding import Finding, failure, ok
from corral.settings.loading import STACK_FOLDER
from corral.settings.stack import Settings
from corral.settings.stack_secrets import SECRETS_KEY, needed_secrets


def look_at_stack_secrets(settings: Settings, *, stack: str, root: Path) -> Iterator[Finding]:
    """One finding for each that is missing, or one for all of them; none where none is needed.

    `stack` is the one that holds the platform, whose own file Pulumi keeps them in."""
    needed = needed_secrets(settings)
    file = Path(STACK_FOLDER) / f"Pulumi.{stack}.yaml"
    missing = needed.keys() - _set_in(root / file)
    for name in (each for each in needed if each in missing):
        yield failure(
            f"stack secret {name} is not in {file}",
            why=f"{needed[name]} names it, and `up` stops without it",
            fix=f"pulumi config set --secret --path '{SECRETS_KEY}.{name}' --stack {stack}",
        )
    if needed and not missing:
        yield ok(f"all {len(needed)} stack secrets are in {file}")


def _set_in(file: Path) -> frozenset[str]:
    """Whatever is wrong with the file was told when it was read."""
    document = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else None
    config = document.get("config") if isinstance(document, Mapping) else None
    secrets = config.get(SECRETS_KEY) if isinstance(config, Mapping) else None
    return frozenset(secrets) if isinstance(secrets, Mapping) else frozenset()

"""Stack secrets: values that Pulumi keeps encrypted beside the settings, and the settings name.

They stand under one key, `corral:secrets`, each by its name:
`pulumi config set --secret --path 'corral:secrets.<name>' --stack <stack>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from corral.settings.alerting import WebhookReceiver
from corral.settings.layers import Layer, Part
from corral.settings.logs import OtlpLogs
from corral.settings.observability import Observability
from corral.settings.problems import MISSING, Problem, Said, SettingsError, nearest
from corral.settings.stack import Settings

SECRETS_KEY = "corral:secrets"

PLACEHOLDER = "(a stack secret)"
"""Stands for each value where nothing is made of it: in plans of the embedded engine."""

_ENCRYPTED = "secure"


def alert_secrets(observability: Observability) -> Mapping[str, str]:
    """Stack secrets that receivers need: where each is named, below `observability`."""
    alerts = observability.alerts
    return {} if alerts is None else dict(_of_receivers(alerts.receivers))


def remote_write_secrets(observability: Observability) -> Mapping[str, str]:
    """Stack secrets that remotes let us in with: where each is named."""
    return {
        remote.secret: f"prometheus.remote-write.{name}.secret"
        for name, remote in observability.prometheus.remote_write.items()
        if remote.secret is not None
    }


def logs_secrets(observability: Observability) -> Mapping[str, str]:
    """The stack secret that whoever takes the logs is shown: where it is named."""
    logs = observability.logs
    return {logs.secret: "logs.secret"} if isinstance(logs, OtlpLogs) else {}


def needed_secrets(settings: Settings) -> Mapping[str, str]:
    """All that the stack needs: name → the setting that names it."""
    if settings.observability is None:
        return {}
    named = {
        **logs_secrets(settings.observability),
        **remote_write_secrets(settings.observability),
        **alert_secrets(settings.observability),
    }
    return {name: f"observability.{where}" for name, where in named.items()}


def placeholders(settings: Settings) -> Mapping[str, str]:
    """Something in the place of each: for plans that nothing is made of."""
    return dict.fromkeys(needed_secrets(settings), PLACEHOLDER)


def stack_secrets(given: object, settings: Settings, part: Part) -> Mapping[str, str]:
    """The values that this part of the stack needs; `given` is the value of `corral:secrets` as
    Pulumi hands it over. Raises SettingsError for those that are missing, with what sets them."""
    if part.layer not in (None, Layer.PLATFORM):
        return {}
    values = given if isinstance(given, Mapping) else {}
    needed = needed_secrets(settings)
    problems = [
        Problem(
            path=(SECRETS_KEY, name),
            value=MISSING if name not in values else Said("no text, or an empty one"),
            rule=f"required: {where} names it",
            fix=f"pulumi config set --secret --path '{SECRETS_KEY}.{name}' --stack {part.stack}",
        )
        for name, where in needed.items()
        if not (isinstance(values.get(name), str) and values[name].strip())
    ]
    if problems:
        raise SettingsError(f"stacks/Pulumi.{part.stack}.yaml", problems)
    return {name: values[name].strip() for name in needed}


def wrong_secrets(value: object, settings: Settings | None) -> Iterator[Problem]:
    """What is wrong with `corral:secrets` in a stack file, where values must stand encrypted."""
    if not isinstance(value, Mapping):
        yield Problem(
            path=(SECRETS_KEY,),
            value=Said("no mapping"),
            rule="names, and below each an encrypted value",
            fix=f"remove it, and use: pulumi config set --secret --path '{SECRETS_KEY}.<name>'",
        )
        return
    needed = None if settings is None else needed_secrets(settings)
    for name, item in value.items():
        if not _encrypted(item):
            yield Problem(
                path=(SECRETS_KEY, name),
                # Whatever it is, it was meant to be a secret.
                value=Said("a value in plain text"),
                rule="encrypted by Pulumi (secure: …): a stack file is for everybody to read",
                fix="take it back where it came from, remove it here, and use: pulumi config set "
                f"--secret --path '{SECRETS_KEY}.{name}'",
            )
        elif needed is not None and name not in needed:
            meant = nearest(name, needed)
            yield Problem(
                path=(SECRETS_KEY, name),
                value=Said("a secret"),
                rule="one that a setting names"
                + (f": {', '.join(needed)}" if needed else "; none does"),
                fix=f"did you mean {meant}?" if meant else "remove it: nothing reads it",
            )


def _encrypted(item: Any) -> bool:
    return isinstance(item, Mapping) and set(item) == {_ENCRYPTED} and bool(item[_ENCRYPTED])


def _of_receivers(receivers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, receiver in receivers.items():
        where = f"alerts.receivers.{name}"
        if not isinstance(receiver, WebhookReceiver):
            yield receiver.secret, f"{where}.secret"
            continue
        if receiver.address_secret is not None:
            yield receiver.address_secret, f"{where}.url-secret"
        if receiver.token is not None:
            yield receiver.token, f"{where}.token-secret"

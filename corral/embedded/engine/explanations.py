"""Errors of the engine itself, and how an API server's answer is told without telling secrets."""

from __future__ import annotations

from base64 import b64decode, b64encode
from contextlib import suppress
from typing import Final

from corral.embedded.engine.masking import hidden, secret_texts
from corral.embedded.engine.registration import Registration
from corral.errors import UserError
from corral.kubernetes import ApiError, Unreachable

# Answers that quote fields of the object: what doesn't fit its schema, or its rules.
_QUOTING: Final = frozenset({400, 422, 500})
_LONGEST: Final = 1500
_RECOGNIZABLE: Final = 4


class EngineError(UserError):
    """The engine can't do what it was asked to do."""


def explain(error: ApiError | Unreachable, registration: Registration) -> str:
    """The reason for a person. Where the object holds secrets, messages that quote fields are
    replaced by the fields' names, and every other message has the secrets taken out."""
    if isinstance(error, Unreachable):
        return str(error)
    secrets = {
        form
        for text in secret_texts(registration.inputs, registration.secret_paths)
        for form in _forms(text)
    }
    short = any(len(text) < _RECOGNIZABLE and text in error.message for text in secrets)
    if registration.secret_paths and (error.status in _QUOTING or short):
        fields = ", ".join(dict.fromkeys(cause.field for cause in error.causes if cause.field))
        at = f" at {fields}" if fields else ""
        return (
            f"the API server refused it{at} ({error.status} {error.reason or 'unreadable'}). "
            "Its message is not shown, because the object holds secrets"
        )
    return hidden(error.message or str(error), secrets)[:_LONGEST]


def _forms(text: str) -> set[str]:
    """The ways in which an API server may write a secret."""
    forms = {
        text,
        b64encode(text.encode()).decode("ascii"),
        text.encode("unicode_escape").decode("ascii"),
    }
    with suppress(ValueError):
        forms.add(b64decode(text, validate=True).decode("utf-8"))
    return forms - {""}

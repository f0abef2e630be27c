"""Changes that an object can't take in place: it is deleted and created again."""

from __future__ import annotations

from typing import Final

from corral.embedded.engine import paths
from corral.embedded.engine.desired import Desired
from corral.embedded.engine.differences import holds
from corral.embedded.engine.objects import MANAGER, Live, json_of
from corral.embedded.engine.registration import ResourceFailed
from corral.embedded.engine.waiting import TookTooLong, Waiting
from corral.kubernetes import Api, ApiError
from corral.kubernetes.transport import Answer

_INVALID: Final = 422
# What API servers say of fields that only a new object can have otherwise (1.36; each is quoted
# from an answer in the tests).
_IMMUTABLE: Final = (
    "immutable",
    "cannot change roleref",
    "may not be changed",
    "may not change",
    "may not be updated",
    "cannot be changed",
    "for fields other than",
)


def is_immutable(error: ApiError) -> bool:
    """Whether the API server refused a change because the field can't change in place."""
    if error.status != _INVALID:
        return False
    return any(text in cause.message.lower() for cause in error.causes for text in _IMMUTABLE)


def must_replace(desired: Desired, live: Live) -> bool:
    """Whether something that the program itself declared unchangeable is to change."""
    if not desired.registration.replace_on_changes:
        return False
    document = live.document()
    for text in desired.registration.replace_on_changes:
        path = paths.parse(text)
        wanted, has = paths.values(desired.document, path), paths.values(document, path)
        if len(wanted) > len(has) or not all(
            holds({"value": h}, {"value": w}) for h, w in zip(has, wanted, strict=False)
        ):
            return True
    return False


def refuse_replacement(desired: Desired, live: Live, fields: str) -> None:
    """ResourceFailed where the object must not be deleted; `fields` say what would change."""
    registration = desired.registration
    changed = f"{fields} can't be changed in place, so {desired.key} would be deleted and created"
    if live.protect or registration.protect:
        raise ResourceFailed(
            f"{changed} again, but it is protected. Take the change back, or run once without "
            "`protect` first"
        )
    if registration.retain_on_delete or live.retain:
        raise ResourceFailed(
            f"{changed} again, but it is to be kept on deletion (retain_on_delete), and a new one "
            "can't have the same name"
        )
    if desired.key.is_namespace or desired.key.is_definition:
        raise ResourceFailed(
            f"{changed} again, with every object in it. Take the change back, or delete it "
            "yourself first"
        )


def fields_of(error: ApiError) -> str:
    """The fields that an answer complains about."""
    return ", ".join(dict.fromkeys(cause.field for cause in error.causes)) or "a field"


def rehearse(api: Api, desired: Desired) -> None:
    """A dry run of creating the object anew, under another name since its own is taken: an object
    is not deleted for the sake of one that the API server wouldn't take. Raises ApiError."""
    metadata = {**desired.document["metadata"], "name": f"{desired.key.name}-rehearsal"}
    document = {**desired.document, "metadata": metadata}
    try:
        api.send(
            "POST",
            desired.resource.collection(desired.key.namespace),
            query={"dryRun": "All", "fieldManager": MANAGER, "fieldValidation": "Strict"},
            body=json_of(document),
        )
    except ApiError as error:
        about_the_name = error.causes and all(
            cause.field.startswith("metadata.name") for cause in error.causes
        )
        if not about_the_name:
            raise


def replace(api: Api, waiting: Waiting, desired: Desired, live: Live) -> Answer:
    """Deletes, waits, creates. Killed in between, the next run finds it missing and creates it."""
    rehearse(api, desired)
    api.delete(live.path, propagation="Foreground", uid=live.uid)
    try:
        waiting.until_gone(live.path, live.uid, str(live.key))
    except TookTooLong as error:
        raise ResourceFailed(f"its old form is not gone: {error}") from None
    return api.send_apply(desired.path, desired.body(), manager=MANAGER)

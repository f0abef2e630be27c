"""An exception of the program as a person should read it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from corral.embedded.engine.seam import UNSUPPORTED, RunError

_INSTALLED = ("site-packages", "dist-packages")


def explained(error: BaseException, project: Path) -> str | None:
    """Why the program ended early; None when it ended itself with success (`sys.exit(0)`).

    An exception whose class sets `user_facing = True` was written for people and is shown as its
    text alone, wherever it stands in a chain of causes. Of any other, the text says the place in
    the program's own files, the kind and the message. Nobody is shown a traceback.
    """
    if isinstance(error, SystemExit):
        return _ended(error)
    for link in _chain(error):
        if getattr(type(link), "user_facing", False):
            return str(link)
    text = str(error) or "no message"
    if UNSUPPORTED in text:
        # The SDK speaks of the CLI, which isn't there, and advises to update it.
        feature = text.partition(UNSUPPORTED)[2].partition(".")[0].strip()
        return _placed(
            error, project, f"the embedded engine doesn't support {feature}: use `--engine pulumi`"
        )
    if isinstance(error, RunError):
        return text
    return _placed(error, project, f"{type(error).__name__}: {text}")


def _ended(error: SystemExit) -> str | None:
    if error.code is None or error.code == 0:
        return None
    if isinstance(error.code, int):
        return f"the program ended itself with status {error.code}"
    return str(error.code)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__


def _placed(error: BaseException, project: Path, message: str) -> str:
    places = list(_places(error, project))
    if not places:
        return message
    lines = [f"{places[-1]}: {message}"]
    lines += [f"  called from {place}" for place in reversed(places[:-1])]
    return "\n".join(lines)


def _places(error: BaseException, project: Path) -> Iterator[str]:
    """Where in the project's own files the error passed through, outermost first."""
    previous = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        place = _place(frame.f_code.co_filename, line, project)
        if place is not None and place != previous:
            yield place
            previous = place
    if isinstance(error, SyntaxError) and error.filename:
        place = _place(error.filename, error.lineno or 1, project)
        if place is not None:
            yield place


def _place(filename: str, line: int, project: Path) -> str | None:
    path = Path(filename)
    if not path.is_relative_to(project) or any(part in _INSTALLED for part in path.parts):
        return None
    return f"{path.relative_to(project)}:{line}"

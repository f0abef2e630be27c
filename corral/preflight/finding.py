"""What a preflight finds: each with its reason and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a finding counts: a failure makes the exit code 1."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at. `why` and `fix` are empty where all is well."""

    grade: Grade
    what: str
    why: str = ""
    fix: str = ""


def ok(what: str) -> Finding:
    """All is well."""
    return Finding(grade=Grade.OK, what=what)


def warning(what: str, *, why: str, fix: str) -> Finding:
    """Works, but not as one would want; or couldn't be looked at."""
    return Finding(grade=Grade.WARNING, what=what, why=why, fix=fix)


def failure(what: str, *, why: str, fix: str) -> Finding:
    """`corral up` would fail or be unsafe."""
    return Finding(grade=Grade.FAILURE, what=what, why=why, fix=fix)


def as_document(findings: Sequence[Finding]) -> dict[str, object]:
    """For --json: `{"ok": bool, "findings": [{grade, what, why, fix}]}`."""
    return {
        "ok": all(finding.grade is not Grade.FAILURE for finding in findings),
        "findings": [asdict(finding) for finding in findings],
    }

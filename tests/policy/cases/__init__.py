"""One set of cases for every judge: bad pods, each a change away from a good one, and good ones.

`walls` names each wall that refuses the case when it stands alone, exactly: what Pod Security, a
LimitRange or a quota let through is part of what a case says.
"""

from __future__ import annotations

from tests.policy.cases import (
    good,
    hardening,
    identity,
    images,
    metadata,
    names,
    placement,
    resources,
    volumes,
)
from tests.policy.cases.case import Case, Wall

BAD: tuple[Case, ...] = (
    *identity.CASES,
    *hardening.CASES,
    *volumes.CASES,
    *resources.CASES,
    *placement.CASES,
    *metadata.CASES,
    *images.CASES,
    *names.CASES,
)
GOOD: tuple[Case, ...] = good.CASES

__all__ = ["BAD", "GOOD", "Case", "Wall"]

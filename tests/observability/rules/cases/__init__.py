"""What must come of which series, by the group of rules that is tried."""

from tests.observability.rules.cases import (
    cpu,
    disk,
    ends,
    known,
    leaks,
    life,
    memory,
    processes,
    supply,
)

ALL = (
    *known.CASES,
    *memory.CASES,
    *cpu.CASES,
    *disk.CASES,
    *leaks.CASES,
    *processes.CASES,
    *ends.CASES,
    *life.CASES,
    *supply.CASES,
)

"""The table of what zones lack, from the answers of EC2 that moto recorded.

`python -m tests.settings.aws.recorded_zones` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from corral.settings.aws.instances import instances
from corral.settings.aws.zones import ZONES_FILE
from tests.settings.aws.recorded import RECORD, csv_text, read

_COLUMNS = ("region", "zone", "lacks_families", "lacks_types")


def zones_text() -> str:
    """What zones.csv should be."""
    return csv_text(_COLUMNS, _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    for path in sorted((RECORD / "instance_type_offerings" / "availability-zone-id").iterdir()):
        offered: dict[str, set[str]] = {}
        for offer in read(path):
            offered.setdefault(offer["Location"], set()).add(offer["InstanceType"])
        there = set().union(*offered.values()) & instances().keys()
        sizes: dict[str, set[str]] = {}
        for name in there:
            sizes.setdefault(name.partition(".")[0], set()).add(name)
        for zone, names in sorted(offered.items()):
            lacks = there - names
            whole = sorted(family for family, of in sizes.items() if of <= lacks)
            single = sorted(name for name in lacks if name.partition(".")[0] not in whole)
            yield path.name.partition(".")[0], zone, " ".join(whole), " ".join(single)


if __name__ == "__main__":
    ZONES_FILE.write_text(zones_text(), encoding="utf-8")
    sys.stdout.write(f"{ZONES_FILE}\n")

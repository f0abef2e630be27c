"""The tables of instance types, from the answers of EC2 that moto recorded.

`python -m tests.settings.aws.recorded` writes them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import moto

from corral.settings.aws.instances import OFFERINGS_FILE, TYPES_FILE

RECORD = Path(moto.__file__).parent / "ec2" / "resources"

# What nodes of a platform for agents are made of: general purpose, compute and memory, with local
# disks or without, since the fifth generation; storage; and burstable ones for the system pool.
_FAMILY = re.compile(r"[cmr]([5-9])([aig]?)(d?)(-flex)?|i4i|i7ie?|t3a?|t4g")
_COLUMNS = (
    *("type", "vcpus", "memory_mib", "architecture", "metal", "nested", "snp", "interfaces"),
    *("addresses", "attachments", "attachment_limit", "disks", "disk_gb", "spot"),
)


def types_text() -> str:
    """What instances.csv should be."""
    rows = [_row(name, info) for name, info in sorted(_types().items())]
    return csv_text(_COLUMNS, rows)


def offerings_text() -> str:
    """What offerings.csv should be."""
    sizes: dict[str, set[str]] = {}
    for name in _types():
        sizes.setdefault(name.partition(".")[0], set()).add(name)
    rows = []
    for path in sorted((RECORD / "instance_type_offerings" / "region").glob("*.json.gz")):
        there = {offering["InstanceType"] for offering in read(path)}
        whole = sorted(family for family, names in sizes.items() if names <= there)
        single = sorted(
            name for family, names in sizes.items() if family not in whole for name in names & there
        )
        rows.append((path.name.partition(".")[0], " ".join(whole), " ".join(single)))
    return csv_text(("region", "families", "types"), rows)


def _types() -> dict[str, Mapping[str, Any]]:
    known = read(RECORD / "instance_types.json.gz")
    return {name: info for name, info in known.items() if _FAMILY.fullmatch(name.partition(".")[0])}


def _row(name: str, info: Mapping[str, Any]) -> tuple[object, ...]:
    network, ebs = info["NetworkInfo"], info["EbsInfo"]
    features = info["ProcessorInfo"].get("SupportedFeatures", [])
    card = network["NetworkCards"][network["DefaultNetworkCardIndex"]]
    (disks,) = info.get("InstanceStorageInfo", {}).get("Disks", [{"Count": 0, "SizeInGB": 0}])
    return (
        name,
        info["VCpuInfo"]["DefaultVCpus"],
        info["MemoryInfo"]["SizeInMiB"],
        {"x86_64": "amd64", "arm64": "arm64"}[info["ProcessorInfo"]["SupportedArchitectures"][-1]],
        _yes(info["BareMetal"]),
        _yes("nested-virtualization" in features),
        _yes("amd-sev-snp" in features),
        card["MaximumNetworkInterfaces"],
        network["Ipv4AddressesPerInterface"],
        ebs["MaximumEbsAttachments"],
        ebs["AttachmentLimitType"],
        disks["Count"],
        disks["SizeInGB"],
        _yes("spot" in info["SupportedUsageClasses"]),
    )


def _yes(fact: object) -> str:
    return "yes" if fact else "no"


def read(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    TYPES_FILE.write_text(types_text(), encoding="utf-8")
    OFFERINGS_FILE.write_text(offerings_text(), encoding="utf-8")
    sys.stdout.write(f"{TYPES_FILE}\n{OFFERINGS_FILE}\n")

"""docs/settings.md, from the models: `python -m corral.settings.reference` writes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from corral.settings.aws.disks import IOPS_PER_GIB, LEAST_SIZE, MOST_SIZE
from corral.settings.loading import load_value
from corral.settings.problems import SETTINGS_KEY, SettingsError
from corral.settings.quantities import bytes_text
from corral.settings.shape import default_of, fields, key_of, models_in, shape_of_field
from corral.settings.stack import Settings
from corral.settings.strict import NAME_RULE
from corral.settings.tenants import RESERVED_TENANTS
from corral.settings.workspaces import (
    THIN_POOL,
    VOLUME_GROUP,
    WITHOUT_SHARED_FILES,
    WORKSPACES_LABEL,
)

FILE = Path(__file__).parents[2] / "docs" / "settings.md"

WRONG_EXAMPLE: dict[str, Any] = {
    "cluster": {"kind": "embeded"},
    "pools": {"sandboxed": {"tier": "gvisor", "nodes": "2", "cpu": 16, "memory": "64GB"}},
    "classes": {"worker": {"tier": "gvisor", "limits": {"cpu": 8, "memory": "4Gi"}}},
}
"""Settings whose error the document shows."""

_HEAD = """# Settings
Generated from `corral/settings` by `make reference`; a test compares it.

A stack is one file, `stacks/Pulumi.<stack>.yaml`. Everything that it says stands under
`config` → `{key}`; besides that there is only what Pulumi itself writes (`encryptionsalt`,
`secretsprovider`, `encryptedkey`). There are no other
configuration keys, and no secrets in settings.

```yaml
# yaml-language-server: $schema=settings.schema.json
config:
  {key}:
    cluster: …
```

The first line gives completion and checks in editors that know
[`settings.schema.json`](../stacks/settings.schema.json).

- **Names** are {name}.
- **CPU** is written `2`, `1.5` or `500m`; **memory, disk and storage** with a binary unit:
  `512Mi`, `4Gi`, `1Ti`.
- Unknown keys and keys that stand twice are errors. Nothing is converted: `"8"` is not 8, `yes` is
  not true.
- Numbers are decimal, dates don't exist. What one YAML reader takes for a number and another for
  a text (`010`, `0x10`, `1_000`, `2026-01-02`) is refused unless it is in quotes.
- Anchors, aliases and `<<` work as everywhere in YAML.
"""

_BETWEEN = """
## What must hold between settings
- One sandbox gets 1 to 4 CPU, 1Gi to 8Gi of memory and 5Gi to 20Gi of disk; a request is at most
  its limit.
- A virtual machine is sized once, from its memory limit. For tiers `microvm` and `confidential`,
  `requests.memory` is the limit divided by `memory-overcommit`, or is left out with `requests`.
  `memory-overcommit` is for `microvm` alone: encrypted memory can't be shared out twice.
- A runtime belongs to its tier, for classes and for pools, and runs on the pool's architecture.
- Some pool serves the runtime of each class; one sandbox with the runtime's overhead fits on one of
  its nodes; each pool that it can land on has at least its process limit.
- A tenant's agents are of declared classes, of the tenant's tier or a stronger one.
- The pools can hold each tenant's own maximum. All tenants together may exceed them: their numbers
  are maxima, and pools are shared.
- A pool of tier `confidential` serves one runtime, as each wants nodes of its own kind
  ([confidential](confidential.md)). Where all of a tenant's agents refuse every exec, it has none.
- Volumes have a count and a size, or neither.
- A workspace is 1Gi to 200Gi; with one, `disk` may be as little as 1Gi. There is none on an
  embedded cluster, and none under runtimes whose guests share no files with their host
  ({unshared}). `ebs` is for EKS.
- `local` is for classes that some pool with room for it serves. On nodes of one's own that room
  is a thin pool, `lvcreate --type thin-pool --zero y -n {thin_pool} … {group}`, on
  nodes with the label `{label}=local`; the snapshot controller and its kinds are
  there too. A snapshot takes as much of the room as its volume.
- No tenant is named {reserved}.
- Two tenants never have one `egress.number`: by it they would be the same tenant at the gateway. In
  a list each host stands once, with all its ports. Wildcards stand for one label, and never for
  names that anybody can have (`*.com`); addresses are no names. A name that resolves to a private
  address is refused when it is asked for, whatever the list says.
- Hosts on private networks are named under `network.egress.private`, each once, without metadata
  services, pods and services; lists name them like any other host, on the same ports, without
  `inspect`, and not on port 80.
- Off EKS `network.egress.dns` says who is asked for names; on any cluster where something runs,
  `network.egress.images` say where the egress' own images are. On a pool of purpose
  `egress-gateway` there are at most as many gateways as nodes. `trial` goes with Calico.
- A tenant without `egress`, or with nothing on its list, reaches nothing; `corral plan`, `up` and
  `status` say who that is.

On AWS, with cluster kind `eks`:
- `aws` is there; pools say `machines`, and their CPU, memory and pods follow from the instance type
  ([density](density.md)). One pool without a tier always has a node that isn't spot.
- Tier `microvm` is on `nested` or `metal` machines. Tier `confidential` isn't had on nodes that
  Corral starts on EC2: SEV-SNP nodes have no `/dev/kvm`, and no instance offers TDX. `snp` machines
  with tier `gvisor` or `container` protect a node from its host; all pools of a runtime have them,
  or none.
- Instance types exist, have the feature and the architecture, and are offered in the region.
- The VPC is private, /16 to /20, and overlaps no peer; its private subnets have addresses for all
  nodes with all their pods.
- `workspaces` of a pool are on disks that its instance types have, or on a volume of {least} to
  {most} with at most {per_gib} `iops` for each GiB and a quarter of `iops` as `throughput`, on
  which some class keeps its work. Volumes and workspaces on EBS are no more than nodes attach.
- `reserved-nodes` goes with `capacity: reserved`, one instance type, and at most `max-nodes`.
- Nothing is bought that can't be given back: `capacity` has no capacity blocks, Savings Plans or
  reserved instances. What is reserved costs the same whether nodes run or not; `corral plan` and
  `pulumi preview` tell how much, by `prices` or AWS' list of us-east-1.
- Base and burst of one tier: nodes that a pool always has fill before those that Karpenter starts
  (`corral.dev/burst`, PreferNoSchedule), so that the latter become empty and go.
- A class that can land on spot nodes is `restartable`.
- The role is in the stack's own account; no network wider than /8 reaches the API server.

## What an error looks like
All of them at once; those of a file with the line of each:

```
{example}
```
"""


def text() -> str:
    """The document."""
    parts = [_HEAD.format(key=SETTINGS_KEY, name=NAME_RULE)]
    parts += [_section(paths, model) for model, paths in models_in(Settings).items()]
    parts.append(
        _BETWEEN.format(
            reserved=", ".join(f"`{name}`" for name in RESERVED_TENANTS),
            unshared=", ".join(f"`{name}`" for name in WITHOUT_SHARED_FILES),
            thin_pool=THIN_POOL,
            group=VOLUME_GROUP,
            label=WORKSPACES_LABEL,
            least=bytes_text(LEAST_SIZE),
            most=bytes_text(MOST_SIZE),
            per_gib=IOPS_PER_GIB,
            example=_example(),
        )
    )
    return "".join(parts)


def write() -> Path:
    """Writes the committed file; its path."""
    FILE.write_text(text(), encoding="utf-8")
    return FILE


def _section(paths: list[str], model: type[BaseModel]) -> str:
    where = " and ".join(f"`{path or SETTINGS_KEY}`" for path in paths)
    kind = model.model_fields.get("kind")
    choice = f", kind {shape_of_field(kind).expected.choices[0]}" if kind else ""
    rows = "".join(_row(key_of(name, field), field) for name, field in fields(model))
    return (
        f"\n## {where}{choice}\n{_one_line(model.__doc__)}\n\n"
        f"| key | allowed | default | meaning |\n|---|---|---|---|\n{rows}"
    )


def _row(key: str, field: FieldInfo) -> str:
    allowed = shape_of_field(field).expected.text
    default = "required" if field.is_required() else _default(default_of(field))
    cells = (f"`{key}`", allowed, default, _one_line(field.description))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(value: Any) -> str:
    if value == {}:
        return "its defaults"
    if value is None or value in ("0", []):
        return "none"
    if isinstance(value, dict):
        return "`{ " + ", ".join(f"{key}: {item}" for key, item in value.items()) + " }`"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


def _one_line(words: str | None) -> str:
    return " ".join((words or "").split())


def _example() -> str:
    try:
        load_value(WRONG_EXAMPLE, "stacks/Pulumi.dev.yaml")
    except SettingsError as error:
        return str(error)
    raise AssertionError("the example must be wrong")


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")

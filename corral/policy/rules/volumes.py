"""What a tenant's claims of volumes may ask for: new ones, made for them."""

from __future__ import annotations

from collections.abc import Iterator

from corral.policy.document import Document, at
from corral.policy.policies import VOLUMES
from corral.policy.rule import Facts, Offence, Rule, Severity, Spared


def _source(claim: Document, _: Facts) -> Iterator[Offence]:
    name = at(claim, "spec", "volumeName") or ""
    if name:
        yield Offence(field="spec.volumeName", value=name)
    if at(claim, "spec", "selector") is not None:
        yield Offence(field="spec.selector", value="set")
    if at(claim, "spec", "storageClassName") == "":
        yield Offence(field="spec.storageClassName", value="none")
    namespace = at(claim, "spec", "dataSourceRef", "namespace") or ""
    if namespace:
        yield Offence(field="spec.dataSourceRef.namespace", value=namespace)


def _mode(claim: Document, _: Facts) -> Iterator[Offence]:
    mode = at(claim, "spec", "volumeMode")
    if mode not in (None, "Filesystem"):
        yield Offence(field="spec.volumeMode", value=mode)


_SOURCE_CEL = (
    "($object.spec.?volumeName.orValue('') != '' "
    "? ['spec.volumeName=' + $object.spec.volumeName] : []) + "
    "($object.spec.?selector.hasValue() ? ['spec.selector=set'] : []) + "
    "($object.spec.?storageClassName.orValue('default') == '' "
    "? ['spec.storageClassName=none'] : []) + "
    "($object.spec.?dataSourceRef.?namespace.orValue('') != '' "
    "? ['spec.dataSourceRef.namespace=' + $object.spec.dataSourceRef.namespace] : [])"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id="volume-source",
        severity=Severity.CRITICAL,
        title="A claimed volume is made for its claim, by a storage class",
        why="By name, by its labels or without a class a claim takes a volume that is there "
        "already, with what another tenant left on it; a source in another namespace is another "
        "tenant's.",
        fix="remove volumeName, selector and dataSourceRef.namespace, and name a storage class",
        policies=(VOLUMES,),
        offences=_source,
        cel=_SOURCE_CEL,
        # Whoever finds a volume for a claim writes its name there.
        spares=Spared.CONTROLLERS,
    ),
    Rule(
        id="volume-mode",
        severity=Severity.HIGH,
        title="A claimed volume is a file system",
        why="No sandbox may use a raw device: its contents are the guest's to forge, and the "
        "host's to parse.",
        fix="set volumeMode: Filesystem, or leave it out",
        policies=(VOLUMES,),
        offences=_mode,
        cel="$object.spec.?volumeMode.orValue('Filesystem') == 'Filesystem' ? [] "
        ": ['spec.volumeMode=' + $object.spec.volumeMode]",
    ),
)

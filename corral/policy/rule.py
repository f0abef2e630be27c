"""What a rule is, and what breaking one looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from corral.policy.document import Document

REFERENCE = "docs/policies.md"

Operation = Literal["CREATE", "UPDATE", "DELETE"]


class Severity(StrEnum):
    """How bad it is when the rule is broken."""

    CRITICAL = "critical"
    """A way out of the sandbox, or into another tenant's."""
    HIGH = "high"
    """One wall fewer between the two."""
    MEDIUM = "medium"
    """A sandbox could take more than its share, or escape operation."""


class Spared(StrEnum):
    """Whom a rule doesn't bind."""

    NOBODY = "nobody"
    ADMINISTRATORS = "administrators"
    """Whoever may `administer` the virtual resource `tenants.corral.dev`."""
    CONTROLLERS = "controllers"
    """Administrators, and the control plane's own controllers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known about a request besides its document. Defaults: a plain creation by a tenant.

    `parameters` is what `parameters.tenant_parameters` made of the tenant, `namespace` the
    Namespace object that the document is in, `resource` the plural with its subresource
    ("pods/resize").
    """

    operation: Operation = "CREATE"
    group: str = ""
    resource: str = "pods"
    name: str = ""
    old: Document | None = None
    namespace: Document = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    node: str = ""
    """The node of the pod that the caller's token is bound to; "" where it is bound to none."""
    administrator: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Offence:
    """One field that breaks a rule. None as the value means that the field isn't set."""

    field: str
    value: object = None
    bound: str = ""
    """What was allowed there, where that isn't the same for everybody."""

    @property
    def text(self) -> str:
        """`field=value (bound)`, as the API server's message words it."""
        return f"{self.field}={shown(self.value)}" + (f" ({self.bound})" if self.bound else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """An offence with the rule that it broke and the words for whoever has to mend it."""

    rule: str
    severity: Severity
    field: str
    value: object
    text: str
    """The offence: field, value and what was allowed."""
    message: str
    """All of it: rule, offence, what must hold, the fix."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """What every rule says about itself."""

    id: str
    severity: Severity
    title: str
    """What must hold, as a sentence without its full stop."""
    why: str
    fix: str

    @property
    def link(self) -> str:
        """Where the reference explains it."""
        return f"{REFERENCE}#{self.id}"

    def words(self, offences: str) -> str:
        """The message for the offences' texts: rule, fields, what must hold, the fix."""
        return f"[{self.id}] {offences}. {self.title}. Fix: {self.fix}. See {self.link}"

    def violation(self, offence: Offence) -> Violation:
        """The offence in this rule's words."""
        return Violation(
            rule=self.id,
            severity=self.severity,
            field=offence.field,
            value=offence.value,
            text=offence.text,
            message=self.words(offence.text),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule(Explained):
    """A rule of admission, twice: `offences` in Python and `cel` for the API server.

    Both list the offences of one document; `cel` is an expression for the list of their texts, in
    which `$object` is the document and `$name` a variable of the policy. On an update only
    offences that the old document didn't have count, so that a rule made stricter never holds up
    a label or a finalizer. A rule that `compares` looks at old and new itself instead.
    """

    policies: tuple[str, ...]
    offences: Callable[[Document, Facts], Iterable[Offence]]
    cel: str
    spares: Spared = Spared.NOBODY
    compares: bool = False
    baseline: bool = False
    """Whether it holds for the platform's own workloads too, outside tenants' namespaces."""
    by_class: bool = False
    """Whether it goes by the parameters of the sandbox's class."""

    def judge(self, document: Document, facts: Facts) -> list[Violation]:
        """What the document breaks; empty when the rule holds or spares the caller."""
        if spared(self.spares, facts):
            return []
        before: set[str] = set()
        if not self.compares and facts.operation == "UPDATE" and facts.old is not None:
            before = {offence.text for offence in self.offences(facts.old, facts)}
        found = self.offences(document, facts)
        return [self.violation(offence) for offence in found if offence.text not in before]


# The control plane's own controllers, as they call themselves (with and without an account each).
CONTROLLERS = (
    "system:kube-controller-manager",
    *(
        f"system:serviceaccount:kube-system:{name}"
        for name in (
            "namespace-controller",
            "generic-garbage-collector",
            "service-account-controller",
            "resourcequota-controller",
            "root-ca-cert-publisher",
            "pvc-protection-controller",
            "persistent-volume-binder",
            "expand-controller",
        )
    ),
)


def spared(spares: Spared, facts: Facts) -> bool:
    """Whether the caller is one whom the rule doesn't bind."""
    if spares is Spared.NOBODY:
        return False
    return facts.administrator or (spares is Spared.CONTROLLERS and facts.user in CONTROLLERS)


def shown(value: object) -> str:
    """A value as messages print it: "unset", "true", or the value itself."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

"""A tenant's parameters: what the policies hold its sandboxes to.

They stand as annotations on the ServiceAccount `sandbox` of the tenant's namespace, which is the
policies' params object: `corral.dev/classes` names the tenant's agent classes, and
`corral.dev/<class>.<suffix>` says what each allows.

Not a ConfigMap: the API server watches a built-in kind of params only while some binding asks for
it, and can't begin again. After a `destroy` and an `up` it would know no tenant, or go by bounds
of yesterday, until it is restarted (kubernetes/kubernetes#130887, open). Service accounts it
watches for itself, and without this one no sandbox starts anyway.
"""

from __future__ import annotations

from collections.abc import Mapping

from corral.policy.document import Document, at
from corral.policy.rule import Facts
from corral.policy.steering import CLASS_LABEL
from corral.settings.classes import AgentClass
from corral.settings.quantities import bytes_text, cpu_text

PARAMETERS_KIND = ("v1", "ServiceAccount")
SANDBOX_ACCOUNT = "sandbox"
"""The account that sandboxes run as, and that carries the parameters."""

PREFIX = "corral.dev/"

RESOLVER_PARAMETER = f"{PREFIX}resolver"
"""The address of the one DNS server that the tenant's sandboxes ask; left out where they may ask
nobody."""

PROBE_TENANT = "admission-probe"
PROBE_NAMESPACE = "corral-admission-probe"

# A pod that tries admission out must get as far as admission: it names no runtime and no priority
# that would have to exist first. Its namespace has room for no pod.
_PROBE_CLASS = {
    "runtime": "",
    "priority-class": "",
    "cpu": "1",
    "memory": "1Gi",
    "disk": "1Gi",
    "memory-ratio": "1.0",
    "host-users": "any",
    "extended-resources": "",
}


def tenant_parameters(tenant: str, classes: Mapping[str, AgentClass]) -> dict[str, str]:
    """The annotations of a tenant's account `sandbox`, for the classes that it may use. For the
    tenant `admission-probe` those of the probes' one class, whatever `classes` holds."""
    bounds = {name: _of_class(name, agent) for name, agent in sorted(classes.items())}
    if tenant == PROBE_TENANT:
        bounds = {"probe": _PROBE_CLASS}
    found = {f"{PREFIX}tenant": tenant, f"{PREFIX}classes": ",".join(bounds)}
    for name, values in bounds.items():
        found.update({f"{PREFIX}{name}.{key}": value for key, value in values.items()})
    return found


def _of_class(name: str, agent: AgentClass) -> dict[str, str]:
    runtime = agent.served_by
    return {
        "runtime": runtime.name,
        "priority-class": f"agent-{name}",
        "cpu": cpu_text(agent.limits.cpu),
        "memory": bytes_text(agent.limits.memory),
        "disk": bytes_text(agent.disk),
        "memory-ratio": _ratio(agent),
        "host-users": "false" if runtime.user_namespaces else "any",
        "extended-resources": ",".join(sorted(runtime.extended_resources)),
    }


def _ratio(agent: AgentClass) -> str:
    """Memory limit ÷ memory request, at most: the overcommit that the class was given."""
    if agent.served_by.static_memory:
        return str(float(agent.memory_overcommit))
    return str(round(agent.limits.memory / agent.requests.memory, 6))


def agent_class(document: Document) -> str:
    """The agent class that a pod says it is of; "" when it says none."""
    value = at(document, "metadata", "labels", CLASS_LABEL)
    return value if isinstance(value, str) else ""


def known_classes(facts: Facts) -> list[str]:
    """The agent classes of the tenant."""
    return facts.parameters.get(f"{PREFIX}classes", "").split(",")


def of_class(document: Document, facts: Facts, suffix: str, missing: str) -> str:
    """One parameter of the document's agent class, or `missing` for an unknown class."""
    return facts.parameters.get(f"{PREFIX}{agent_class(document)}.{suffix}", missing)


# The same in CEL.
CEL_RESOLVER = f"params.metadata.?annotations[?'{RESOLVER_PARAMETER}'].orValue('')"
CEL_CLASSES = f"params.metadata.?annotations[?'{PREFIX}classes'].orValue('').split(',')"


def cel_of_class(suffix: str, missing: str) -> str:
    """`of_class` in CEL, for a policy that has the variable `agent_class`."""
    key = f"'{PREFIX}' + $agent_class + '.{suffix}'"
    return f"params.metadata.?annotations[?{key}].orValue('{missing}')"
